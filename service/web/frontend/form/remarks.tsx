import type { FieldComponent, FieldProps } from "@bpmn-io/form-js-viewer";
import { useEffect } from "preact/hooks";
import { say } from "../page/words";

/** Told by a field of a form that is only read: this one shall be changed. */
export interface Naming {
  values: Record<string, string>;
  name(value: string, label: string): void;
}

/** Show at a field what a reviewer asked for, and let a reviewer name it. */
function withRemark(Field: FieldComponent, naming: Naming | null): FieldComponent {
  function Remarked(props: FieldProps) {
    const { field, domId } = props;
    const remark: string | undefined = field.remark;
    const value = naming?.values[field.id];
    useEffect(() => {
      if (!remark) return;
      const input = document.getElementById(domId);
      const described = input?.getAttribute("aria-describedby") ?? "";
      if (input && !described.includes(`${domId}-remark`)) input.setAttribute("aria-describedby", `${domId}-remark ${described}`.trim());
    });
    if (remark === undefined && value === undefined) return <Field {...props} />;
    return (
      <div class={remark === undefined ? "gh-nameable" : "gh-remarked"} data-remark={remark === undefined ? undefined : field.id}>
        {remark !== undefined && (
          <p class="gh-remark" id={`${domId}-remark`}>
            <strong>{say("asked")}</strong> {remark || say("askedPlainly")}
          </p>
        )}
        {value !== undefined && (
          <button type="button" class="gh-name" onClick={() => naming!.name(value, field.label ?? field.dateLabel ?? field.key)}>
            {say("nameField")}
            <span class="visually-hidden"> {field.label ?? field.dateLabel ?? field.key}</span>
          </button>
        )}
        <Field {...props} />
      </div>
    );
  }
  Remarked.config = Field.config;
  return Remarked as unknown as FieldComponent;
}

/** Wrap every field type that form-js knows by now; list this module last. */
export function remarksModule(naming: Naming | null): Record<string, unknown> {
  class Remarks {
    static $inject = ["formFields"];

    constructor(formFields: { _formFields: Record<string, FieldComponent>; register(type: string, field: FieldComponent): void }) {
      for (const [type, field] of Object.entries({ ...formFields._formFields })) {
        if (field.config?.keyed || field.config?.repeatable) formFields.register(type, withRemark(field, naming));
      }
    }
  }
  return { __init__: ["remarks"], remarks: ["type", Remarks] };
}
