import { fill, isChinese } from "../page/words";
import { IN_PLACE, ZH } from "./zh";

const missing = new Set<string>();

/** The words of bpmn.io in the page's language; a sentence without a translation is announced, so that a test sees it. */
export function translate(template: string, values: Record<string, unknown> = {}): string {
  if (!isChinese) return fill(template, values);
  const word = ZH[template] ?? IN_PLACE[template.toUpperCase()];
  if (!word && /[A-Za-z]{2}/.test(template) && !/[\u4e00-\u9fff]/.test(template) && !missing.has(template)) {
    missing.add(template);
    document.documentElement.dispatchEvent(new CustomEvent("guohe:untranslated", { detail: template, bubbles: true }));
  }
  return fill(word ?? template, values);
}

export const TranslateModule = { translate: ["value", translate] };

/** Everything that was asked for and is not translated. */
export function untranslated(): string[] {
  return [...missing].sort();
}
(window as any).guoheUntranslated = untranslated;
