/**
 * DMN decisions: tables with every hit policy, literal and boxed expressions, required decisions, knowledge models.
 *
 * Values stay FEEL values – dates, durations, functions – from one decision to the next; only the results leave as JSON.
 */
import { date, duration } from "@bpmn-io/feelin";
import { DateTime, Duration } from "luxon";

import { at } from "./clock";
import { type Variables, passes, valueOf } from "./evaluating";
import { feel, functions } from "./functions";
import { type Problem, problemOf } from "./problems";
import { plain } from "./values";

type Logic =
  | { kind: "literal"; id: string; text: string }
  | { kind: "table"; table: Table }
  | { kind: "context"; entries: { name: string | null; logic: Logic }[] }
  | { kind: "invocation"; id: string; function: string; bindings: { name: string; logic: Logic }[] }
  | { kind: "function"; parameters: string[]; body: Logic }
  | { kind: "list"; items: Logic[] }
  | { kind: "relation"; columns: string[]; rows: Logic[][] }
  | { kind: "if"; condition: Logic; yes: Logic; no: Logic };

type Input = { id: string; label: string; text: string; type: string | null; values: string | null };
type Output = { id: string; name: string; type: string | null; values: string | null; default: string | null };
type Cell = { id: string; text: string };
type Rule = { id: string; inputs: Cell[]; outputs: Cell[] };
type Table = { policy: string; inputs: Input[]; outputs: Output[]; rules: Rule[] };
type Data = { names: string[]; type: string | null; values: string | null };
type Node = { id: string; knowledge: boolean; names: string[]; requires: string[]; inputs: Data[]; logic: Logic };
type Model = { nodes: Record<string, Node> };
type Trace = { decision: string; inputs: unknown[]; rules: string[]; value: unknown };

/** A table or a decision was violated. */
class Violation extends Error {
  constructor(readonly violation: Record<string, unknown>) {
    super(String(violation.kind));
  }
}

const models = new Map<string, Model>();

/** Keep a model under its key. */
export function model(key: string, json: string): void {
  models.set(key, JSON.parse(json));
}

/** Evaluate a decision and what it requires. */
export function decide(json: {
  model: string;
  decision: string;
  variables: Variables;
  now: number;
  calendar: string;
}): string {
  const run = new Run(models.get(json.model)!, { ...functions(json.calendar), ...json.variables });
  return at(json.now, () => JSON.stringify(run.result(json.decision)));
}

class Run {
  private readonly done = new Map<string, unknown>();
  private readonly traces: Trace[] = [];
  private current = "";

  constructor(
    private readonly model: Model,
    private readonly variables: Variables,
  ) {}

  result(decision: string) {
    try {
      const value = plain(this.decision(decision));
      return { value, traces: this.traces };
    } catch (error) {
      const violation = error instanceof Violation ? error.violation : { kind: "feel", problem: problemOf(error) };
      return { error: { decision: this.current, ...violation } };
    }
  }

  private decision(id: string): unknown {
    if (this.done.has(id)) return this.done.get(id);
    const node = this.model.nodes[id];
    const scope = this.scopeOf(node);
    this.current = id;
    const value = node.knowledge ? this.value(node.logic, scope) : this.traced(node, scope);
    this.done.set(id, value);
    return value;
  }

  /** The variables and the results of what the node requires, each under all its names. */
  private scopeOf(node: Node): Variables {
    const scope = { ...this.variables };
    for (const { names, type, values } of node.inputs) {
      const name = names.find((each) => each in scope);
      if (name === undefined) continue;
      this.current = node.id;
      scope[name] = this.typed(scope[name], type, values, { element: node.id, label: name });
    }
    for (const id of node.requires) {
      const value = this.decision(id);
      for (const name of this.model.nodes[id].names) scope[name] = value;
    }
    return scope;
  }

  private traced(node: Node, scope: Variables): unknown {
    const trace: Trace = { decision: node.id, inputs: [], rules: [], value: null };
    const value = node.logic.kind === "table" ? this.table(node.logic.table, scope, trace) : this.value(node.logic, scope);
    trace.value = plain(value);
    this.traces.push(trace);
    return value;
  }

