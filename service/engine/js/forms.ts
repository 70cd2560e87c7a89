/**
 * The server's twin of a form in the browser: form-js itself, filled with what was sent, without anything drawn.
 *
 * form-js learns which fields there are by drawing them. `Filling.visit` walks the schema in its place and registers the
 * same field instances; validation, conditions, defaults and the data to submit are form-js's own code.
 */
import "./lib/no-dom";
import "./lib/limits";

import {
  type Config,
  type Data,
  type Field,
  Form,
  type Scope,
  buildExpressionContext,
  clone,
  hasEqualValue,
  runExpressionEvaluation,
} from "@bpmn-io/form-js-viewer";
import { get, set } from "min-dash";

import { CHINESE } from "../../web/frontend/form/messages";
import { at } from "./lib/clock";
import { fieldsModule, ownProblems } from "./lib/form-fields";
import { say, sentences, speak } from "./lib/form-sentences";

type Path = (string | number)[];
type Instance = { id: string; valuePath: Path; indexes: Record<string, number>; expressionContextInfo: Scope };
type Answer = { problems: Record<string, string[]>; data: Data };

const MOST_ROUNDS = 20;
const schemas = new Map<string, Field>();
let shown = "";
const form = new Form({
  additionalModules: [
    { translate: ["value", (template: string, values?: Data) => sentences(CHINESE, template, values)] },
    { renderer: ["value", null] },
    fieldsModule,
  ],
});
const fields = form.get<{ get(type: string): { config: Config } | undefined }>("formFields");
const registry = form.get("formFieldRegistry");
const instances = form.get("formFieldInstanceRegistry");
const paths = form.get("pathRegistry");
const language = form.get("expressionLanguage");
const conditions = form.get("conditionChecker");
const validator = form.get("validator");

/** Keep a schema under its key. */
export function schema(key: string, json: string): void {
  schemas.set(key, JSON.parse(json));
}

/** What the browser would say of these values, and what it would send. */
export function fill(json: { schema: string; values: Data; context: Data; now: number; locale: string }): string {
  speak(json.locale);
  return at(json.now, () => JSON.stringify(new Filling(show(json.schema), json.values, json.context).answer()));
}

/** Make form-js show a schema; the same one twice in a row costs nothing. */
function show(key: string): Field {
  if (shown !== key) {
    shown = "";
    form.clear();
    const { schema } = form.get("importer").importSchema(schemas.get(key));
    form._setState({ schema });
    shown = key;
  }
  return form._getState().schema;
}

/** What is wrong with a schema: one component and one sentence in each language. */
export function inspect(json: { schema: string }): string {
  const problems: { id: string; zh: string; en: string }[] = [];
  const whole = schemas.get(json.schema)!;
  for (const locale of ["zh", "en"] as const) {
    speak(locale);
    shown = "";
    form.clear();
    try {
      form.get("importer").importSchema(whole);
    } catch (error) {
      problems[0] = { ...(problems[0] ?? { id: whole.id, zh: "", en: "" }), [locale]: (error as Error).message };
    }
  }
  return JSON.stringify(problems);
}

class Filling {
  private repeaters: { path: Path; count: number; field: Field; scope: Scope }[] = [];
  /** Paths that an expression made read-only: there the case's own value counts, whatever was sent. */
  private readonly locked = new Set<string>();
  private merged: Data = {};
  private readonly problems: Record<string, string[]> = {};

  constructor(
    private readonly schema: Field,
    private readonly values: Data,
    private readonly context: Data,
  ) {}

  answer(): Answer {
    do this.import();
    while (this.lock());
    const { data } = form._getState();
    for (const instance of instances.getAllKeyed() as Instance[]) this.judge(instance, get(data, instance.valuePath));
    const submitted = form._getSubmitData();
    for (const { path, count } of this.repeaters) {
      if (!count) set(submitted, path, []);
    }
    return { problems: this.problems, data: submitted };
  }

