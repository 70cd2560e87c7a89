import { say } from "../page/words";
import type { Component, Schema } from "./input";

/** Server errors name fields by binding path ("budget.total", "partners[0].name"); form-js wants ids and indexes. */
export function byFieldId(schema: Schema, errors: Record<string, string[]>): Record<string, unknown> {
  const result: Record<string, any> = {};
  for (const [path, sentences] of Object.entries(errors)) {
    const found = locate(schema, path.replace(/\[(\d+)\]/g, ".$1").split("."));
    if (!found) continue;
    if (found.indexes.length === 0) result[found.id] = sentences;
    else {
      let place = (result[found.id] ??= []);
      for (const index of found.indexes.slice(0, -1)) place = place[index] ??= [];
      place[found.indexes.at(-1)!] = sentences;
    }
  }
  return result;
}

function locate(container: Component, parts: string[]): { id: string; indexes: number[] } | null {
  for (const field of container.components ?? []) {
    const binding = (field.key ?? field.path ?? "").split(".").filter(Boolean);
    if (!binding.every((part, place) => part === parts[place])) continue;
    let rest = parts.slice(binding.length);
    if (field.key && rest.length === 0) return { id: field.id!, indexes: [] };
    if (!field.components) continue;
    const indexes: number[] = [];
    if (rest.length && /^\d+$/.test(rest[0])) {
      indexes.push(Number(rest[0]));
      rest = rest.slice(1);
    }
    const found = locate(field, rest);
    if (found) return { id: found.id, indexes: [...indexes, ...found.indexes] };
  }
  return null;
}

const LISTED = 8;

/** Say above the form what is wrong and lead to each field; the first one gets the focus. */
export function showProblems(box: HTMLElement, form: HTMLElement): number {
  const fields = [...form.querySelectorAll<HTMLElement>(".fjs-has-errors")];
  box.replaceChildren();
  box.hidden = fields.length === 0;
  if (!fields.length) return 0;
  const title = document.createElement("p");
  title.textContent = say("problems", { count: fields.length });
  const list = document.createElement("ul");
  for (const field of fields.slice(0, LISTED)) list.append(item(field));
  if (fields.length > LISTED) {
    const more = document.createElement("li");
    more.textContent = say("moreProblems", { count: fields.length - LISTED });
    list.append(more);
  }
  const body = document.createElement("div");
  body.append(title, list);
  box.append(body);
  return fields.length;
}

function item(field: HTMLElement): HTMLLIElement {
  const target = firstInput(field);
  const label = field.querySelector(".fjs-label-content")?.firstChild?.textContent ?? "";
  const sentence = [...field.querySelectorAll(".fjs-form-field-error li")].map((line) => line.textContent).join(" ");
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = target?.id ? `#${target.id}` : "#";
  link.textContent = label;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(field);
  });
  line.append(link, `　${sentence}`);
  return line;
}

function firstInput(field: HTMLElement): HTMLElement | null {
  return field.querySelector<HTMLElement>("input:not([disabled]), textarea:not([disabled]), select:not([disabled]), button:not([disabled])");
}

/** Bring a field into view and put the cursor in it. */
export function goTo(field: HTMLElement): void {
  field.scrollIntoView({ block: "center" });
  firstInput(field)?.focus({ preventScroll: true });
}

