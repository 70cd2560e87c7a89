import { isChinese } from "../page/words";
import type { Context } from "./context";

interface Field {
  key: string;
  zh: string;
  en: string;
  optional: boolean;
  value: string;
  choices: [string, string, string][];
}

export interface Topic {
  type: string;
  zh: string;
  en: string;
  about_zh: string;
  about_en: string;
  headers: Field[];
  inputs: Field[];
}

const word = (one: { zh: string; en: string }) => (isChinese ? one.zh : one.en);

/** An element template for every topic a worker serves, with the inputs and headers its handler reads. */
export function elementTemplates(context: Context): unknown[] {
  return context.topics.map((topic) => ({
    name: word(topic),
    id: `guohe.${topic.type}`,
    version: 1,
    description: isChinese ? topic.about_zh : topic.about_en,
    appliesTo: ["bpmn:Task", "bpmn:ServiceTask"],
    elementType: { value: "bpmn:ServiceTask" },
    properties: [
      { type: "Hidden", value: topic.type, binding: { type: "zeebe:taskDefinition", property: "type" } },
      ...topic.headers.map((one) => header(one, context)),
      ...topic.inputs.map((one) => ({
        id: `input-${one.key}`,
        label: word(one),
        type: "String",
        feel: "required",
        ...(one.optional ? { optional: true } : { constraints: { notEmpty: true } }),
        ...(one.value ? { value: one.value } : {}),
        binding: { type: "zeebe:input", name: one.key },
      })),
    ],
  }));
}

function header(one: Field, context: Context): unknown {
  const choices = one.key === "template" ? context.templates.map((name) => ({ name, value: name })) : listed(one);
  return {
    id: `header-${one.key}`,
    label: word(one),
    type: choices.length ? "Dropdown" : "String",
    ...(choices.length ? { choices } : {}),
    ...(one.optional ? { optional: true } : { constraints: { notEmpty: true } }),
    binding: { type: "zeebe:taskHeader", key: one.key },
  };
}

function listed(one: Field): { name: string; value: string }[] {
  return one.choices.map(([value, zh, en]) => ({ value, name: isChinese ? zh : en }));
}
