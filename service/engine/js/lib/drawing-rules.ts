/**
 * The rules of bpmnlint that ours do not cover, with our sentences. The editor runs this very module as one draws; the
 * server runs it in V8 (see `lint.ts`).
 */
import testRule from "bpmnlint/lib/test-rule.js";
import labelRequired from "bpmnlint/rules/label-required.js";
import noBpmndi from "bpmnlint/rules/no-bpmndi.js";
import noDuplicateSequenceFlows from "bpmnlint/rules/no-duplicate-sequence-flows.js";
import noGatewayJoinFork from "bpmnlint/rules/no-gateway-join-fork.js";
import noImplicitSplit from "bpmnlint/rules/no-implicit-split.js";
import noOverlappingElements from "bpmnlint/rules/no-overlapping-elements.js";
import superfluousGateway from "bpmnlint/rules/superfluous-gateway.js";
import superfluousTermination from "bpmnlint/rules/superfluous-termination.js";

export type Severity = "warning" | "info";
export type Drawn = { rule: string; severity: Severity; id: string; zh: string; en: string };

type Element = { id?: string; name?: string; $type: string };
type Rule = () => { check: unknown };
type Row = { rule: string; make: Rule; severity: Severity; zh: string; en: string };

const ROWS: Row[] = [
  { rule: "no-implicit-split", make: noImplicitSplit, severity: "warning",
    zh: "“{}”有多条无条件的出口，会同时走几条；请画并行网关。",
    en: "Several flows leave “{}” without a condition, so all are taken; draw a parallel gateway." },
  { rule: "no-duplicate-sequence-flows", make: noDuplicateSequenceFlows, severity: "warning",
    zh: "“{}”画了重复的顺序流，后面的步骤会执行两次。",
    en: "“{}” has a sequence flow twice, so what follows happens twice." },
  { rule: "no-gateway-join-fork", make: noGatewayJoinFork, severity: "info",
    zh: "网关“{}”既汇合又分开，读图的人分不清；请拆成两个。",
    en: "The gateway “{}” joins and splits at once; readers see it better as two." },
  { rule: "superfluous-gateway", make: superfluousGateway, severity: "info",
    zh: "网关“{}”只有一进一出，是多余的。", en: "The gateway “{}” has one way in and one out; it is superfluous." },
  { rule: "superfluous-termination", make: superfluousTermination, severity: "info",
    zh: "“{}”之前没有并行分支，用普通结束事件即可。",
    en: "Nothing runs beside “{}”; a plain end event is enough." },
  { rule: "no-overlapping-elements", make: noOverlappingElements, severity: "info",
    zh: "“{}”与别的元素重叠，看不清。", en: "“{}” overlaps another element and is hard to see." },
  { rule: "no-bpmndi", make: noBpmndi, severity: "info",
    zh: "“{}”没有画在图上，编辑器里看不到它。", en: "“{}” is not drawn; the editor does not show it." },
  { rule: "label-required", make: labelRequired, severity: "info",
    zh: "“{}”没有名称，办理人和管理员看到的只是编号。", en: "“{}” has no name; people see its id." },
];
const MOST = 200;

/** What the rules find in a diagram, read by bpmn-moddle. */
export function drawingRules(definitions: object): Drawn[] {
  const names = new Map<string, string>();
  note(definitions as never, names, new Set());
  const found: Drawn[] = [];
  for (const { rule, make, severity, zh, en } of ROWS) {
    for (const { id } of testRule({ moddleRoot: definitions as never, rule: make() as never })) {
      if (!id || found.length >= MOST) continue;
      const name = names.get(id) || id;
      found.push({ rule, severity, id, zh: zh.replace("{}", name), en: en.replace("{}", name) });
    }
  }
  return found;
}

function note(element: Element & { rootElements?: Element[]; flowElements?: Element[]; participants?: Element[] }, names: Map<string, string>, seen: Set<unknown>): void {
  if (seen.has(element)) return;
  seen.add(element);
  if (element.id && element.name) names.set(element.id, element.name);
  for (const part of [...(element.rootElements ?? []), ...(element.flowElements ?? []), ...(element.participants ?? [])]) {
    note(part, names, seen);
  }
}
