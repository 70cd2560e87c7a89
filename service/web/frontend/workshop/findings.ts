import { csrfToken } from "../page/csrf";
import { say } from "./words";

export interface Finding {
  file: string;
  element: string | null;
  rule: string;
  severity: "error" | "warning" | "info";
  text: string;
  why: string;
  fix: string;
  line: number | null;
  path: string[];
}

export interface Shown {
  /** Go to an element of the file that is open. */
  show?: (finding: Finding) => void;
  /** Play the way that leads to the finding. */
  play?: (finding: Finding) => void;
}

const PAUSE = 500;
const AGAIN = 10_000;

/** Asks the server what is wrong, with the text as it is being typed, and lists the answer. */
export class Findings {
  private timer = 0;
  private asked = 0;
  private found: Finding[] = [];
  private readonly list: HTMLElement;
  private readonly summary: HTMLElement | null;

  constructor(
    private readonly root: ParentNode,
    private readonly url: string,
    private readonly edit: string,
    private readonly path: string | null,
    private readonly typed: () => Promise<Record<string, string>>,
    private readonly acts: Shown = {},
    private readonly arrived: (findings: Finding[]) => void = () => {},
  ) {
    this.list = root.querySelector("[data-check-list]")!;
    this.summary = root.querySelector("[data-check-summary]");
    root.querySelector("[data-problems-all]")?.addEventListener("change", () => this.render());
    const fold = root.querySelector<HTMLButtonElement>("[data-problems-fold]");
    fold?.addEventListener("click", () => {
      const folded = root.querySelector("[data-problems]")!.classList.toggle("is-folded");
      fold.setAttribute("aria-expanded", String(!folded));
    });
  }

  /** Check soon; typing on postpones it. */
  soon(pause = PAUSE): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.now(), pause);
  }

  async now(): Promise<void> {
    const number = ++this.asked;
    if (this.summary && !this.found.length) this.summary.textContent = say("checking");
    try {
      const answer = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify({ files: await this.typed() }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { findings } = await answer.json();
      if (number !== this.asked) return;
      this.found = findings;
      this.render();
      this.arrived(this.found);
    } catch {
      if (number !== this.asked) return;
      if (this.summary) this.summary.textContent = say("checkFailed");
      this.soon(AGAIN);
    }
  }

  private render(): void {
    const everything = this.path === null || this.root.querySelector<HTMLInputElement>("[data-problems-all]")?.checked;
    const shown = everything ? this.found : this.found.filter((one) => one.file === this.path);
    if (this.summary) this.summary.textContent = counts(shown);
    if (shown.length) {
      const list = document.createElement("ul");
      list.className = "findings";
      list.append(...shown.map((one) => this.item(one)));
      this.list.replaceChildren(list);
    } else {
      const empty = document.createElement("p");
      empty.className = "muted small";
      empty.textContent = say(everything ? "noFindings" : "noFindingsHere");
      this.list.replaceChildren(empty);
    }
    for (const badge of document.querySelectorAll<HTMLElement>("[data-findings-of]")) {
      const own = this.found.filter((one) => one.file === badge.dataset.findingsOf);
      const errors = own.filter((one) => one.severity === "error").length;
      const worst = errors || own.filter((one) => one.severity === "warning").length;
      badge.textContent = worst ? String(worst) : "";
      badge.title = own.length ? counts(own) : "";
      badge.dataset.level = errors ? "error" : worst ? "warning" : "";
    }
  }

  private item(finding: Finding): HTMLElement {
    const item = document.createElement("li");
    item.className = `finding is-${finding.severity}`;
    const tag = document.createElement("span");
    tag.className = "finding-level";
    tag.textContent = say(finding.severity);
    const text = document.createElement("div");
    text.className = "finding-text";
    const sentence = document.createElement("p");
    sentence.textContent = finding.text;
    const more = document.createElement("p");
    more.className = "small muted";
    more.textContent = `${finding.why} ${finding.fix}`;
    text.append(sentence, more);
    const acts = document.createElement("div");
    acts.className = "finding-acts";
    const place = this.place(finding);
    if (place) acts.append(place);
    if (finding.path.length && finding.file === this.path && this.acts.play) {
      acts.append(button(say("play"), () => this.acts.play!(finding)));
    }
    item.append(tag, text, acts);
    return item;
  }

  private place(finding: Finding): HTMLElement | null {
    if (finding.file === this.path) {
      return finding.element && this.acts.show ? button(say("show"), () => this.acts.show!(finding)) : null;
    }
    if (!finding.file) return null;
    const link = document.createElement("a");
    link.href = `${this.edit}${finding.file.split("/").map(encodeURIComponent).join("/")}${finding.element ? `#${finding.element}` : ""}`;
    link.textContent = finding.file.split("/").pop()!;
    return link;
  }
}

function button(word: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "link-button";
  made.textContent = word;
  made.addEventListener("click", act);
  return made;
}

function counts(findings: Finding[]): string {
  const errors = findings.filter((one) => one.severity === "error").length;
  const warnings = findings.filter((one) => one.severity === "warning").length;
  const hints = findings.length - errors - warnings;
  if (errors || warnings) return say("counts", { errors, warnings });
  return hints ? say("hints", { hints }) : say("allGood");
}
