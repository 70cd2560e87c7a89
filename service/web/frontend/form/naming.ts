import { say } from "../page/words";
import { type Component, type FormInput, type Schema, walk } from "./input";
import type { Naming } from "./remarks";

const EVENT = "gh:name-field";

interface Named {
  value: string;
  label: string;
}

/** A form that is read for another one: its fields can be put on that one's list of what is to be changed. */
export function namingFor(box: HTMLElement, input: FormInput): Naming | null {
  const target = box.dataset.namesFor ? document.getElementById(box.dataset.namesFor) : null;
  if (!target || !input.returnable) return null;
  const values: Record<string, string> = {};
  for (const { id, path } of placed(input.schema, "")) {
    const value = input.returnable.find((one) => path === one || path.slice(path.indexOf(".") + 1) === one);
    if (value !== undefined) values[id] = value;
  }
  return {
    values,
    name: (value, label) => target.dispatchEvent(new CustomEvent<Named>(EVENT, { detail: { value, label } })),
  };
}

/** Every field with its binding path; a list with all its rows is one. */
export function* placed(container: Component, place: string): Generator<{ id: string; path: string }> {
  for (const child of container.components ?? []) {
    const own = child.key ?? child.path;
    const path = own ? (place ? `${place}.${own}` : own) : place;
    if (child.key || child.type === "dynamiclist") yield { id: child.id!, path };
    else yield* placed(child, path);
  }
}

interface Data {
  get(): Record<string, any>;
  set(data: Record<string, any>): void;
}

/** Take what another form names into the list of this one. */
export function takeNames(box: HTMLElement, schema: Schema, data: Data, told: (sentence: string) => void): void {
  const place = listOf(schema);
  if (!place) return;
  box.addEventListener(EVENT, (event) => {
    const { value, label } = (event as CustomEvent<Named>).detail;
    const whole = structuredClone(data.get());
    let inner = whole;
    for (const part of place.slice(0, -1)) inner = inner[part] ??= {};
    const last = place.at(-1)!;
    const list: { field?: string; problem?: string }[] = (inner[last] ?? []).filter((one: any) => one.field || one.problem);
    if (!list.some((one) => one.field === value)) list.push({ field: value, problem: "" });
    inner[last] = list;
    data.set(whole);
    told(say("fieldNamed", { label }));
  });
}

function listOf(schema: Schema): string[] | null {
  for (const component of walk(schema)) {
    const isList = component.type === "dynamiclist" && component.path === "corrections";
    if (isList) return [...pathTo(schema, component), "corrections"];
  }
  return null;
}

function pathTo(container: Component, wanted: Component): string[] {
  for (const child of container.components ?? []) {
    if (child === wanted) return [];
    if ([...walk(child)].includes(wanted)) return [...(child.path ? child.path.split(".") : []), ...pathTo(child, wanted)];
  }
  return [];
}
