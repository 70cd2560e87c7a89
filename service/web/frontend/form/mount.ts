import { Form } from "@bpmn-io/form-js-viewer";
import { clock, say } from "../page/words";
import { attachmentsModule } from "./attachments";
import { DateFieldsModule } from "./dates";
import { showConflicts } from "./conflicts";
import { Draft } from "./draft";
import { ownedNames, type Conflict, type FormInput, type Schema, type Values } from "./input";
import { localise } from "./localise";
import { namingFor, placed, takeNames } from "./naming";
import { byFieldId, goTo, showProblems } from "./problems";
import { remarksModule } from "./remarks";
import { TranslateModule } from "./translate";
import { uploadsRunning } from "./upload";

/** Show the form a page describes in its [data-form] box, and send it with the box's own HTML form. */
export async function mount(box: HTMLElement): Promise<void> {
  const input: FormInput = JSON.parse(box.querySelector("[data-form-input]")!.textContent!);
  const place = box.querySelector<HTMLElement>("[data-form-place]")!;
  const kept = input.readOnly ? null : Draft.newest(input);
  const form = new Form({
    container: place,
    // What is typed must be in the data at once: a click on "submit" right after typing counts.
    debounce: false,
    properties: { readOnly: input.readOnly, ariaLabel: box.getAttribute("aria-label") },
    additionalModules: [TranslateModule, attachmentsModule(input.files), DateFieldsModule, remarksModule(namingFor(box, input))],
  });
  try {
    await form.importSchema(input.schema, { ...input.values, ...kept?.values });
  } catch (problem) {
    place.textContent = say("formBroken", { reason: (problem as Error).message });
    return;
  } finally {
    box.removeAttribute("aria-busy");
    box.querySelector("[data-form-wait]")?.remove();
  }
  localise(place);
  letShowAll(box);
  if (!input.readOnly) fill(box, form, input, kept?.savedAt);
}

function fill(box: HTMLElement, form: Form, input: FormInput, restoredAt: string | undefined): void {
  const owned = ownedNames(input.schema);
  const place = box.querySelector<HTMLElement>("[data-form-place]")!;
  const sender = document.querySelector<HTMLFormElement>(`form[data-sends="${box.id}"]`)!;
  const problems = box.querySelector<HTMLElement>("[data-form-problems]")!;
  const status = document.querySelector<HTMLElement>(`[data-draft-status="${box.id}"]`);
  const typed = (): Values => Object.fromEntries(Object.entries(form._getState().data).filter(([name]) => owned.has(name)));
  const tell = (sentence: string) => status && (status.textContent = sentence);
  const opened = Object.fromEntries(Object.entries(input.values).filter(([name]) => owned.has(name)));
  const clash = box.querySelector<HTMLElement>("[data-form-conflicts]");
  const adopt = (values: Values) => form._setState({ data: { ...form._getState().data, ...values } });
  const settle = (conflicts: Conflict[]) =>
    clash && showConflicts(clash, conflicts, (one) => adopt(placedAt(form._getState().data, one.path, one.theirs)));
  const draft =
    input.draft &&
    new Draft(input, tell, typed(), opened, ({ values, conflicts }) => {
      if (values) {
        adopt(values);
        tell(say("mergedIn"));
      }
      settle(conflicts);
    });
  if (restoredAt && input.draft) settle(input.draft.conflicts);

  if (Object.keys(input.errors).length) {
    form._setState({ errors: byFieldId(input.schema, input.errors) });
    afterDrawing(() => showProblems(problems, place));
  }
  takeNames(box, input.schema, { get: () => form._getState().data, set: (data) => form._setState({ data }) }, (sentence) => {
    if (status) status.textContent = sentence;
  });
  leadToRemarks(box, input.schema);
  if (restoredAt) offerToDiscard(box, draft!, restoredAt);
  form.on("changed", () => {
    draft?.changed(typed());
    // Once told what is wrong, the reader sees the list shrink while they put it right.
    if (!problems.hidden) afterDrawing(() => showProblems(problems, place));
  });
  form.on("submit", () => sender.requestSubmit());
  window.addEventListener("pageshow", (event) => event.persisted && draft?.resume());

  sender.addEventListener(
    "submit",
    (event) => {
      // A button that does something else with the chosen tasks asks nothing of the form.
      if (sender.dataset.sent || (event as SubmitEvent).submitter?.hasAttribute("data-plain")) return;
      const stop = () => {
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      if (uploadsRunning()) {
        stop();
        if (status) status.textContent = say("uploadsRunning");
        return;
      }
      form.validate();
      if (Object.keys(form._getState().errors).length) {
        stop();
        afterDrawing(() => {
          showProblems(problems, place);
          const first = place.querySelector<HTMLElement>(".fjs-has-errors");
          if (first) goTo(first);
        });
        return;
      }
      const values = form._getSubmitData();
      sender.querySelector<HTMLInputElement>('[name="values"]')!.value = JSON.stringify(values);
      draft?.submitting(typed());
    },
    { capture: true },
  );
}

/** The data with another value at a path; only the variable that changes. */
function placedAt(data: Values, path: string, value: unknown): Values {
  const [first, ...rest] = path.split(".");
  if (!rest.length) return { [first]: value };
  const inner = structuredClone((data[first] ?? {}) as Values);
  let place = inner;
  for (const part of rest.slice(0, -1)) place = (place[part] ??= {}) as Values;
  place[rest.at(-1)!] = value;
  return { [first]: inner };
}

/** form-js draws in its own time: what it draws now is in the page after the next frame. */
function afterDrawing(act: () => void): void {
  requestAnimationFrame(() => setTimeout(act));
}

/** A form whose changes stand above it shows only what is to be decided, until somebody asks for the rest. */
function letShowAll(box: HTMLElement): void {
  const button = document.querySelector<HTMLButtonElement>(`button[data-brief-for="${box.id}"]`);
  button?.addEventListener("click", () => {
    const brief = box.classList.toggle("is-brief");
    button.setAttribute("aria-pressed", String(!brief));
  });
}

/** From the list above the form to the field itself. */
function leadToRemarks(box: HTMLElement, schema: Schema): void {
  const ids = new Map([...placed(schema, "")].map(({ id, path }) => [path, id]));
  for (const link of box.querySelectorAll<HTMLAnchorElement>("a[data-to-field]")) {
    link.addEventListener("click", (event) => {
      const field = box.querySelector<HTMLElement>(`[data-remark="${ids.get(link.dataset.toField!)}"]`);
      if (!field) return;
      event.preventDefault();
      goTo(field);
    });
  }
}

function offerToDiscard(box: HTMLElement, draft: Draft, savedAt: string): void {
  const notice = box.querySelector<HTMLElement>("[data-draft-restored]");
  if (!notice) return;
  notice.hidden = false;
  const moment = new Date(savedAt);
  const day = moment.toLocaleDateString(document.documentElement.lang, { month: "long", day: "numeric" });
  notice.querySelector("time")!.textContent = `${day} ${clock(moment)}`;
  notice.querySelector("button")!.addEventListener("click", async () => {
    await draft.discard();
    location.reload();
  });
}
