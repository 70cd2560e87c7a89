import type { FieldProps } from "@bpmn-io/form-js-viewer";

/** The classes form-js gives a field, so that our own fields look and behave like its. */
export function fieldClasses(type: string, { errors, disabled, readonly }: Partial<FieldProps>): string {
  const names = ["fjs-form-field", `fjs-form-field-${type}`];
  if (errors?.length) names.push("fjs-has-errors");
  if (disabled) names.push("fjs-disabled");
  if (readonly) names.push("fjs-readonly");
  return names.join(" ");
}
