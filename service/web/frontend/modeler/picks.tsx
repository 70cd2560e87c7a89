/** @jsxImportSource @bpmn-io/properties-panel/preact */
import { isSelectEntryEdited, isTextFieldEntryEdited, SelectEntry, TextFieldEntry } from "@bpmn-io/properties-panel";
import { is } from "bpmn-js/lib/util/ModelUtil";
import { useService } from "bpmn-js-properties-panel";
import { say } from "../workshop/words";
import { fileUrl, type Context, type Reference } from "./context";
import { deadlineGroup } from "./deadline";
import { extension, ownerOf, property, setExtension, setProperty } from "./extensions";
import { makeForm } from "./newform";

type Any = any;
type Option = { value?: string; label: string; children?: Option[] };

const LATE = 400;
/** Groups for what our engine does not run. */
const FOREIGN = new Set(["Zeebe__ExecutionListeners", "Zeebe__TaskListeners", "businessId"]);

/** Pick-lists where a process owner would otherwise have to know codes by heart. */
class PickLists {
  static $inject = ["propertiesPanel", "config.guohe"];

  constructor(
    propertiesPanel: Any,
    private readonly context: Context,
  ) {
    propertiesPanel.registerProvider(LATE, this);
  }

  getGroups(element: Any) {
    return (groups: Any[]) => {
      const all = groups.filter((one) => one && !FOREIGN.has(one.id));
      const group = (id: string) => all.find((one) => one.id === id);
      const owner = ownerOf(element);
      if (!owner) return all;
      if (is(element, "bpmn:UserTask")) {
        const at = all.findIndex((one) => one.id === "assignmentDefinition");
        all.splice(at < 0 ? 1 : at, 0, entries("guohe-role", say("roleGroup"), [
          { id: "guohe-role-pick", component: RolePick, isEdited: isSelectEntryEdited, context: this.context },
        ]), deadlineGroup(this.context));
      }
      const pick = (id: string, component: unknown) =>
        group(id)?.entries?.unshift({ id: `guohe-${id}`, component, isEdited: isSelectEntryEdited, context: this.context });
      if (is(element, "bpmn:UserTask") || is(element, "bpmn:StartEvent")) pick("form", FormPick);
      if (is(element, "bpmn:BusinessRuleTask")) pick("calledDecision", DecisionPick);
      if (is(element, "bpmn:CallActivity")) pick("calledElement", ProcessPick);
      if (is(element, "bpmn:Lane")) {
        group("general")?.entries?.unshift({
          id: "guohe-lane",
          component: LanePick,
          isEdited: isSelectEntryEdited,
          context: this.context,
        });
      }
      if (owner.$type === "bpmn:Process") {
        all.splice(1, 0, entries("guohe-case", say("caseGroup"), [
          text("title", say("caseTitle")),
          text("caseNumber", say("caseNumber")),
          { id: "guohe-starter", component: StarterPick, isEdited: isSelectEntryEdited, context: this.context },
        ]));
      }
      if (!is(element, "bpmn:Lane") && (is(owner, "bpmn:FlowElement") || owner.$type === "bpmn:Process")) {
        const at = all.findIndex((one) => one.id === "documentation");
        all.splice(at + 1, 0, entries("guohe-source", say("sourceGroup"), [text("source", say("source"), say("sourceHint"))]));
      }
      return all;
    };
  }
}

function entries(id: string, label: string, list: Any[]): Any {
  return { id, label, entries: list };
}

function text(name: string, label: string, description?: string): Any {
  const component = ({ element }: Any) => {
    const injector = useService("injector");
    const debounce = useService("debounceInput");
    const owner = ownerOf(element);
    return (
      <TextFieldEntry
        element={element}
        id={`guohe-${name}`}
        label={label}
        description={description}
        getValue={() => property(owner, name)}
        setValue={(value: string) => setProperty(injector, element, owner, name, value ?? "")}
        debounce={debounce}
      />
    );
  };
  return { id: `guohe-${name}`, component, isEdited: isTextFieldEntryEdited };
}