  private import(): void {
    fit(this.schema, this.context);
    this.merged = clone(this.context);
    this.merge(this.schema, this.values, this.merged, this.context, []);
    const data = form._getInitializedFieldData(clone(this.merged));
    // Where a field is hidden, conditions see the value it had when the form was opened: the case's.
    const initialData = form._getInitializedFieldData(clone(this.context));
    form._setState({ data, errors: {}, initialData });
    this.compute();
  }

  /** Register the instances; let expression fields settle as they do in the browser. */
  private compute(): void {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      instances.clear();
      this.repeaters = [];
      const { data, initialData } = form._getState();
      const seen = { ...initialData, ...conditions.applyConditions(data, data) };
      this.visit(this.schema, {}, { data: seen, parent: null, this: seen, i: [] });
      if (!this.settle()) return;
    }
  }

  private settle(): boolean {
    const { data } = form._getState();
    let changed = false;
    for (const { id, valuePath, expressionContextInfo } of instances.getAllKeyed() as Instance[]) {
      const field: Field = registry.get(id);
      if (field.type !== "expression") continue;
      const value = jsonOf(runExpressionEvaluation(language, field.expression, expressionContextInfo));
      if (isEqual(value, get(data, valuePath) ?? null)) continue;
      set(data, valuePath, value);
      changed = true;
    }
    if (changed) form._setState({ data: clone(data) });
    return changed;
  }

  /** What FormField, RowsRenderer and RepetitionScaffold of form-js do, without drawing. */
  private visit(field: Field, indexes: Record<string, number>, scope: Scope): void {
    const hide = field.conditional?.hide;
    if (hide && language.evaluateUnaryTest(hide, buildExpressionContext(scope))) return;
    const config = fields.get(field.type)!.config;
    const valuePath: Path = paths.getValuePath(field, { indexes });
    if (config.keyed) {
      const instance = { id: field.id, expressionContextInfo: scope, valuePath, indexes, hidden: false };
      instances.syncInstance(valuePath.join("\0"), instance);
    }
    const children = field.components ?? [];
    if (!(config.repeatable && field.isRepeating)) {
      children.forEach((child) => this.visit(child, indexes, scope));
      return;
    }
    const items = (get(form._getState().data, valuePath) ?? []) as unknown[];
    this.repeaters.push({ path: valuePath, count: items.length, field, scope });
    const parent = buildExpressionContext({ ...scope, data: scope.this });
    items.forEach((item, index) => {
      const inner = { data: scope.data, this: item, parent, i: [...scope.i, index + 1] };
      children.forEach((child) => this.visit(child, { ...indexes, [field.id]: index }, inner));
    });
  }

  /** Lay what was sent over the case's own values, as far as the form's fields reach and may be changed. */
  private merge(field: Field, sent: Data, target: Data, known: unknown, place: Path): void {
    const config = fields.get(field.type)!.config;
    const own = pathOf(field, config);
    const path = [...place, ...own];
    const value = own.length ? get(sent, own) : undefined;
    if (config.keyed) {
      if (value === undefined || isFixed(field) || this.locked.has(path.join("\0"))) return;
      set(target, own, value);
      return;
    }
    const children = field.components ?? [];
    if (config.repeatable && field.isRepeating) {
      if (!this.locked.has(path.join("\0"))) set(target, own, this.items(field, value, get(target, own), path));
      return;
    }
    if (!own.length) {
      children.forEach((child) => this.merge(child, sent, target, known, place));
      return;
    }
    const inner = asObject(get(target, own));
    children.forEach((child) => this.merge(child, asObject(value), inner, get(asObject(known), own), path));
    set(target, own, inner);
  }

  private items(field: Field, sent: unknown, known: unknown, path: Path): unknown {
    const standing = Array.isArray(known) ? known : Array.from({ length: field.defaultRepetitions ?? 1 }, () => ({}));
    // Without a form control to add or remove items, their number and what else they hold is the case's.
    const fixed = !field.allowAddRemove || isFixed(field);
    if (sent === undefined && fixed) return known;
    const list = sent === undefined || sent === null ? [] : sent;
    if (!Array.isArray(list) || !list.every(isObject) || (fixed && list.length !== standing.length)) {
      this.problem(path, [say("invalid")]);
      return known;
    }
    return list.map((item, index) => {
      const target = fixed ? clone(asObject(standing[index])) : {};
      (field.components ?? []).forEach((child) => this.merge(child, item, target, standing[index], [...path, index]));
      return target;
    });
  }

  /** Fields that turned out read-only keep the case's value; true where that changed something. */
  private lock(): boolean {
    const keyed = (instances.getAllKeyed() as Instance[]).map(({ id, valuePath, expressionContextInfo }) =>
      this.locks(registry.get(id), valuePath, expressionContextInfo),
    );
    const lists = this.repeaters.map(({ field, path, scope }) => this.locks(field, path, scope));
    return [...keyed, ...lists].includes(true);
  }

  private locks({ readonly }: Field, path: Path, scope: Scope): boolean {
    const key = path.join("\0");
    if (typeof readonly !== "string" || this.locked.has(key)) return false;
    if (language.evaluateUnaryTest(readonly, buildExpressionContext(scope)) !== true) return false;
    this.locked.add(key);
    return true;
  }

  private judge(instance: Instance, value: unknown): void {
    const field: Field = registry.get(instance.id);
    if (field.disabled) return;
    const lost = this.lost(field, instance, value);
    const found = lost ? [lost] : [...ownProblems(field, value), ...validator.validateFieldInstance(instance, value)];
    if (found.length) this.problem(instance.valuePath, found);
  }

  /** Why a value that was sent did not survive: it is of the wrong type or not among the options. */
  private lost(field: Field, { valuePath, expressionContextInfo }: Instance, value: unknown): string | null {
    const sent = get(this.merged, valuePath);
    const isSent = !isEqual(sent, get(this.context, valuePath)) && field.type !== "expression";
    if (isSent && !isEmpty(sent)) {
      const isKept = !isEmpty(value) && (!Array.isArray(sent) || (value as unknown[]).length === sent.length);
      const isSame = field.type === "checkbox" ? typeof sent === "boolean" : isKept;
      if (!isSame) return field.type === "number" ? say("number") : say("invalid");
    }
    if (!field.valuesExpression || isEmpty(value)) return null;
    const options = runExpressionEvaluation(language, field.valuesExpression, expressionContextInfo);
    if (!Array.isArray(options)) return null;
    const allowed = options.map((option) => (isObject(option) ? option.value : option));
    const chosen = Array.isArray(value) ? value : [value];
    return chosen.every((each) => hasEqualValue(each, allowed)) ? null : say("invalid");
  }

  private problem(path: Path, found: string[]): void {
    const name = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
    this.problems[name.replace(/^\./, "")] = found;
  }
}

