/* The editor for decision tables and their requirements. */
import "../workshop/csp";
import "../workshop/workshop.css";
import "dmn-js/dist/assets/diagram-js.css";
import "dmn-js/dist/assets/dmn-js-shared.css";
import "dmn-js/dist/assets/dmn-js-drd.css";
import "dmn-js/dist/assets/dmn-js-decision-table.css";
import "dmn-js/dist/assets/dmn-js-decision-table-controls.css";
import "dmn-js/dist/assets/dmn-js-literal-expression.css";
import "dmn-js/dist/assets/dmn-js-boxed-expression.css";
import "dmn-js/dist/assets/dmn-js-boxed-expression-controls.css";
import "dmn-js/dist/assets/dmn-font/css/dmn.css";
import "./dmn.css";
import DmnModeler from "dmn-js/lib/Modeler";
import { commentBy, Keeper } from "../workshop/keeper";
import { Findings, type Finding } from "../workshop/findings";
import { fetchFile, findEditor, switchPanes, type Editor } from "../workshop/input";
import { isChinese } from "../page/words";
import { say } from "../workshop/words";
import { replaceWords } from "../workshop/words_in_place";
import { TranslateModule } from "./translate";
import { IN_PLACE } from "./zh";

const editor = findEditor();
if (editor) void open(editor);

async function open(editor: Editor): Promise<void> {
  const { box, canvas, input } = editor;
  switchPanes(box);
  if (isChinese) replaceWords(canvas, IN_PLACE, ".canvas-dmn");
  try {
    const file = await fetchFile(input.urls.raw);
    const modules = { additionalModules: [TranslateModule] };
    const modeler: any = new DmnModeler({
      container: canvas,
      common: { expressionLanguages: { options: [{ value: "feel", label: "FEEL" }], defaults: { editor: "feel" } } },
      drd: modules,
      decisionTable: modules,
      literalExpression: modules,
      boxedExpression: modules,
    } as any);
    let original = "";
    let clean = true;
    const load = async (text: string) => {
      original = text;
      await modeler.importXML(text);
      clean = true;
      const table = modeler.getViews().find((one: any) => one.type === "decisionTable");
      if (table && modeler.getViews().length <= 2) await modeler.open(table);
    };
    const read = async () => (clean ? original : (await modeler.saveXML({ format: true })).xml);
    const keeper = new Keeper(box, input, read, load);
    let found: Finding[] = [];
    const findings = new Findings(
      box,
      input.urls.check,
      input.urls.edit,
      input.path,
      async () => ({ [input.path]: await read() }),
      { show: (finding) => void show(modeler, canvas, finding) },
      (all) => {
        found = all.filter((one) => one.file === input.path);
        mark(canvas, found);
      },
    );
    const watched = new WeakSet();
    modeler.on("views.changed", ({ activeView }: any) => {
      views(box, modeler);
      const viewer = modeler.getActiveViewer();
      if (viewer && activeView && !watched.has(viewer)) {
        watched.add(viewer);
        viewer.on("commandStack.changed", () => {
          clean = false;
          keeper.changed();
          findings.soon();
          refresh(box, modeler);
        });
      }
      refresh(box, modeler);
      requestAnimationFrame(() => mark(canvas, found));
    });
    await load(keeper.begin(file.text, file.sha256));
    new MutationObserver(() => mark(canvas, found)).observe(canvas, { childList: true, subtree: true });
    wire(box, modeler, keeper);
    (window as any).guoheDmn = modeler;
    box.removeAttribute("aria-busy");
    void findings.now();
  } catch (problem) {
    box.removeAttribute("aria-busy");
    canvas.textContent = say("broken", { reason: (problem as Error).message });
    canvas.classList.add("is-broken");
  }
}

/** One button a view: the requirements, and every table. */
function views(box: HTMLElement, modeler: any): void {
  const row = box.querySelector("[data-views]")!;
  const active = modeler.getActiveView();
  row.replaceChildren(
    ...modeler.getViews().map((view: any) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-quiet btn-s";
      button.setAttribute("aria-pressed", String(active?.element === view.element));
      button.textContent = view.type === "drd" ? (isChinese ? "决策关系图" : "Requirements") : view.element.name || view.element.id;
      button.addEventListener("click", () => void modeler.open(view));
      return button;
    }),
  );
}

function refresh(box: HTMLElement, modeler: any): void {
  const stack = modeler.getActiveViewer()?.get("commandStack", false);
  box.querySelector<HTMLButtonElement>('[data-act="undo"]')!.disabled = !stack?.canUndo();
  box.querySelector<HTMLButtonElement>('[data-act="redo"]')!.disabled = !stack?.canRedo();
}

function wire(box: HTMLElement, modeler: any, keeper: Keeper): void {
  const stack = () => modeler.getActiveViewer()?.get("commandStack", false);
  const acts: Record<string, () => void> = {
    undo: () => stack()?.undo(),
    redo: () => stack()?.redo(),
    comment: () => commentBy(keeper),
  };
  for (const button of box.querySelectorAll<HTMLButtonElement>("[data-act]")) {
    const act = acts[button.dataset.act!];
    if (act) button.addEventListener("click", act);
  }
}

/** Show a finding at its cell or row. */
function mark(canvas: HTMLElement, found: Finding[]): void {
  for (const cell of canvas.querySelectorAll(".gh-cell-error, .gh-cell-warning, .gh-cell-info")) {
    const id = cell.getAttribute("data-element-id") ?? cell.getAttribute("data-col-id");
    if (!found.some((one) => one.element === id)) {
      cell.classList.remove("gh-cell-error", "gh-cell-warning", "gh-cell-info");
      cell.removeAttribute("title");
    }
  }
  for (const one of found) {
    if (!one.element) continue;
    const id = CSS.escape(one.element);
    // The head of a column is known by the column alone.
    for (const cell of canvas.querySelectorAll(`[data-element-id="${id}"], th[data-col-id="${id}"]`)) {
      const name = `gh-cell-${one.severity}`;
      if (!cell.classList.contains(name)) {
        cell.classList.add(name);
        cell.setAttribute("title", `${one.text} ${one.fix}`);
      }
    }
  }
}

async function show(modeler: any, canvas: HTMLElement, finding: Finding): Promise<void> {
  for (const view of modeler.getViews()) {
    if (view.type !== "drd" && holds(view.element, finding.element!)) {
      if (modeler.getActiveView()?.element !== view.element) await modeler.open(view);
      const cell = canvas.querySelector<HTMLElement>(`[data-element-id="${CSS.escape(finding.element!)}"]`);
      cell?.scrollIntoView({ block: "center", inline: "center" });
      cell?.click();
      return;
    }
  }
}

function holds(decision: any, id: string): boolean {
  const table = decision.decisionLogic ?? {};
  const all = [decision, table, ...(table.input ?? []), ...(table.output ?? []), ...(table.rule ?? [])];
  for (const rule of table.rule ?? []) all.push(...(rule.inputEntry ?? []), ...(rule.outputEntry ?? []));
  return all.some((one: any) => one.id === id);
}
