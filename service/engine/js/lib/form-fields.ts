/** Our own field types and rules: the twins of `service/web/frontend/form/{attachments,dates}.tsx`. */
import { type Config, Datetime, type Field } from "@bpmn-io/form-js-viewer";

import { say } from "./form-sentences";

class OwnFields {
  static $inject = ["formFields"];

  constructor(formFields: { register(type: string, field: { config: Config }): void }) {
    formFields.register("attachments", {
      config: {
        type: "attachments",
        keyed: true,
        emptyValue: [],
        sanitizeValue: ({ value }) => (Array.isArray(value) ? value : []),
        create: (options = {}) => ({ ...options }),
      },
    });
    const { sanitizeValue } = Datetime.config;
    formFields.register("datetime", {
      config: {
        ...Datetime.config,
        // What was typed stays, even where it is no day; the rule below says so.
        sanitizeValue: (options) =>
          isDay(options.formField) ? (typeof options.value === "string" ? options.value : null) : sanitizeValue!(options),
      },
    });
  }
}

export const fieldsModule = { __init__: ["ownFields"], ownFields: ["type", OwnFields] };

/** What is wrong with a value beyond form-js's own rules. */
export function ownProblems(field: Field, value: unknown): string[] {
  if (isDay(field) && typeof value === "string" && value && !isDate(value)) return [say("dateFormat")];
  return field.type === "attachments" ? fileProblems(field, value as unknown[]) : [];
}

function isDay(field: Field): boolean {
  return field.type === "datetime" && (!field.subtype || field.subtype === "date");
}

function isDate(text: string): boolean {
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return date !== null && !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
}

function fileProblems(field: Field, files: unknown[]): string[] {
  if (!files.every(isFile) || new Set((files as StoredFile[]).map(({ id }) => id)).size < files.length) {
    return [say("files")];
  }
  const most = field.multiple === false ? 1 : (field.maxFiles ?? Infinity);
  const least = Number(field.validate?.minFiles ?? 0);
  if (files.length > most) return [say("tooMany", { count: most })];
  if (files.length && files.length < least) return [say("tooFew", { count: least })];
  const types = (field.accept ?? "").split(",").map((type) => type.trim().toLowerCase()).filter(Boolean);
  const wrong = types.length
    ? (files as StoredFile[]).find(({ name }) => !types.includes(/\.[^.]+$/.exec(name.toLowerCase())?.[0] ?? ""))
    : undefined;
  return wrong ? [say("wrongType", { name: wrong.name, types: types.join(" ") })] : [];
}

type StoredFile = { id: number; name: string; size: number };

function isFile(value: unknown): value is StoredFile {
  const file = value as StoredFile;
  return (
    typeof file === "object" &&
    file !== null &&
    Number.isSafeInteger(file.id) &&
    file.id > 0 &&
    typeof file.name === "string" &&
    file.name !== "" &&
    Number.isSafeInteger(file.size) &&
    file.size >= 0
  );
}