function roleOptions(context: Context): Option[] {
  const parties = new Map<string, Option[]>();
  for (const role of context.roles) {
    const party = role.code.split(".")[0];
    if (!parties.has(party)) parties.set(party, []);
    parties.get(party)!.push({ value: role.code, label: role.name });
  }
  return [...parties].map(([party, children]) => ({ label: context.parties[party] ?? party, children }));
}

function RolePick({ element, context }: { element: Any; context: Context }) {
  const injector = useService("injector");
  const owner = ownerOf(element);
  const value = () => extension(owner, "zeebe:AssignmentDefinition")?.get("candidateGroups") ?? "";
  const lane = owner.get("lanes")?.[0]?.name ?? laneOf(element);
  const byLane = context.roles.find((role) => role.lane === lane);
  const options = (): Option[] => {
    const now = value();
    const list: Option[] = [{ value: "", label: byLane ? say("roleOfLane", { role: byLane.name }) : say("roleNone") }];
    if (now && !context.roles.some((role) => role.code === now)) list.push({ value: now, label: describe(now) });
    return [...list, ...roleOptions(context)];
  };
  return (
    <SelectEntry
      element={element}
      id="guohe-role-pick"
      label={say("role")}
      getValue={value}
      setValue={(code: string) =>
        setExtension(injector, element, owner, "zeebe:AssignmentDefinition", { candidateGroups: code || undefined })
      }
      getOptions={options}
    />
  );
}

function describe(value: string): string {
  if (value.trim().startsWith("=")) return say("roleExpression", { text: value });
  return say(value.includes(",") ? "roleSeveral" : "roleUnknown", { text: value });
}

/** The innermost lane around an element. */
function laneOf(element: Any): string | undefined {
  let parent = element.parent;
  while (parent && !is(parent, "bpmn:Participant")) parent = parent.parent;
  const middle = { x: element.x + element.width / 2, y: element.y + element.height / 2 };
  const lanes = (parent?.children ?? []).filter((one: Any) => is(one, "bpmn:Lane"));
  const around = (list: Any[]): Any =>
    list.find((one) => middle.x >= one.x && middle.x <= one.x + one.width && middle.y >= one.y && middle.y <= one.y + one.height);
  let lane = around(lanes);
  while (lane) {
    const inner = around((lane.children ?? []).filter((one: Any) => is(one, "bpmn:Lane")));
    if (!inner) break;
    lane = inner;
  }
  return lane?.businessObject?.name;
}

function StarterPick({ element, context }: { element: Any; context: Context }) {
  const injector = useService("injector");
  const owner = ownerOf(element);
  const value = () => property(owner, "starter");
  const options = (): Option[] => {
    const now = value();
    const extra = now && !context.roles.some((role) => role.code === now) ? [{ value: now, label: describe(now) }] : [];
    return [{ value: "", label: say("roleNone") }, ...extra, ...roleOptions(context)];
  };
  return (
    <SelectEntry
      element={element}
      id="guohe-starter"
      label={say("starter")}
      getValue={value}
      setValue={(code: string) => setProperty(injector, element, owner, "starter", code)}
      getOptions={options}
    />
  );
}

function LanePick({ element, context }: { element: Any; context: Context }) {
  const modeling = useService("modeling");
  const value = () => element.businessObject.name ?? "";
  const options = (): Option[] => {
    const lanes = context.roles.filter((role) => role.lane).map((role) => ({ value: role.lane!, label: role.lane! }));
    const now = value();
    const extra = now && !lanes.some((one) => one.value === now) ? [{ value: now, label: say("laneOther", { text: now }) }] : [];
    return [{ value: "", label: say("pickNone") }, ...extra, ...lanes];
  };
  return (
    <SelectEntry
      element={element}
      id="guohe-lane"
      label={say("laneName")}
      getValue={value}
      setValue={(name: string) => modeling.updateProperties(element, { name })}
      getOptions={options}
    />
  );
}

