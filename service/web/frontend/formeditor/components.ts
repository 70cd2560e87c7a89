import { h } from "preact";
import { isChinese } from "../page/words";
import { attachmentsField } from "./attachments";
import { COMPONENTS } from "./zh";

/** What this form editor offers: form-js's components by their Chinese names, and our attachments. */
class Components {
  static $inject = ["formFields", "propertiesPanel"];

  constructor(formFields: any, propertiesPanel: any) {
    formFields.register("attachments", attachmentsField(h as any));
    if (isChinese) {
      for (const [type, field] of Object.entries<any>(formFields._formFields)) {
        if (COMPONENTS[type]) field.config.label = field.config.name = COMPONENTS[type];
      }
    }
    // Files go through attachments; the rest of these cannot be filled in or shown by our pages.
    for (const type of ["filepicker", "documentPreview", "iframe"]) delete formFields._formFields[type];
    propertiesPanel.registerProvider(new AttachmentProperties(), 400);
  }
}

/** The properties that only attachments have. */
class AttachmentProperties {
  getGroups(field: any, editField: (field: any, path: any, value: unknown) => void) {
    return (groups: any[]) => {
      if (field?.type !== "attachments") return groups;
      const general = groups.findIndex((one) => one.id === "general");
      const say = (zh: string, en: string) => (isChinese ? zh : en);
      const entry = (id: string, label: string, path: string[], number: boolean, hint?: string) => ({
        id,
        component: () => textEntry({ id, label, hint, field, path, number, editField }),
        isEdited: () => get(field, path) !== undefined,
        editField,
        field,
      });
      groups.splice(general + 1, 0, {
        id: "attachments",
        label: say("附件要求", "What may be attached"),
        entries: [
          entry("attachments-accept", say("允许的类型", "Types"), ["accept"], false, ".pdf,.docx,.jpg"),
          entry("attachments-least", say("至少几个", "At least"), ["validate", "minFiles"], true),
          entry("attachments-most", say("最多几个", "At most"), ["maxFiles"], true),
        ],
      });
      return groups;
    };
  }
}

interface Entry {
  id: string;
  label: string;
  hint?: string;
  field: any;
  path: string[];
  number: boolean;
  editField: (field: any, path: any, value: unknown) => void;
}

function textEntry({ id, label, hint, field, path, number, editField }: Entry): unknown {
  const change = (event: Event) => {
    const typed = (event.target as HTMLInputElement).value.trim();
    const value = typed === "" ? undefined : number ? Number(typed) : typed;
    if (path.length === 2) editField(field, [path[0]], { ...field[path[0]], [path[1]]: value });
    else editField(field, path, value);
  };
  return h(
    "div",
    { class: "bio-properties-panel-entry", "data-entry-id": id },
    h(
      "div",
      { class: "bio-properties-panel-textfield" },
      h("label", { class: "bio-properties-panel-label", for: `bio-properties-panel-${id}` }, label),
      h("input", {
        id: `bio-properties-panel-${id}`,
        class: "bio-properties-panel-input",
        type: number ? "number" : "text",
        min: number ? 0 : undefined,
        placeholder: hint,
        value: get(field, path) ?? "",
        onChange: change,
      } as any),
    ),
  );
}

function get(field: any, path: string[]): unknown {
  return path.reduce((value, key) => value?.[key], field);
}

export const ComponentsModule = { __init__: ["guoheComponents"], guoheComponents: ["type", Components] };
