import { say } from "../workshop/words";
import type { Context } from "./context";

/** Tells the FEEL editors which variables are known where, and who writes them. */
export function variablesModule(context: Context): Record<string, unknown> {
  class KnownVariables {
    static $inject = ["elementRegistry"];

    constructor() {}

    async getVariablesForElement(element: any): Promise<unknown[]> {
      const known = context.variables?.[element.id] ?? context.variables?.[processOf(element)?.id] ?? [];
      return known.map((one) => ({
        name: one.name,
        type: one.type,
        info: one.by.length
          ? say("writtenBy", { names: [...new Set(one.by.map((by) => by.name))].join("、") })
          : say("systemVariable"),
      }));
    }
  }
  return { variableResolver: ["type", KnownVariables] };
}

function processOf(element: any): any {
  let one = element;
  while (one && one.$type !== "bpmn:Process") one = one.$parent;
  return one;
}
