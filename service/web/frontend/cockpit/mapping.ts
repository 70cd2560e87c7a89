import type NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { say } from "../page/words";

/**
 * Two versions side by side: click an element of the old one, then the one it becomes. The selects of the table
 * below hold the mapping; the diagrams only show it and change it.
 */
export function mapping(frame: HTMLElement): void {
  const sides: { old?: NavigatedViewer; fresh?: NavigatedViewer } = {};
  const status = frame.querySelector<HTMLElement>("[data-map-status]")!;
  const selects = new Map<string, HTMLSelectElement>();
  for (const select of frame.querySelectorAll<HTMLSelectElement>("select[data-map-source]"))
    selects.set(select.dataset.mapSource!, select);
  let picked: string | undefined;

  frame.addEventListener("drawn", (event) => {
    const box = event.target as HTMLElement;
    const viewer = (event as CustomEvent<NavigatedViewer>).detail;
    if (box.dataset.side === "old") sides.old = viewer;
    else sides.fresh = viewer;
    viewer.get<any>("eventBus").on("element.click", (click: any) => {
      const id: string = click.element.labelTarget?.id ?? click.element.id;
      if (box.dataset.side === "old") pick(id);
      else put(id);
    });
    paint();
  });
  for (const select of selects.values()) select.addEventListener("change", paint);

  function pick(id: string): void {
    const select = selects.get(id);
    picked = select ? id : undefined;
    if (select) {
      const goal = select.selectedOptions[0]?.textContent ?? "";
      status.textContent = say("mapPicked", { source: label(id), goal: select.value ? goal : say("mapNothing") });
      select.closest("details")?.setAttribute("open", "");
    } else status.textContent = say("mapHow");
    paint();
  }

  function put(id: string): void {
    if (picked === undefined) {
      status.textContent = say("mapHow");
      return;
    }
    const select = selects.get(picked)!;
    const option = [...select.options].find((one) => one.value === id);
    if (!option) {
      status.textContent = say("mapOtherKind", { source: label(picked) });
      return;
    }
    select.value = id;
    status.textContent = say("mapDone", { source: label(picked), goal: option.textContent ?? id });
    paint();
  }

  function label(id: string): string {
    return selects.get(id)?.dataset.mapLabel || id;
  }

  function paint(): void {
    clear(sides.old);
    clear(sides.fresh);
    const used = new Set<string>();
    for (const [source, select] of selects) {
      used.add(select.value);
      if (!select.value) add(sides.old, source, select.dataset.mapTokens ? "gh-map-lost" : "gh-map-none");
      else if (select.value !== source) {
        add(sides.old, source, "gh-map-renamed");
        add(sides.fresh, select.value, "gh-map-renamed");
      }
    }
    if (picked === undefined) return;
    add(sides.old, picked, "gh-map-picked");
    add(sides.fresh, selects.get(picked)!.value, "gh-map-picked");
  }
}

const MARKS = ["gh-map-none", "gh-map-lost", "gh-map-renamed", "gh-map-picked"];

function clear(viewer: NavigatedViewer | undefined): void {
  if (!viewer) return;
  const canvas = viewer.get<any>("canvas");
  for (const element of viewer.get<any>("elementRegistry").getAll())
    for (const mark of MARKS) if (canvas.hasMarker(element.id, mark)) canvas.removeMarker(element.id, mark);
}

function add(viewer: NavigatedViewer | undefined, id: string, mark: string): void {
  if (viewer?.get<any>("elementRegistry").get(id)) viewer.get<any>("canvas").addMarker(id, mark);
}
