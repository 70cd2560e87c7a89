/** Reading and writing the zeebe: extension elements of a diagram element, each change one undoable step. */
import { getBusinessObject, is } from "bpmn-js/lib/util/ModelUtil";

type Any = any;

/** The business object that carries the properties of a process: a pool stands for its process. */
export function ownerOf(element: Any): Any {
  const object = getBusinessObject(element);
  return is(element, "bpmn:Participant") ? object.processRef : object;
}

export function extension(owner: Any, type: string): Any {
  return owner?.get("extensionElements")?.get("values")?.find((one: Any) => is(one, type));
}

/** Set attributes of an extension element; one without any attribute left is taken out. */
export function setExtension(injector: Any, element: Any, owner: Any, type: string, values: Record<string, unknown>): void {
  const commands: Any[] = [];
  const update = (moddleElement: Any, properties: Record<string, unknown>) =>
    commands.push({ cmd: "element.updateModdleProperties", context: { element, moddleElement, properties } });
  const factory = injector.get("bpmnFactory");
  let extensions = owner.get("extensionElements");
  if (!extensions) {
    extensions = factory.create("bpmn:ExtensionElements", { values: [] });
    extensions.$parent = owner;
    update(owner, { extensionElements: extensions });
  }
  const found = extensions.get("values").find((one: Any) => is(one, type));
  const merged = { ...(found ? attributesOf(found) : {}), ...values };
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined && value !== ""));
  const others = extensions.get("values").filter((one: Any) => one !== found);
  if (!Object.keys(kept).length) {
    if (found) update(extensions, { values: others });
  } else if (found) {
    update(found, values);
  } else {
    const made = factory.create(type, kept);
    made.$parent = extensions;
    update(extensions, { values: [...others, made] });
  }
  if (commands.length) injector.get("commandStack").execute("properties-panel.multi-command-executor", commands);
}

function attributesOf(one: Any): Record<string, unknown> {
  return Object.fromEntries(one.$descriptor.properties.map((property: Any) => [property.ns.localName, one.get(property.name)]));
}

export function property(owner: Any, name: string): string {
  const row = extension(owner, "zeebe:Properties")
    ?.get("properties")
    ?.find((one: Any) => one.name === name);
  return row?.value ?? "";
}

/** Set one zeebe:property; an empty value takes it out. */
export function setProperty(injector: Any, element: Any, owner: Any, name: string, value: string): void {
  const factory = injector.get("bpmnFactory");
  const present = extension(owner, "zeebe:Properties");
  const rows = (present?.get("properties") ?? []).filter((one: Any) => one.name !== name);
  if (value) rows.push(factory.create("zeebe:Property", { name, value }));
  if (present) {
    for (const row of rows) row.$parent = present;
    if (rows.length) {
      injector.get("commandStack").execute("element.updateModdleProperties", {
        element,
        moddleElement: present,
        properties: { properties: rows },
      });
      return;
    }
    setExtension(injector, element, owner, "zeebe:Properties", { properties: undefined });
    return;
  }
  if (rows.length) setExtension(injector, element, owner, "zeebe:Properties", { properties: rows });
}
