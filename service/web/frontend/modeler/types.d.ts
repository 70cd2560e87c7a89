declare module "bpmn-js-properties-panel";
declare module "bpmn-js-element-templates";
declare module "bpmn-js-create-append-anything";
declare module "camunda-bpmn-js-behaviors/lib/camunda-cloud";
declare module "zeebe-bpmn-moddle/resources/zeebe.json";
declare module "bpmn-js-bpmnlint";
declare module "diagram-js-minimap";
declare module "bpmn-js-color-picker";
declare module "bpmn-js-token-simulation";
declare module "bpmn-js-i18n/translations/zn";
declare module "@bpmn-io/properties-panel";
declare module "dmn-js/lib/Modeler";
declare module "bpmnlint/rules/*" {
  const rule: () => { check: unknown };
  export default rule;
}
declare module "bpmnlint/lib/test-rule.js" {
  export default function testRule(options: { moddleRoot: never; rule: never }): { id: string; message: string }[];
}
