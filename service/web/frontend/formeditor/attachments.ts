/**
 * The component `attachments` as the form editor shows it. The editor carries its own older viewer and preact, so it
 * gets a picture of the component here; people fill in the real one (frontend/form/attachments.tsx).
 */
import { isChinese } from "../page/words";

const say = (zh: string, en: string) => (isChinese ? zh : en);

/* The vnodes are made by the editor's own preact: see index.ts. */
export function attachmentsField(h: (type: string, props: unknown, ...children: unknown[]) => unknown) {
  function Attachments({ field, disabled }: { field: any; disabled: boolean }) {
    const required = field.validate?.required;
    return h(
      "div",
      { class: "fjs-form-field fjs-form-field-attachments" },
      h("label", { class: "fjs-form-field-label" }, field.label, required ? h("span", { class: "fjs-asterix" }, "*") : null),
      h(
        "div",
        { class: "gh-files-sample", "aria-disabled": String(disabled) },
        h("span", { class: "gh-files-sample-button" }, say("选择文件", "Choose files")),
        h("span", null, [field.accept, field.maxFiles ? say(`最多 ${field.maxFiles} 个`, `${field.maxFiles} at most`) : ""].filter(Boolean).join(" · ")),
      ),
      field.description ? h("div", { class: "fjs-form-field-description" }, field.description) : null,
    );
  }
  Attachments.config = {
    type: "attachments",
    keyed: true,
    name: say("附件", "Attachments"),
    label: say("附件", "Attachments"),
    icon: () =>
      h(
        "svg",
        { width: 54, height: 54, viewBox: "0 0 54 54", fill: "none", stroke: "currentColor", "stroke-width": 2 },
        h("path", { transform: "translate(8 9) scale(0.7)", d: "M34 22 24.5 31.5a4 4 0 0 0 5.7 5.7L41 26.4a7 7 0 0 0-9.9-9.9L19.6 28a10 10 0 0 0 14.1 14.1L42 34" }),
      ),
    group: "basic-input",
    emptyValue: [],
    propertiesPanelEntries: ["key", "label", "description", "disabled", "readonly", "required"],
    create: (options = {}) => ({ label: say("附件", "Attachments"), ...options }),
  };
  return Attachments;
}