  private value(logic: Logic, scope: Variables): unknown {
    switch (logic.kind) {
      case "literal":
        return this.cell(logic, scope);
      case "table":
        return this.table(logic.table, scope);
      case "list":
        return logic.items.map((item) => this.value(item, scope));
      case "relation":
        return logic.rows.map((row) =>
          Object.fromEntries(logic.columns.map((column, index) => [column, this.value(row[index], scope)])),
        );
      case "if":
        return this.value(this.value(logic.condition, scope) === true ? logic.yes : logic.no, scope);
      case "function":
        return feel(logic.parameters, (...values: unknown[]) => {
          const own = Object.fromEntries(logic.parameters.map((name, index) => [name, values[index] ?? null]));
          return this.value(logic.body, { ...scope, ...own });
        });
      case "context": {
        const inner = { ...scope };
        const context: Variables = {};
        for (const { name, logic: entry } of logic.entries) {
          const value = this.value(entry, inner);
          if (name === null) return value;
          context[name] = inner[name] = value;
        }
        return context;
      }
      case "invocation": {
        const target = valueOf(logic.function, scope) as ((...values: unknown[]) => unknown) & { $args?: string[] };
        if (typeof target !== "function") {
          throw new Violation({ kind: "feel", element: logic.id, text: logic.function, problem: { kind: "function" } });
        }
        const given = new Map(logic.bindings.map(({ name, logic }) => [name, this.value(logic, scope)]));
        return target(...(target.$args ?? []).map((name) => given.get(name) ?? null));
      }
    }
  }

  private cell({ id, text }: Cell, scope: Variables): unknown {
    if (!text) return null;
    return this.explained(id, text, () => valueOf(text, scope));
  }

  private explained<T>(element: string, text: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof Violation) throw error;
      throw new Violation({ kind: "feel", element, text, problem: problemOf(error) satisfies Problem });
    }
  }

  /** A value as its column declares it: texts become dates, anything else must already be what it should be. */
  private typed(
    value: unknown,
    type: string | null,
    allowed: string | null,
    place: { element: string; label: string },
  ): unknown {
    if (value === null || value === undefined) return null;
    const typed = cast(value, type);
    if (typed === undefined) throw new Violation({ kind: "type", ...place, type, value: shown(value) });
    if (allowed) {
      const all = Array.isArray(typed) ? typed : [typed];
      const fits = (each: unknown) =>
        each === null || this.explained(place.element, allowed, () => passes(allowed, each, this.variables));
      if (!all.every(fits)) throw new Violation({ kind: "allowed", ...place, allowed, value: shown(typed) });
    }
    return typed;
  }

  private table(table: Table, scope: Variables, trace?: Trace): unknown {
    const inputs = table.inputs.map((input) => {
      const value = this.cell({ id: input.id, text: input.text }, scope);
      return this.typed(value, input.type, input.values, { element: input.id, label: input.label });
    });
    if (trace) trace.inputs = inputs.map(plain);
    const hits: Rule[] = [];
    for (const rule of table.rules) {
      const holds = rule.inputs.every(({ id, text }, column) =>
        isAny(text) ? true : this.explained(id, text, () => passes(text, inputs[column], scope)),
      );
      if (!holds) continue;
      hits.push(rule);
      if (table.policy === "FIRST") break;
    }
    if (trace) trace.rules = hits.map((rule) => rule.id);
    const rows = hits.map((rule) => rule.outputs.map((cell, column) => this.output(table.outputs[column], cell, scope)));
    return this.applied(table, hits, rows, scope);
  }

  private output(output: Output, cell: Cell, scope: Variables): unknown {
    const value = this.cell(cell, scope);
    return this.typed(value, output.type, output.values, { element: cell.id, label: output.name });
  }

  private applied(table: Table, hits: Rule[], rows: unknown[][], scope: Variables): unknown {
    const { policy, outputs } = table;
    const shaped = (row: unknown[]) =>
      outputs.length === 1 ? row[0] : Object.fromEntries(outputs.map(({ name }, column) => [name, row[column]]));
    const violated = (kind: string) => new Violation({ kind, rules: hits.map((rule) => rule.id) });
    const several = policy === "RULE ORDER" || policy === "OUTPUT ORDER" || policy === "COLLECT";

    if (!rows.length) {
      if (policy === "COUNT") return 0;
      const fallback = outputs.some((output) => output.default !== null) && [
        outputs.map((output) => this.cell({ id: output.id, text: output.default ?? "" }, scope)),
      ];
      if (several) return fallback ? fallback.map(shaped) : [];
      return fallback ? shaped(fallback[0]) : null;
    }
    switch (policy) {
      case "UNIQUE":
        if (rows.length > 1) throw violated("unique");
        return shaped(rows[0]);
      case "ANY":
        if (new Set(rows.map((row) => JSON.stringify(plain(row)))).size > 1) throw violated("any");
        return shaped(rows[0]);
      case "FIRST":
        return shaped(rows[0]);
      case "PRIORITY":
        return shaped(this.ordered(table, hits, rows, scope)[0]);
      case "OUTPUT ORDER":
        return this.ordered(table, hits, rows, scope).map(shaped);
      case "RULE ORDER":
      case "COLLECT":
        return rows.map(shaped);
      case "COUNT":
        return rows.length;
    }
    const values = rows.map((row) => row[0]);
    const total = aggregate(policy, values);
    if (total === undefined) throw new Violation({ kind: "aggregate", policy, rules: hits.map((rule) => rule.id) });
    return total;
  }

  /** Rows by the order in which the columns list their output values; the first column decides first. */
  private ordered(table: Table, hits: Rule[], rows: unknown[][], scope: Variables): unknown[][] {
    const orders = table.outputs.map(({ id, values }) => {
      if (!values) return null;
      const listed = this.explained(id, values, () => valueOf(`[${values}]`, scope)) as unknown[];
      return listed.map((value) => JSON.stringify(plain(value)));
    });
    const keyed = rows.map((row, index) => ({
      row,
      index,
      ranks: row.map((value, column) => {
        const order = orders[column];
        if (!order) return 0;
        const rank = order.indexOf(JSON.stringify(plain(value)));
        if (rank < 0) {
          const { id, name } = table.outputs[column];
          throw new Violation({ kind: "order", element: id, label: name, value: shown(value), rules: [hits[index].id] });
        }
        return rank;
      }),
    }));
    keyed.sort((a, b) => {
      const column = a.ranks.findIndex((rank, index) => rank !== b.ranks[index]);
      return column < 0 ? a.index - b.index : a.ranks[column] - b.ranks[column];
    });
    return keyed.map(({ row }) => row);
  }
}

