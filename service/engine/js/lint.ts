/** bpmnlint for the server: reading a diagram takes two calls, as bpmn-moddle hands it over a moment later. */
import { BpmnModdle } from "bpmn-moddle";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";

import { drawingRules } from "./lib/drawing-rules";

const done = new Map<string, string>();

/** Read a diagram and apply the rules; `result` gives what they found. */
export function begin(json: { key: string; xml: string }): string {
  const moddle = new BpmnModdle({ zeebe });
  moddle.fromXML(json.xml, "bpmn:Definitions").then(
    ({ rootElement }: { rootElement: object }) => done.set(json.key, JSON.stringify({ found: drawingRules(rootElement) })),
    (error: Error) => done.set(json.key, JSON.stringify({ error: error.message })),
  );
  return "true";
}

/** What was found; null where reading is not over. */
export function result(json: { key: string }): string {
  const found = done.get(json.key) ?? "null";
  done.delete(json.key);
  return found;
}
