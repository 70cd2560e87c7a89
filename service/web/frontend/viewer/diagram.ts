import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { say } from "../page/words";
import { mark, type Marks } from "./marks";

interface Answer {
  xml: string;
  marks: Marks;
}

/** Draw the diagram a [data-diagram] box names and mark where the case is. */
export async function show(box: HTMLElement): Promise<void> {
  const place = box.querySelector<HTMLElement>("[data-diagram-place]")!;
  try {
    const answer = await fetch(box.dataset.diagram!, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const { xml, marks } = (await answer.json()) as Answer;
    place.replaceChildren();
    const viewer = new NavigatedViewer({ container: place });
    await viewer.importXML(xml);
    mark(viewer, marks);
    move(viewer, box, place);
  } catch (problem) {
    place.textContent = say(/no diagram/.test(String(problem)) ? "noPicture" : "diagramFailed");
    place.classList.add("is-broken");
  } finally {
    box.removeAttribute("aria-busy");
  }
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
