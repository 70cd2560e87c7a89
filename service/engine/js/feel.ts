/**
 * FEEL for the engine: evaluates batches of expressions and unary tests, and reads what an expression names.
 *
 * Everything crosses the border as JSON. An answer is `{ value }` or `{ error: { kind, ... } }`.
 */
import "./lib/limits";

import { evaluate, parseExpression, parseUnaryTests, unaryTest } from "@bpmn-io/feelin";

import { at } from "./lib/clock";
import { functions } from "./lib/functions";
import { use } from "./lib/names";
import { type Problem, problemOf, syntaxProblem, worst } from "./lib/problems";
import { plain } from "./lib/values";

export { calendar } from "./lib/workdays";

// The dialect of the desktop modeler: names in backticks.
const DIALECT = "camunda";

type Variables = Record<string, unknown>;
type Kind = "expression" | "test";
type Question = [kind: Kind, text: string, variables: number, value?: unknown];
type Answer = { value: unknown } | { error: Problem };

/** Evaluate questions that share sets of variables, at one moment and by one calendar. */
export function batch(json: { now: number; calendar: string; variables: Variables[]; questions: Question[] }): string {
  const { now, variables, questions } = json;
  const ours = functions(json.calendar);
  const scopes = variables.map((own) => ({ ...ours, ...own }));
  return at(now, () => JSON.stringify(questions.map((question) => answer(question, scopes[question[2]]))));
}

function answer([kind, text, , value]: Question, scope: Variables): Answer {
  try {
    const result =
      kind === "test"
        ? unaryTest(text, { ...scope, "?": value ?? null }, DIALECT)
        : evaluate(text, scope, DIALECT);
    const error = worst(result.warnings) ?? refused(kind, text);
    return error ? { error } : { value: kind === "test" ? result.value === true : plain(result.value) };
  } catch (error) {
    return { error: problemOf(error) };
  }
}

function treeOf(kind: Kind, text: string) {
  return kind === "test" ? parseUnaryTests(text, {}, DIALECT) : parseExpression(text, {}, DIALECT);
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

/** What is wrong with texts, as far as one can see without variables: one entry each, null where nothing is. */
export function check(json: { texts: [kind: Kind, text: string][]; functions: string[] }): string {
  return JSON.stringify(json.texts.map(([kind, text]) => problemIn(kind, text, new Set(json.functions))));
}

function problemIn(kind: Kind, text: string, known: ReadonlySet<string>): Problem | null {
  const tree = treeOf(kind, text);
  const wrong = syntaxProblem(text, tree);
  if (wrong) return wrong;
  const { calls, refused } = use(tree, text);
  if (refused) return { kind: "unsupported", message: refused.what, from: refused.at };
  for (const [name, from] of calls) {
    if (!known.has(name) && !isBuiltIn(name)) return { kind: "unknown", message: name, from };
  }
  return null;
}

/** The names an expression takes from outside: neither bound inside it nor functions. */
export function names(json: { kind: Kind; text: string }): string {
  const { names } = use(treeOf(json.kind, json.text), json.text);
  return JSON.stringify([...names].sort());
}

const builtIn = new Map<string, boolean>();

function isBuiltIn(name: string): boolean {
  let known = builtIn.get(name);
  if (known === undefined) {
    known = name in functions("") || evaluate(name, {}, DIALECT).value !== null;
    if (builtIn.size < 2_000) builtIn.set(name, known);
  }
  return known;
}
