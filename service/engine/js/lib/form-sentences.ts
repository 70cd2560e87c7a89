/** What the twin says besides form-js, in the language of the call. */
const SENTENCES = {
  invalid: ["此项内容不在允许的范围内，请重新填写。", "This value is not accepted; please fill it in again."],
  number: ["请填写数字。", "Value is not a number."],
  dateFormat: ["日期请写作 2026-03-15 的形式。", "Please write the date as 2026-03-15."],
  files: ["附件信息不正确，请重新上传。", "The attachments are not valid; please upload them again."],
  tooMany: ["最多可上传 {count} 个文件。", "At most {count} files can be uploaded."],
  tooFew: ["至少上传 {count} 个文件。", "At least {count} files must be uploaded."],
  wrongType: ["文件“{name}”的类型不在允许范围内（{types}）。", "“{name}” is not of an allowed type ({types})."],
} as const satisfies Record<string, readonly [string, string]>;

let isChinese = true;

/** Use this language from now on. */
export function speak(locale: string): void {
  isChinese = locale.startsWith("zh");
}

export function say(word: keyof typeof SENTENCES, values: Record<string, unknown> = {}): string {
  return filled(SENTENCES[word][isChinese ? 0 : 1], values);
}

/** form-js's translate service. */
export function sentences(chinese: Record<string, string>, template: string, values: Record<string, unknown> = {}): string {
  return filled((isChinese && chinese[template]) || template, values);
}

function filled(template: string, values: Record<string, unknown>): string {
  return template.replace(/{([^}]+)}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
