/** One evaluation: a text, what it sees, and an error where FEEL would be silent. */
import { evaluate, parseExpression, parseUnaryTests, unaryTest } from "@bpmn-io/feelin";

import { use } from "./names";
import { type Problem, worst } from "./problems";

export type Kind = "expression" | "test";
export type Variables = Record<string, unknown>;

// The dialect of the desktop modeler: names in backticks.
const DIALECT = "camunda";

/** FEEL had no value for a text. */
export class Unevaluable extends Error {
  constructor(readonly problem: Problem) {
    super(problem.kind);
  }
}

export function valueOf(text: string, scope: Variables): unknown {
  const { value, warnings } = evaluate(text, scope, DIALECT);
  refuse(worst(warnings) ?? refused("expression", text));
  return value;
}

export function passes(text: string, value: unknown, scope: Variables): boolean {
  const { value: passed, warnings } = unaryTest(text, { ...scope, "?": value ?? null }, DIALECT);
  refuse(worst(warnings) ?? refused("test", text));
  return passed === true;
}

export function treeOf(kind: Kind, text: string) {
  return kind === "test" ? parseUnaryTests(text, {}, DIALECT) : parseExpression(text, {}, DIALECT);
}

function refuse(problem: Problem | null): void {
  if (problem) throw new Unevaluable(problem);
}

const refusals = new Map<string, Problem | null>();

/** What feelin would evaluate wrongly without a word. */
function refused(kind: Kind, text: string): Problem | null {
  if (!/\binstance\b/.test(text)) return null;
  const key = `${kind}\0${text}`;
  let problem = refusals.get(key);
  if (problem === undefined) {
    const found = use(treeOf(kind, text), text).refused;
    problem = found && { kind: "unsupported", message: found.what, from: found.at };
    if (refusals.size > 2_000) refusals.clear();
    refusals.set(key, problem);
  }
  return problem;
}
