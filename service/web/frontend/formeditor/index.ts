/* The form editor of the workshop, with a preview that is the form people will fill in. */
import "../workshop/csp";
import "../workshop/workshop.css";
import "@bpmn-io/form-js-editor/dist/assets/form-js-editor.css";
import "@bpmn-io/form-js-editor/dist/assets/properties-panel.css";
import "@bpmn-io/form-js-viewer/dist/assets/form-js.css";
import "../form/form.css";
import "./formeditor.css";
import { FormEditor } from "@bpmn-io/form-js-editor";
import { commentBy, Keeper } from "../workshop/keeper";
import { Findings } from "../workshop/findings";
import { fetchFile, findEditor, switchPanes, type Editor } from "../workshop/input";
import { isChinese } from "../page/words";
import { replaceWords } from "../workshop/words_in_place";
import { say } from "../workshop/words";
import { ComponentsModule } from "./components";
import { Preview } from "./preview";
import { WORDS } from "./zh";

const editor = findEditor();
if (editor) void open(editor);

async function open(editor: Editor): Promise<void> {
  const { box, canvas, panel, input } = editor;
  switchPanes(box);
  if (isChinese) replaceWords(box, WORDS, ".canvas-form, .panel");
  try {
    const file = await fetchFile(input.urls.raw);
    const form: any = new FormEditor({
      container: canvas,
      properties: { parent: panel },
      propertiesPanel: { parent: panel },
      additionalModules: [ComponentsModule],
    } as any);
    let original = "";
    let indent = 2;
    const load = async (text: string) => {
      original = text;
      indent = /^\{\r?\n( +|\t)/.exec(text)?.[1].length ?? 2;
      await form.importSchema(JSON.parse(text));
      clean = true;
    };
    let clean = true;
    // An untouched form stays as it is, byte for byte.
    const read = () => (clean ? original : `${JSON.stringify(form.saveSchema(), null, indent)}\n`);
    const keeper = new Keeper(box, input, read, load);
    const findings = new Findings(box, input.urls.check, input.urls.edit, input.path, async () => ({ [input.path]: read() }), {
      show: (finding) => finding.element && select(form, finding.element),
    });
    await load(keeper.begin(file.text, file.sha256));
    form.on("changed", () => {
      clean = false;
      keeper.changed();
      findings.soon();
    });
    wire(box, form, keeper, new Preview(box, () => form.saveSchema(), input.urls, () => ({ [input.path]: read() })));
    (window as any).guoheForm = form;
    box.removeAttribute("aria-busy");
    void findings.now();
  } catch (problem) {
    box.removeAttribute("aria-busy");
    canvas.textContent = say("broken", { reason: (problem as Error).message });
    canvas.classList.add("is-broken");
  }
}

function select(form: any, id: string): void {
  const field = form.get("formFieldRegistry").get(id);
  if (field) form.get("selection").set(field);
}

function wire(box: HTMLElement, form: any, keeper: Keeper, preview: Preview): void {
  const stack = form.get("commandStack");
  const acts: Record<string, () => void> = {
    undo: () => stack.undo(),
    redo: () => stack.redo(),
    comment: () => commentBy(keeper),
  };
  for (const button of box.querySelectorAll<HTMLButtonElement>("[data-act]")) {
    const act = acts[button.dataset.act!];
    if (act) button.addEventListener("click", act);
  }
  const refresh = () => {
    box.querySelector<HTMLButtonElement>('[data-act="undo"]')!.disabled = !stack.canUndo();
    box.querySelector<HTMLButtonElement>('[data-act="redo"]')!.disabled = !stack.canRedo();
  };
  form.on("commandStack.changed", refresh);
  form.on("changed", refresh);
  refresh();
  const views = [...box.querySelectorAll<HTMLButtonElement>("[data-view]")];
  for (const button of views) {
    button.addEventListener("click", () => {
      for (const other of views) other.setAttribute("aria-pressed", String(other === button));
      preview.show(button.dataset.view === "preview");
    });
  }
}
