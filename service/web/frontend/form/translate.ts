import { fill, isChinese } from "../page/words";
import { CHINESE } from "./messages";

/** form-js's translate service. Its own drops a zero ("at most {value} files"); this one doesn't. */
function translate(template: string, values: Record<string, unknown> = {}): string {
  return fill((isChinese && CHINESE[template]) || template, values);
}

export const TranslateModule = { translate: ["value", translate] };
