/** @jsxImportSource @bpmn-io/properties-panel/preact */
import { isTextFieldEntryEdited, TextFieldEntry } from "@bpmn-io/properties-panel";
import { is } from "bpmn-js/lib/util/ModelUtil";
import { useService } from "bpmn-js-properties-panel";
import { say } from "../workshop/words";
import { fileUrl, type Context, type Reference } from "./context";
import { extension, ownerOf, setExtension } from "./extensions";

type Any = any;

const WORKDAYS = /^=\s*workdays\(\s*today\(\)\s*,\s*([\w.]+)\s*\)\s*$/;
const WHOLE = /^[1-9]\d{0,3}$/;
const NAME = /^[A-Za-z_][\w.]*$/;

/** The deadline of a task as people speak of it: so many working days, or where their number is written. */
export function deadlineGroup(context: Context): Any {
  return {
    id: "guohe-term",
    label: say("termGroup"),
    entries: [{ id: "guohe-term-days", component: Days, isEdited: isTextFieldEntryEdited, context }],
  };
}

function Days({ element, context }: { element: Any; context: Context }) {
  const injector = useService("injector");
  const debounce = useService("debounceInput");
  const registry = useService("elementRegistry");
  const owner = ownerOf(element);
  const due = String(extension(owner, "zeebe:TaskSchedule")?.get("dueDate") ?? "");
  const days = () => WORKDAYS.exec(String(extension(owner, "zeebe:TaskSchedule")?.get("dueDate") ?? ""))?.[1] ?? "";
  if (due && !days()) return <p class="gh-term-note">{say("termFormula")}</p>;
  const table = WHOLE.test(days()) ? null : tableOf(days(), registry, element, context);
  return (
    <div>
      <TextFieldEntry
        element={element}
        id="guohe-term-days"
        label={say("termDays")}
        description={days() && !WHOLE.test(days()) ? say("termFrom", { name: days() }) : say("termHint")}
        getValue={days}
        setValue={(value: string | undefined, problem: string | null) => {
          if (problem) return;
          setExtension(injector, element, owner, "zeebe:TaskSchedule", {
            dueDate: value?.trim() ? `=workdays(today(), ${value.trim()})` : undefined,
          });
        }}
        validate={(value: string | undefined) =>
          !value?.trim() || WHOLE.test(value.trim()) || NAME.test(value.trim()) ? null : say("termWrong")
        }
        debounce={debounce}
      />
      {table?.file && (
        <p class="gh-term-note">
          <a href={fileUrl(context, table.file)}>{say("termTable", { name: table.name })}</a>
        </p>
      )}
    </div>
  );
}

/** The table whose result holds a variable, where this diagram asks it. */
function tableOf(path: string, registry: Any, element: Any, context: Context): Reference | undefined {
  const [name] = path.split(".");
  if (!name || !element) return undefined;
  const asking = registry.find(
    (one: Any) => is(one, "bpmn:BusinessRuleTask") && extension(ownerOf(one), "zeebe:CalledDecision")?.get("resultVariable") === name,
  );
  const id = asking && extension(ownerOf(asking), "zeebe:CalledDecision").get("decisionId");
  // A called part is handed the result under the name of its table.
  return context.decisions.find((one) => one.id === (id ?? name));
}
