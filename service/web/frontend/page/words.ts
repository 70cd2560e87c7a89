/** The sentences the islands say themselves, in both languages; {name} is replaced. */
const WORDS = {
  saving: ["正在保存草稿…", "Saving the draft…"],
  saved: ["草稿已自动保存 {time}", "Draft saved {time}"],
  savedHere: ["网络不通，草稿已存在本机 {time}", "No connection; draft kept in this browser {time}"],
  signedOut: [
    "登录已过期，内容已存在本机；提交时请重新登录，内容会自动恢复。",
    "Your session has ended. What you typed is kept in this browser; sign in again and it comes back.",
  ],
  draftGone: ["此任务已不能保存草稿。", "Drafts of this task can no longer be saved."],
  problems: ["有 {count} 处需要修改后才能提交：", "{count} fields need a change before this can be submitted:"],
  moreProblems: ["另有 {count} 处，已在表单中标出", "and {count} more, marked in the form"],
  formBroken: ["表单无法显示：{reason}", "The form cannot be shown: {reason}"],
  dateFormat: ["日期请写作 2026-03-15 的形式。", "Please write the date as 2026-03-15."],
  datePattern: ["年-月-日", "YYYY-MM-DD"],
  usualTypes: ["PDF、OFD、Office、图片、文本或 ZIP", "PDF, OFD, Office, pictures, text or ZIP"],
  openCalendar: ["打开日历：{label}", "Open the calendar: {label}"],
  choose: ["选择文件", "Choose files"],
  dropHere: ["或将文件拖放到此处", "or drop them here"],
  uploading: ["正在上传 {name}：{percent}%", "Uploading {name}: {percent}%"],
  uploaded: ["已上传 {name}", "{name} uploaded"],
  removed: ["已移除 {name}", "{name} removed"],
  remove: ["移除 {name}", "Remove {name}"],
  removeWord: ["移除", "Remove"],
  cancelUpload: ["取消上传 {name}", "Cancel the upload of {name}"],
  noFiles: ["未提交文件", "No files"],
  tooLarge: ["文件“{name}”超过 {limit} 的上限。", "“{name}” is larger than the limit of {limit}."],
  emptyFile: ["文件“{name}”是空的。", "“{name}” is empty."],
  tooMany: ["最多可上传 {count} 个文件。", "At most {count} files can be uploaded."],
  tooFew: ["至少上传 {count} 个文件。", "At least {count} files must be uploaded."],
  wrongType: ["文件“{name}”的类型不在允许范围内（{types}）。", "“{name}” is not of an allowed type ({types})."],
  uploadFailed: ["文件“{name}”没有上传成功，请重试。", "“{name}” could not be uploaded. Please try again."],
  uploadsRunning: ["文件仍在上传，请稍候再提交。", "Files are still being uploaded. Please wait before submitting."],
  limits: ["单个文件不超过 {limit}", "Up to {limit} per file"],
  pick: ["请选择", "Please choose"],
  removeItem: ["删除第 {number} 项", "Remove item {number}"],
  noMatch: ["没有匹配项", "No results"],
  otherwiseHere: ["与预期不同", "Not as expected"],
  noPicture: ["此流程的文件里没有图形。", "This process has no picture."],
  diagramFailed: ["流程图无法显示，请刷新页面重试。", "The diagram cannot be shown. Please reload the page."],
  changedElsewhere: [
    "下列字段在别处也被修改过，现在保留的是您填写的内容：",
    "These fields were changed elsewhere as well; what you typed stands for now:",
  ],
  bothValues: ["　我填写的：{mine}　别处的：{theirs}　", " mine: {mine}; elsewhere: {theirs} "],
  nothing: ["（空）", "(empty)"],
  keepMine: ["保留我的", "Keep mine"],
  takeTheirs: ["采用别处的", "Take the other"],
  mergedIn: ["已并入您在别处填写的内容", "What you typed elsewhere has been put in"],
  asked: ["需要修改：", "To be changed:"],
  askedPlainly: ["请核对此项。", "Please check this field."],
  nameField: ["要求修改此项", "Ask for a change"],
  fieldNamed: ["“{label}”已列入需要修改的字段，请写明要求", "“{label}” is on the list of fields to change; say what is wrong"],
  mapHow: ["先点左图的元素，再点右图中它对应的元素。", "Click an element on the left, then what it becomes on the right."],
  mapPicked: ["“{source}” → {goal}。在右图点选可以改变。", "“{source}” → {goal}. Click on the right to change it."],
  mapNothing: ["不对应", "nothing"],
  mapOtherKind: ["“{source}”只能对应同一种元素。", "“{source}” can only become an element of its own kind."],
  mapDone: ["“{source}”现在对应 {goal}。", "“{source}” now becomes {goal}."],
  nowHere: ["进行中", "Now here"],
  sourceText: ["办法规定", "Regulation"],
  sourceTextMark: ["法", "R"],
  sourceTextWhy: ["《国家国际科技合作基地管理办法》有明文规定", "the regulation says so"],
  sourcePractice: ["实践做法", "Practice"],
  sourcePracticeMark: ["例", "P"],
  sourcePracticeWhy: ["《办法》没有规定，参照通行做法", "not in the regulation, as it is usually done"],
  sourceAssumption: ["系统约定", "Assumption"],
  sourceAssumptionMark: ["约", "A"],
  sourceAssumptionWhy: ["《办法》没有规定，由本平台约定，可以调整", "not in the regulation, our own choice, can be changed"],
  sourceSentence: ["{head}：{why}", "{head}: {why}"],
  article: ["第{number}条", "article {number}"],
  articleParagraph: ["（{number}）", "({number})"],
  articleItem: ["第{number}项", "{number}"],
  digits: ["〇一二三四五六七八九十", "0123456789 "],
  stuckHere: ["异常", "Incident"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export const isChinese = document.documentElement.lang.startsWith("zh");

/** The sentence in the page's language. */
export function say(word: Word, values: Record<string, string | number> = {}): string {
  return fill(WORDS[word][isChinese ? 0 : 1], values);
}

/** Replace every {name}; a zero stays a zero. */
export function fill(template: string, values: Record<string, unknown> = {}): string {
  return template.replace(/{([^}]+)}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** 14:03, in the reader's own zone. */
export function clock(moment: Date): string {
  return moment.toLocaleTimeString(isChinese ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** 12.5 MB */
export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "")} MB`;
}
