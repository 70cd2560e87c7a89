/**
 * FEEL and DMN for the engine: evaluates batches of expressions and unary tests, reads what an expression names, and
 * evaluates decisions.
 *
 * Everything crosses the border as JSON. An answer is `{ value }` or `{ error: { kind, ... } }`.
 */
import "./lib/limits";

import { cellOf } from "./lib/cells";
import { at, mendDates } from "./lib/clock";
import { type Kind, type Variables, treeOf, passes, valueOf } from "./lib/evaluating";
import { functions } from "./lib/functions";
import { use } from "./lib/names";
import { type Problem, problemOf, syntaxProblem } from "./lib/problems";
import { reads } from "./lib/reads";
import { plain } from "./lib/values";

export { decide, model } from "./lib/decisions";
export { calendar } from "./lib/workdays";

mendDates();

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
    return { value: kind === "test" ? passes(text, value, scope) : plain(valueOf(text, scope)) };
  } catch (error) {
    return { error: problemOf(error) };
  }
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

/** What texts read from outside, path by path, and what their values look like; one entry each. */
export function read(json: { texts: [kind: Kind, text: string][] }): string {
  return JSON.stringify(json.texts.map(([kind, text]) => reads(treeOf(kind, text), text)));
}

/** What the cells of a decision table let through; null where that cannot be said beforehand. */
export function cells(json: { texts: string[] }): string {
  return JSON.stringify(json.texts.map(cellOf));
}

const builtIn = new Map<string, boolean>();

function isBuiltIn(name: string): boolean {
  let known = builtIn.get(name);
  if (known === undefined) {
    known = name in functions("") || valueOf(name, {}) !== null;
    if (builtIn.size < 2_000) builtIn.set(name, known);
  }
  return known;
}
