declare module "bpmn-moddle";
declare module "bpmnlint/rules/*" {
  const rule: () => { check: unknown };
  export default rule;
}
declare module "bpmnlint/lib/test-rule.js" {
  export default function testRule(options: { moddleRoot: never; rule: never }): { id: string; message: string }[];
}
declare module "zeebe-bpmn-moddle/resources/zeebe.json";
