/** What of a diagram is in sight: never so small that its words cannot be read. */

const READABLE = 0.5;
const COMFORTABLE = 0.75;
/** Screen pixels that the palette takes, and a little air. */
const LEFT = 150;

/** Begin with the whole diagram, or, where it would be too small to read, with where the cases begin. */
export function beginInSight(modeler: any): void {
  const canvas = modeler.get("canvas");
  if (canvas.zoom("fit-viewport", "auto") >= READABLE) return;
  const { inner, outer } = canvas.viewbox();
  const [width, height] = [outer.width / COMFORTABLE, outer.height / COMFORTABLE];
  const starts = modeler
    .get("elementRegistry")
    .filter((one: any) => one.type === "bpmn:StartEvent" && !one.businessObject.eventDefinitions?.length);
  const start = starts.sort((a: any, b: any) => a.x - b.x)[0];
  const middle = inner.height <= height || !start ? inner.y + inner.height / 2 : start.y + start.height / 2;
  canvas.viewbox({ x: inner.x - LEFT / COMFORTABLE, y: middle - height / 2, width, height });
}

/** Bring an element into view, large enough to be read. */
export function bringIntoSight(modeler: any, element: any): void {
  const canvas = modeler.get("canvas");
  if (canvas.zoom() < READABLE) canvas.zoom(COMFORTABLE);
  canvas.scrollToElement(element, 120);
}

/**
 * Search as text comes in. The search pad listens to keys alone, which an input method or a paste with the mouse does not
 * press, and takes the key that ends the choice of a character for the choice of a result.
 */
export function searchAsTyped(modeler: any, container: HTMLElement): void {
  let composed = false;
  const inPad = (event: Event) => (event.target as HTMLElement).closest?.(".djs-search-input") !== null;
  container.addEventListener("compositionend", () => (composed = true), true);
  container.addEventListener("keydown", (event) => (composed = composed && event.isComposing), true);
  container.addEventListener(
    "keyup",
    (event) => {
      if (composed && event.key === "Enter" && inPad(event)) event.stopPropagation();
    },
    true,
  );
  container.addEventListener("input", (event) => {
    if (inPad(event)) event.target!.dispatchEvent(new KeyboardEvent("keyup", { key: "Unidentified", bubbles: true }));
  });
  modeler.on("searchPad.selected", (element: any) => bringIntoSight(modeler, element));
}
