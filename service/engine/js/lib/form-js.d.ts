/* form-js-viewer ships types for its outside; these are the inner parts the server's twin touches. */
declare module "@bpmn-io/form-js-viewer" {
  export interface Field {
    id: string;
    type: string;
    key?: string;
    path?: string;
    label?: string;
    subtype?: string;
    disabled?: boolean;
    readonly?: boolean | string;
    isRepeating?: boolean;
    allowAddRemove?: boolean;
    defaultRepetitions?: number;
    valuesExpression?: string;
    expression?: string;
    conditional?: { hide?: string };
    validate?: Record<string, unknown>;
    components?: Field[];
    accept?: string;
    multiple?: boolean | string;
    maxFiles?: number;
    [name: string]: unknown;
  }
  export interface Config {
    type: string;
    keyed?: boolean;
    pathed?: boolean;
    repeatable?: boolean;
    sanitizeValue?(options: { formField: Field; data: unknown; value: unknown }): unknown;
    [name: string]: unknown;
  }
  export class Form {
    constructor(options: Record<string, unknown>);
    clear(): void;
    get<T = any>(service: string): T;
    _getState(): { data: Data; initialData: Data; schema: Field };
    _setState(state: Record<string, unknown>): void;
    _getInitializedFieldData(data: Data): Data;
    _getSubmitData(): Data;
  }
  export type Data = Record<string, unknown>;
  export function buildExpressionContext(context: Scope): Data;
  export function runExpressionEvaluation(language: unknown, value: unknown, scope: Scope): unknown;
  export function hasEqualValue(value: unknown, values: unknown[]): boolean;
  export function clone<T>(data: T): T;
  export const Datetime: { config: Config };
  export interface Scope {
    data: unknown;
    this: unknown;
    parent: unknown;
    i: number[];
  }
}
