import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { say } from "../page/words";
import { textRenderer } from "../viewer/diagram";
import { mark, type Marks } from "../viewer/marks";
import { replay } from "./replay";

interface Answer {
  xml: string;
  marks: Marks;
  heat?: { element: string; share: number; text: string }[];
}

/** Draw the diagram a box names, with its marks, its heat, and its replay. */
export async function draw(box: HTMLElement): Promise<void> {
  const place = box.querySelector<HTMLElement>("[data-diagram-place]")!;
  try {
    const answer = await fetch(box.dataset.cockpitDiagram!, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = (await answer.json()) as Answer;
    place.replaceChildren();
    const viewer = new NavigatedViewer({ container: place, textRenderer });
    await viewer.importXML(found.xml);
    mark(viewer, found.marks);
    heat(viewer, found.heat ?? []);
    const canvas = viewer.get<any>("canvas");
    canvas.zoom("fit-viewport", "auto");
    keys(viewer, place);
    if (canvas.zoom() < 0.4) canvas.zoom(0.5);
    new ResizeObserver(() => canvas.resized()).observe(place);
    const frame = box.closest<HTMLElement>("[data-replay]");
    if (frame) void replay(frame, viewer);
    box.dispatchEvent(new CustomEvent("drawn", { bubbles: true, detail: viewer }));
  } catch {
    place.textContent = say("diagramFailed");
    place.classList.add("is-broken");
  } finally {
    box.removeAttribute("aria-busy");
  }
}

/** Five shades, and the number beside the element. */
function heat(viewer: NavigatedViewer, values: NonNullable<Answer["heat"]>): void {
  const canvas = viewer.get<any>("canvas");
  const registry = viewer.get<any>("elementRegistry");
  const overlays = viewer.get<any>("overlays");
  for (const one of values) {
    if (!registry.get(one.element)) continue;
    canvas.addMarker(one.element, `gh-heat-${Math.min(5, Math.max(1, Math.ceil(one.share * 5)))}`);
    const badge = document.createElement("span");
    badge.className = "gh-heat-badge";
    badge.textContent = one.text;
    overlays.add(one.element, { position: { top: -12, right: 20 }, html: badge });
  }
}

/** Scroll and zoom by the keyboard. */
function keys(viewer: NavigatedViewer, place: HTMLElement): void {
  const canvas = viewer.get<any>("canvas");
  const zoom = viewer.get<any>("zoomScroll");
  const acts: Record<string, () => void> = {
    "+": () => zoom.stepZoom(1),
    "=": () => zoom.stepZoom(1),
    "-": () => zoom.stepZoom(-1),
    "0": () => canvas.zoom("fit-viewport", "auto"),
    ArrowLeft: () => canvas.scroll({ dx: 80, dy: 0 }),
    ArrowRight: () => canvas.scroll({ dx: -80, dy: 0 }),
    ArrowUp: () => canvas.scroll({ dx: 0, dy: 80 }),
    ArrowDown: () => canvas.scroll({ dx: 0, dy: -80 }),
  };
  place.addEventListener("keydown", (event) => {
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}
