/* The diagram editor of the workshop. */
import "../workshop/csp";
import "../workshop/workshop.css";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import "@bpmn-io/properties-panel/dist/assets/properties-panel.css";
import "bpmn-js-element-templates/dist/assets/element-templates.css";
import "bpmn-js-bpmnlint/dist/assets/css/bpmn-js-bpmnlint.css";
import "bpmn-js-token-simulation/assets/css/bpmn-js-token-simulation.css";
import "bpmn-js-color-picker/colors/color-picker.css";
import "diagram-js-minimap/assets/diagram-js-minimap.css";
import "./modeler.css";
import { commentBy, Keeper } from "../workshop/keeper";
import { Findings } from "../workshop/findings";
import { fetchFile, findEditor, switchPanes, type Editor } from "../workshop/input";
import { isChinese } from "../page/words";
import { showSources } from "../viewer/provenance";
import { say } from "../workshop/words";
import { replaceWords } from "../workshop/words_in_place";
import { loadContext } from "./context";
import { makeModeler } from "./make";
import { playPath } from "./play";
import { beginInSight, bringIntoSight, searchAsTyped } from "./view";
import { IN_PLACE } from "./zh";

const editor = findEditor();
if (editor) void open(editor);

async function open(editor: Editor): Promise<void> {
  const { box, canvas, panel, input } = editor;
  switchPanes(box);
  if (isChinese) replaceWords(box, IN_PLACE, ".canvas, .panel");
  try {
    const [file, context] = await Promise.all([fetchFile(input.urls.raw), loadContext(input.urls, input.path)]);
    const modeler = makeModeler(canvas, panel!, context);
    const load = async (text: string) => {
      await modeler.importXML(text);
      showSources(modeler);
      beginInSight(modeler);
    };
    const read = async () => (await modeler.saveXML({ format: true })).xml!;
    const keeper = new Keeper(box, input, read, load);
    const findings = new Findings(
      box,
      input.urls.check,
      input.urls.edit,
      input.path,
      async () => ({ [input.path]: await read() }),
      {
        show: (finding) => select(modeler, finding.element!),
        play: (finding) => void playPath(modeler, finding),
      },
      (found) => modeler.get("linting").show(found.filter((one) => one.file === input.path)),
    );
    await load(keeper.begin(file.text, file.sha256));
    modeler.on("commandStack.changed", () => {
      showSources(modeler);
      keeper.changed();
      findings.soon();
    });
    wire(box, modeler, keeper);
    searchAsTyped(modeler, canvas);
    if (location.hash.length > 1) {
      // The panel listens to selections once it has been drawn.
      await new Promise((drawn) => setTimeout(drawn, 50));
      select(modeler, decodeURIComponent(location.hash.slice(1)));
    }
    window.addEventListener("hashchange", () => select(modeler, decodeURIComponent(location.hash.slice(1))));
    (window as any).guoheModeler = modeler;
    box.removeAttribute("aria-busy");
    void findings.now();
  } catch (problem) {
    box.removeAttribute("aria-busy");
    canvas.textContent = say("broken", { reason: (problem as Error).message });
    canvas.classList.add("is-broken");
  }
}

/** Bring an element into view and select it. */
function select(modeler: any, id: string): void {
  const registry = modeler.get("elementRegistry");
  let element = registry.get(id);
  if (!element) {
    const root = modeler.get("canvas").getRootElement();
    const participant = registry.find((one: any) => one.businessObject?.processRef?.id === id);
    element = participant ?? (root.businessObject?.id === id ? root : null);
  }
  if (!element) return;
  bringIntoSight(modeler, element);
  modeler.get("selection").select(element);
}

function wire(box: HTMLElement, modeler: any, keeper: Keeper): void {
  const stack = modeler.get("commandStack");
  const buttons = new Map<string, HTMLButtonElement>();
  for (const button of box.querySelectorAll<HTMLButtonElement>("[data-act]")) buttons.set(button.dataset.act!, button);
  const acts: Record<string, () => void> = {
    undo: () => stack.undo(),
    redo: () => stack.redo(),
    // The pad closes at a click anywhere else, so it opens once this click is over.
    find: () => setTimeout(() => modeler.get("searchPad").toggle()),
    fit: () => modeler.get("canvas").zoom("fit-viewport", "auto"),
    comment: () => commentBy(keeper),
    simulate: () => modeler.get("toggleMode").toggleMode(),
  };
  for (const [name, button] of buttons) if (acts[name]) button.addEventListener("click", acts[name]);
  const refresh = () => {
    buttons.get("undo")!.disabled = !stack.canUndo();
    buttons.get("redo")!.disabled = !stack.canRedo();
  };
  modeler.on("commandStack.changed", refresh);
  modeler.on("import.done", refresh);
  refresh();
  modeler.on("tokenSimulation.toggleMode", ({ active }: { active: boolean }) => {
    const button = buttons.get("simulate")!;
    button.setAttribute("aria-pressed", String(active));
    button.textContent = say(active ? "endSimulation" : "simulate");
    box.classList.toggle("is-simulating", active);
  });
}
