import type NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import { say } from "../page/words";

export interface Marks {
  active: string[];
  done: string[];
  cancelled: string[];
  incidents: string[];
  flows: string[];
  /** Flows that no scenario takes. */
  missing?: string[];
}

const CLASSES: Record<keyof Marks, string> = {
  done: "gh-done",
  cancelled: "gh-cancelled",
  flows: "gh-taken",
  missing: "gh-missing",
  active: "gh-active",
  incidents: "gh-stuck",
};

/** Colour what is done, where the case is and which way it came. */
export function mark(viewer: NavigatedViewer, marks: Marks, notes: Record<string, string> = {}): void {
  const canvas = viewer.get<any>("canvas");
  const registry = viewer.get<any>("elementRegistry");
  const overlays = viewer.get<any>("overlays");
  for (const [kind, name] of Object.entries(CLASSES) as [keyof Marks, string][]) {
    for (const id of marks[kind] ?? []) if (registry.get(id)) canvas.addMarker(id, name);
  }
  for (const id of marks.active) label(id, say("nowHere"), "gh-here");
  for (const id of marks.incidents) label(id, say(notes[id] ? "otherwiseHere" : "stuckHere"), "gh-here is-stuck");
  for (const [id, sentence] of Object.entries(notes)) note(id, sentence);

  function note(id: string, sentence: string): void {
    const element = registry.get(id);
    if (!element) return;
    const box = document.createElement("p");
    box.className = "gh-note";
    box.textContent = sentence;
    overlays.add(id, { position: { top: element.height + 6, left: 0 }, html: box, show: { minZoom: 0.4 } });
  }

  function label(id: string, text: string, name: string): void {
    if (!registry.get(id)) return;
    const badge = document.createElement("span");
    badge.className = name;
    badge.textContent = text;
    overlays.add(id, { position: { top: -11, left: 8 }, html: badge, show: { minZoom: 0.4 } });
  }
}
