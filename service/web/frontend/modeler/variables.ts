import { csrfToken } from "../page/csrf";
import { isChinese } from "../page/words";
import { say } from "../workshop/words";
import type { Context } from "./context";

interface Known {
  name: string;
  type: string;
  sure: boolean;
  entries?: Known[];
  by: { zh: string; en: string }[];
}

const TYPES: Record<string, string> = { string: "Text", number: "Number", boolean: "Boolean", context: "Context", list: "List" };

/**
 * Tells the FEEL editors which variables are known at an element and who writes them, as the server sees the diagram at
 * this moment.
 */
export function variablesModule(context: Context): Record<string, unknown> {
  class KnownVariables {
    static $inject = ["bpmnjs", "eventBus"];
    private typed: Promise<string> | null = null;
    private readonly answers = new Map<string, Promise<Known[]>>();

    constructor(
      private readonly bpmnjs: any,
      eventBus: any,
    ) {
      eventBus.on(["commandStack.changed", "import.done"], () => {
        this.typed = null;
        this.answers.clear();
      });
    }

    async getVariablesForElement(element: any): Promise<unknown[]> {
      const id = element?.id ?? "";
      if (!this.answers.has(id)) this.answers.set(id, this.ask(id));
      return (await this.answers.get(id)!).map(shown);
    }

    async getProcessVariables(): Promise<unknown[]> {
      return [];
    }

    private async ask(element: string): Promise<Known[]> {
      this.typed ??= this.bpmnjs.saveXML({ format: true }).then(({ xml }: { xml: string }) => xml);
      try {
        const answer = await fetch(context.variables, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
          body: JSON.stringify({ element, files: { [context.path]: await this.typed } }),
        });
        return answer.ok ? (await answer.json()).variables : [];
      } catch {
        return [];
      }
    }
  }
  return { variableResolver: ["type", KnownVariables] };
}

function shown(one: Known): unknown {
  const names = [...new Set((one.by ?? []).map((by) => (isChinese ? by.zh : by.en)))].join(isChinese ? "、" : ", ");
  return {
    name: one.name,
    type: TYPES[one.type] ?? "Any",
    info: names ? `${say("writtenBy", { names })}${one.sure ? "" : say("maybeEmpty")}` : undefined,
    entries: one.entries?.map(shown) ?? [],
  };
}