interface Pick {
  id: string;
  label: string;
  open: string;
  none: string;
  list: (context: Context) => Reference[];
  type: string;
  attribute: string;
  /** The options in groups, where one list would be too long. */
  group?: (list: Reference[], context: Context) => Option[];
  /** The word of a button that makes a new one, and what it does. */
  add?: [string, (context: Context) => Promise<Reference | null>];
}

function pickOf(pick: Pick) {
  return ({ element, context }: { element: Any; context: Context }) => {
    const injector = useService("injector");
    const owner = ownerOf(element);
    const value = () => extension(owner, pick.type)?.get(pick.attribute) ?? "";
    const list = pick.list(context);
    const options = (): Option[] => {
      const now = value();
      const known = pick.group?.(list, context) ?? list.map(option);
      const extra = now && !list.some((one) => one.id === now) ? [{ value: now, label: unknown(now) }] : [];
      return [{ value: "", label: pick.none }, ...extra, ...known];
    };
    const chosen = list.find((one) => one.id === value());
    const choose = (id: string) =>
      setExtension(injector, element, owner, pick.type, { [pick.attribute]: id || undefined });
    const add = async () => {
      const made = await pick.add![1](context);
      if (made) choose(made.id);
    };
    return (
      <div class="gh-pick">
        <SelectEntry
          element={element}
          id={pick.id}
          label={pick.label}
          getValue={value}
          setValue={choose}
          getOptions={options}
        />
        <span class="gh-pick-open">
          {pick.add && (
            <button type="button" class="link-button" onClick={() => void add()}>
              {pick.add[0]}
            </button>
          )}
          {chosen?.file && <a href={fileUrl(context, chosen.file)}>{pick.open}</a>}
        </span>
      </div>
    );
  };
}

function option(one: Reference): Option {
  return { value: one.id, label: one.name === one.id ? one.id : `${one.name}（${one.id}）` };
}

/** Those of the procedure that is open, those that several share, and the rest; by the tasks that open them. */
function byProcedure(list: Reference[], context: Context): Option[] {
  const procedure = context.path.split("/").slice(-2)[0];
  const folder = (one: Reference) => one.file.split("/").slice(-2)[0];
  const named = (one: Reference) => {
    const tasks = [...new Set(context.uses.filter((use) => use.form === one.id).map((use) => use.name))];
    return option({ ...one, name: one.name === one.id && tasks.length ? tasks.slice(0, 3).join("、") : one.name });
  };
  const groups: [string, (one: Reference) => boolean][] = [
    [say("formsOwn"), (one) => folder(one) === procedure],
    [say("formsShared"), (one) => folder(one) === "shared"],
    [say("formsOther"), (one) => folder(one) !== procedure && folder(one) !== "shared"],
  ];
  return groups
    .map(([label, belongs]) => ({ label, children: list.filter(belongs).map(named) }))
    .filter((group) => group.children.length);
}

function unknown(id: string): string {
  return id.trim().startsWith("=") ? id : say("missingRef", { id });
}

const FormPick = pickOf({
  id: "guohe-form-pick",
  label: say("formPick"),
  open: say("formOpen"),
  none: say("formNone"),
  list: (context) => context.forms,
  type: "zeebe:FormDefinition",
  attribute: "formId",
  group: byProcedure,
  add: [say("formNew"), makeForm],
});

const DecisionPick = pickOf({
  id: "guohe-decision-pick",
  label: say("decisionPick"),
  open: say("decisionOpen"),
  none: say("pickNone"),
  list: (context) => context.decisions,
  type: "zeebe:CalledDecision",
  attribute: "decisionId",
});

const ProcessPick = pickOf({
  id: "guohe-process-pick",
  label: say("processPick"),
  open: say("processOpen"),
  none: say("pickNone"),
  list: (context) => context.processes,
  type: "zeebe:CalledElement",
  attribute: "processId",
});

export const PickListsModule = { __init__: ["pickLists"], pickLists: ["type", PickLists] };