/** Make room for the fields: where one lies inside what the case holds as a text or a number, form-js would break. */
function fit(field: Field, target: Data): void {
  const config = fields.get(field.type)!.config;
  const own = pathOf(field, config);
  const inside = config.keyed || config.repeatable ? own.length - 1 : own.length;
  for (let length = 1; length <= inside; length++) {
    const place = own.slice(0, length);
    const value = get(target, place);
    if (value !== undefined && !isObject(value)) set(target, place, {});
  }
  if (config.keyed) return;
  const value = own.length ? get(target, own) : target;
  const children = field.components ?? [];
  if (config.repeatable && field.isRepeating) {
    if (!Array.isArray(value)) return;
    const items = value.map(asObject);
    items.forEach((item) => children.forEach((child) => fit(child, item)));
    set(target, own, items);
  } else if (isObject(value)) children.forEach((child) => fit(child, value));
}

function pathOf(field: Field, config: Config): string[] {
  return (config.keyed ? field.key : config.pathed ? field.path : "")?.split(".").filter(Boolean) ?? [];
}

function isEqual(one: unknown, other: unknown): boolean {
  return hasEqualValue(one, [other]);
}

function isFixed(field: Field): boolean {
  return field.disabled === true || field.readonly === true || field.type === "expression";
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Data {
  return isObject(value) ? value : {};
}

function jsonOf(value: unknown): unknown {
  const text = JSON.stringify(value ?? null);
  return text === undefined ? null : JSON.parse(text);
}
