/* Where each element of a diagram comes from, as a badge at the element: the regulation, practice, or our own choice. */
import { isChinese, say } from "../page/words";
import "./provenance.css";

type Kind = "text" | "practice" | "assumption";

export interface Provenance {
  kind: Kind;
  /** One letter for the badge. */
  mark: string;
  /** “办法规定 第八条（二）第1项：…” */
  sentence: string;
}

const WORDS = {
  text: ["sourceText", "sourceTextMark", "sourceTextWhy"],
  practice: ["sourcePractice", "sourcePracticeMark", "sourcePracticeWhy"],
  assumption: ["sourceAssumption", "sourceAssumptionMark", "sourceAssumptionWhy"],
} as const;

/** Read `text:art.8(2)1`, `practice` or `assumption`; nothing else is a source. */
export function read(source: string): Provenance | null {
  const [kind, reference = ""] = source.trim().split(/:(.*)/s);
  if (!Object.hasOwn(WORDS, kind)) return null;
  const [label, mark, why] = WORDS[kind as Kind];
  const head = [say(label), reference && article(reference)].filter(Boolean).join(" ");
  return { kind: kind as Kind, mark: say(mark), sentence: say("sourceSentence", { head, why: say(why) }) };
}

/** `art.7(2)3` → 第七条（二）第3项 */
export function article(reference: string): string {
  const match = /^\s*art\.(\d+)(?:\.(\d+))?(?:\((\d+)\))?\.?(\d+)?\s*$/.exec(reference);
  if (!isChinese || !match) return reference.trim();
  const [, number, point, paragraph, item] = match;
  const inside = paragraph ? say("articleParagraph", { number: chinese(Number(paragraph)) }) : "";
  const last = point || item ? say("articleItem", { number: point || item }) : "";
  return say("article", { number: chinese(Number(number)) }) + inside + last;
}

/** A number below a hundred in Chinese; the last digit word is ten. */
function chinese(number: number): string {
  const digits = say("digits");
  const [tens, ones] = [Math.floor(number / 10), number % 10];
  return (tens > 1 ? digits[tens] : "") + (tens ? digits[10] : "") + (ones ? digits[ones] : "");
}

/** The `source` of an element, whether or not the zeebe words are known to who opened the diagram. */
export function sourceOf(element: any): string {
  for (const extension of element.businessObject?.extensionElements?.values ?? []) {
    if (extension.$type?.toLowerCase() !== "zeebe:properties") continue;
    const found = [...(extension.properties ?? []), ...(extension.$children ?? [])].find((one) => one.name === "source");
    if (found) return String(found.value ?? "");
  }
  return "";
}

const FLOW_NODES = /(Task|Event|Gateway|CallActivity|SubProcess)$/;

/** Put a badge at every element that says where it comes from, in place of those of before. */
export function showSources(viewer: any): void {
  const overlays = viewer.get("overlays");
  overlays.remove({ type: "source" });
  viewer.get("elementRegistry").forEach((element: any) => {
    if (element.labelTarget || !FLOW_NODES.test(element.type)) return;
    const found = read(sourceOf(element));
    if (!found) return;
    const badge = document.createElement("span");
    badge.className = `gh-source is-${found.kind}`;
    badge.textContent = found.mark;
    badge.title = found.sentence;
    badge.setAttribute("role", "img");
    badge.setAttribute("aria-label", found.sentence);
    const small = element.width < 60;
    overlays.add(element.id, "source", {
      // Names stand below, above or right of small shapes.
      position: small ? { bottom: 16, left: -7 } : { bottom: 17, left: 3 },
      html: badge,
      show: { minZoom: 0.5 },
    });
  });
}
