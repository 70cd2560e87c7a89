/* form-js-viewer ships its own types for the outside; these are the inner parts we touch. */
declare module "@bpmn-io/form-js-viewer" {
  import type { ComponentChildren, FunctionComponent } from "preact";

  export interface State {
    data: Record<string, unknown>;
    errors: Record<string, unknown>;
    schema: unknown;
  }
  export class Form {
    constructor(options: Record<string, unknown>);
    importSchema(schema: unknown, data: Record<string, unknown>): Promise<{ warnings: Error[] }>;
    validate(): Record<string, unknown>;
    get<T>(service: string, strict?: boolean): T;
    on(event: string, listener: (event: any) => void): void;
    destroy(): void;
    _getState(): State;
    _setState(state: Partial<State>): void;
    _getSubmitData(): Record<string, unknown>;
  }
  export const Label: FunctionComponent<{
    htmlFor?: string;
    id?: string;
    label?: string;
    required?: boolean;
    class?: string;
    children?: ComponentChildren;
  }>;
  export const Description: FunctionComponent<{ id: string; description?: string }>;
  export const Errors: FunctionComponent<{ id: string; errors: string[] }>;
  export const Datetime: FieldComponent;

  export interface FieldProps {
    field: any;
    domId: string;
    value: any;
    errors: string[];
    disabled: boolean;
    readonly: boolean;
    onChange(update: { value: unknown }): void;
    onBlur(): void;
    onFocus(): void;
  }
  export type FieldComponent = FunctionComponent<FieldProps> & { config: Record<string, any> };
}
