import type { Finding } from "../workshop/findings";

const STEP = 650;
let run = 0;

/** Walk the way that leads to a finding, element by element, and leave its end marked. */
export async function playPath(modeler: any, finding: Finding): Promise<void> {
  const mine = ++run;
  const canvas = modeler.get("canvas");
  const registry = modeler.get("elementRegistry");
  const selection = modeler.get("selection");
  selection.select(null);
  const ids = [...finding.path, ...(finding.element && finding.path.at(-1) !== finding.element ? [finding.element] : [])];
  clear(canvas, registry);
  let before: any = null;
  for (const id of ids) {
    const element = registry.get(id);
    if (!element) continue;
    const flow = before && element.incoming?.find((one: any) => one.source === before);
    if (flow) canvas.addMarker(flow.id, "gh-walked");
    canvas.addMarker(id, "gh-walking");
    canvas.scrollToElement(element, 160);
    await new Promise((done) => setTimeout(done, STEP));
    if (mine !== run) return;
    canvas.removeMarker(id, "gh-walking");
    canvas.addMarker(id, "gh-walked");
    before = element;
  }
  if (finding.element && registry.get(finding.element)) canvas.addMarker(finding.element, "gh-stuck-here");
  modeler.get("eventBus").once("element.click", () => clear(canvas, registry));
}

function clear(canvas: any, registry: any): void {
  for (const element of registry.getAll()) {
    for (const name of ["gh-walked", "gh-walking", "gh-stuck-here"]) {
      if (canvas.hasMarker(element, name)) canvas.removeMarker(element, name);
    }
  }
}