export function isAny(text: string): boolean {
  return text === "" || text === "-";
}

function shown(value: unknown): unknown {
  try {
    return plain(value);
  } catch {
    return String(value);
  }
}

const SCALARS: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  context: (value) => typeof value === "object" && !Array.isArray(value),
};
const NUMBERS = new Set(["integer", "long", "double", "decimal"]);
const TEMPORAL = new Set([
  "date", "time", "dateTime", "date and time", "days and time duration", "years and months duration",
  "dayTimeDuration", "yearMonthDuration", "duration",
]);  // prettier-ignore

/** The value as one of `type`, or undefined where it is none; what isn't a built-in type is let through. */
function cast(value: unknown, type: string | null): unknown {
  const plainType = type?.replace(/^.*:/, "") ?? "Any";
  if (Array.isArray(value) && value.length === 1 && (plainType in SCALARS || TEMPORAL.has(plainType))) value = value[0];
  const name = NUMBERS.has(plainType) ? "number" : plainType;
  if (name in SCALARS) return SCALARS[name](value) ? value : undefined;
  if (!TEMPORAL.has(name)) return value;
  if (typeof value === "string") value = parsed(value, name);
  return DateTime.isDateTime(value) || Duration.isDuration(value) ? value : undefined;
}

function parsed(text: string, type: string): unknown {
  const isDuration = /duration/i.test(type);
  const value = isDuration
    ? duration(text)
    : type === "time"
      ? date(null as unknown as undefined, text, null as unknown as undefined)
      : date(type === "date" ? text.slice(0, 10) : text);
  return value?.isValid ? value : undefined;
}

function aggregate(policy: string, values: unknown[]): unknown {
  const numbers = values.every((value) => typeof value === "number") ? (values as number[]) : null;
  if (policy === "SUM") {
    if (numbers) return numbers.reduce((sum, value) => sum + value, 0);
    if (!values.every((value) => Duration.isDuration(value))) return undefined;
    return (values as Duration[]).reduce((sum, value) => sum.plus(value));
  }
  const order = functions("")[policy === "MIN" ? "min" : "max"] as (values: unknown[]) => unknown;
  return order(values) ?? undefined;
}
