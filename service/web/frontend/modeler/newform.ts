import { csrfToken } from "../page/csrf";
import { say } from "../workshop/words";
import type { Context, Reference } from "./context";

/** Ask for a title and add a form of that name to the procedure that is open; null where nobody gave one. */
export async function makeForm(context: Context): Promise<Reference | null> {
  const title = window.prompt(say("formNewTitle"))?.trim().slice(0, 100);
  if (!title) return null;
  const procedure = context.path.split("/").slice(-2)[0] ?? "forms";
  const folder = `forms/${procedure}`;
  const id = freeId(procedure, context);
  const body = new FormData();
  for (const [name, value] of Object.entries({ csrf_token: csrfToken(), kind: ".form", name: id, folder, title })) {
    body.append(name, value);
  }
  const answer = await fetch(context.files, { method: "POST", headers: { Accept: "application/json" }, body });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    window.alert(say("formNotMade", { reason: problem.detail ?? String(answer.status) }));
    return null;
  }
  const made = { id, name: title, file: `${folder}/${id}.form` };
  context.forms.push(made);
  return made;
}

function freeId(procedure: string, context: Context): string {
  const stem = /^[A-Za-z]\w*$/.test(procedure) ? procedure : "form";
  let number = 1;
  while (context.forms.some((one) => one.id === `${stem}_form_${number}`)) number += 1;
  return `${stem}_form_${number}`;
}
