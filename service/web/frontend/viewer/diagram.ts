import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { isChinese, say } from "../page/words";
import { mark, type Marks } from "./marks";
import { showSources } from "./provenance";

interface Answer {
  xml: string;
  marks: Marks;
  /** Sentences to be read at elements. */
  notes?: Record<string, string>;
}

/** English words are longer than the boxes were drawn for. */
export const textRenderer = isChinese ? {} : { defaultStyle: { fontSize: 10 }, externalStyle: { fontSize: 10 } };

/** Draw the diagram a [data-diagram] box names and mark where the case is. */
export async function show(box: HTMLElement): Promise<void> {
  const place = box.querySelector<HTMLElement>("[data-diagram-place]")!;
  try {
    const answer = await fetch(box.dataset.diagram!, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { xml, marks, notes } = (await answer.json()) as Answer;
    place.replaceChildren();
    const viewer = new NavigatedViewer({ container: place, textRenderer });
    await viewer.importXML(xml);
    mark(viewer, marks, notes);
    showSources(viewer);
    move(viewer, box, place);
    look(viewer, marks);
  } catch (problem) {
    place.textContent = say(/no diagram/.test(String(problem)) ? "noPicture" : "diagramFailed");
    place.classList.add("is-broken");
  } finally {
    box.removeAttribute("aria-busy");
  }
}

const READABLE = 0.5;
const NEAR = 0.72;

/** A long procedure fitted into the window cannot be read: look at where the case is instead. */
function look(viewer: NavigatedViewer, marks: Marks): void {
  const canvas = viewer.get<any>("canvas");
  if (canvas.zoom() >= READABLE) return;
  const registry = viewer.get<any>("elementRegistry");
  const here = [...marks.incidents, ...marks.active, ...[...marks.done].reverse()].map((id) => registry.get(id)).find(Boolean);
  const { inner, outer } = canvas.viewbox();
  const width = outer.width / NEAR;
  const height = outer.height / NEAR;
  const clamp = (wanted: number, from: number, size: number, seen: number) =>
    size <= seen ? from - (seen - size) / 2 : Math.min(Math.max(wanted, from - 20), from + size - seen + 20);
  canvas.viewbox({
    x: clamp(here ? here.x + here.width / 2 - width / 2 : inner.x, inner.x, inner.width, width),
    y: clamp(here ? here.y + here.height / 2 - height / 2 : inner.y, inner.y, inner.height, height),
    width,
    height,
  });
}

/** Fit at first; then by the buttons, by the arrow keys, and by + - 0. */
function move(viewer: NavigatedViewer, box: HTMLElement, place: HTMLElement): void {
  const canvas = viewer.get<any>("canvas");
  const zoom = viewer.get<any>("zoomScroll");
  const fit = () => canvas.zoom("fit-viewport", "auto");
  const acts: Record<string, () => void> = {
    in: () => zoom.stepZoom(1),
    out: () => zoom.stepZoom(-1),
    fit,
    left: () => canvas.scroll({ dx: 80, dy: 0 }),
    right: () => canvas.scroll({ dx: -80, dy: 0 }),
    up: () => canvas.scroll({ dx: 0, dy: 80 }),
    down: () => canvas.scroll({ dx: 0, dy: -80 }),
  };
  const keys: Record<string, string> = {
    "+": "in",
    "=": "in",
    "-": "out",
    "0": "fit",
    ArrowLeft: "left",
    ArrowRight: "right",
    ArrowUp: "up",
    ArrowDown: "down",
  };
  for (const button of box.querySelectorAll<HTMLButtonElement>("[data-zoom]")) {
    button.addEventListener("click", () => acts[button.dataset.zoom!]());
  }
  place.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    acts[act]();
  });
  new ResizeObserver(() => canvas.resized()).observe(place);
  fit();
}
