import { fill, isChinese } from "../page/words";
import { ZH } from "./zh";

const missing = new Set<string>();

function translate(template: string, values: Record<string, unknown> = {}): string {
  if (isChinese && !(template in ZH) && /[A-Za-z]{2}/.test(template)) missing.add(template);
  return fill((isChinese && ZH[template]) || template, values);
}

export const TranslateModule = { translate: ["value", translate] };
(window as any).guoheUntranslated = () => [...missing].sort();
