import { csrfToken } from "../page/csrf";
import { clock, isChinese } from "../page/words";
import { fetchFile, type EditorInput } from "./input";
import { say } from "./words";

const PAUSE = 900;
const AGAIN = 8000;

interface Kept {
  text: string;
  base: string;
  at: string;
}

interface Conflict {
  detail: string;
  sha256: string | null;
  removed: boolean;
}

/**
 * Keeps what is typed: in this browser at once, on the server a moment later. Nobody locks anything; who changed the
 * same file meanwhile is named, and the editor decides whose version counts.
 */
export class Keeper {
  private base: string;
  private dirty = false;
  private timer = 0;
  private running: Promise<void> | null = null;
  private stopped = false;
  private readonly key: string;
  private readonly state: HTMLElement;
  private readonly note: HTMLElement;

  constructor(
    box: HTMLElement,
    private readonly input: EditorInput,
    private readonly read: () => Promise<string> | string,
    private readonly load: (text: string) => Promise<void>,
  ) {
    this.base = input.sha256;
    this.key = `guohe.copy:${input.urls.raw}`;
    this.state = box.querySelector("[data-save-state]")!;
    this.note = box.querySelector("[data-editor-note]")!;
    if (input.readOnly) this.say(say("readOnly"));
    window.addEventListener("beforeunload", (event) => {
      if (!this.dirty) return;
      this.keepHere();
      void this.flush();
      if (this.stopped) event.preventDefault();
    });
    document.addEventListener("visibilitychange", () => document.hidden && void this.flush());
    window.addEventListener("online", () => void this.flush());
  }

  /** What the editor begins with: the file, or what this browser kept of it when it was last closed too soon. */
  begin(text: string, sha256: string): string {
    this.base = sha256;
    const kept = this.kept();
    if (!kept || kept.text === text || this.input.readOnly) {
      this.forget();
      return text;
    }
    if (kept.base !== sha256) {
      // Somebody saved meanwhile: the old base makes the first save a conflict, and the editor is asked.
      this.base = kept.base;
    }
    this.dirty = true;
    this.ask(say("restored", { time: clock(new Date(kept.at)) }), [
      [
        say("discard"),
        async () => {
          this.forget();
          this.dirty = false;
          this.base = sha256;
          await this.load(text);
          this.hush();
        },
      ],
    ]);
    this.soon();
    return kept.text;
  }

  /** Something was typed. */
  changed(): void {
    if (this.input.readOnly) return;
    this.dirty = true;
    this.say(say("unsaved"));
    this.soon();
  }

  /** Save now; with a comment it becomes a revision of its own. */
  async flush(comment = ""): Promise<void> {
    window.clearTimeout(this.timer);
    while (this.running) await this.running;
    if ((!this.dirty && !comment) || this.stopped || this.input.readOnly) return;
    this.running = this.send(comment).finally(() => (this.running = null));
    return this.running;
  }

  private soon(pause = PAUSE): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.flush(), pause);
  }

  private async send(comment: string): Promise<void> {
    let text: string;
    try {
      text = await this.read();
    } catch (problem) {
      this.say(say("refused", { reason: (problem as Error).message }), "bad");
      return;
    }
    this.keep(text);
    this.dirty = false;
    this.say(say("saving"));
    let answer: Response;
    try {
      answer = await fetch(this.input.urls.save, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify({ changes: { [this.input.path]: { text, base: this.base } }, comment }),
        keepalive: text.length < 50_000,
      });
    } catch {
      this.failed(say("offline"));
      return;
    }
    if (answer.ok) {
      const saved = await answer.json();
      this.base = saved.sha256[this.input.path] ?? this.base;
      if (!this.dirty) this.forget();
      this.say(comment ? say("commented", { n: saved.revision }) : say("saved", { time: clock(new Date()) }), "good");
      this.tell(saved.others ?? []);
      return;
    }
    if (answer.status === 409) {
      const conflict = await answer.json();
      if (conflict.code === "edit_conflict") {
        this.decide(conflict, text);
        return;
      }
    }
    if (answer.status === 401) {
      this.failed(say("signedOut"));
      return;
    }
    const problem = await answer.json().catch(() => ({ detail: String(answer.status) }));
    if (answer.status >= 500) this.failed(say("refused", { reason: problem.detail }));
    else {
      this.dirty = true;
      this.say(say("refused", { reason: problem.detail }), "bad");
    }
  }

  private failed(sentence: string): void {
    this.dirty = true;
    this.keepHere();
    this.say(sentence, "bad");
    this.soon(AGAIN);
  }

  /** Two changed the same file: nothing is lost whatever is chosen. */
  private decide(conflict: Conflict, text: string): void {
    this.stopped = true;
    this.dirty = true;
    this.keepHere();
    this.say(say("unsaved"), "bad");
    const go = (act: () => Promise<void> | void) => async () => {
      this.stopped = false;
      this.hush();
      await act();
    };
    const choices: [string, () => unknown][] = [
      [
        say("mine"),
        go(async () => {
          this.base = conflict.sha256 ?? (null as unknown as string);
          this.dirty = true;
          await this.flush();
        }),
      ],
    ];
    if (!conflict.removed) {
      choices.push([
        say("theirs"),
        go(async () => {
          const theirs = await fetchFile(this.input.urls.raw);
          this.base = theirs.sha256 || this.base;
          this.dirty = false;
          this.forget();
          await this.load(theirs.text);
          this.say(say("saved", { time: clock(new Date()) }), "good");
        }),
      ]);
    }
    choices.push([say("download"), () => this.download(text)]);
    this.ask(`${conflict.detail} ${say("keptAside")}`, choices);
  }

  private download(text: string): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text]));
    link.download = this.input.path.split("/").pop()!;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  private tell(others: { path: string; who: string; when: string }[]): void {
    const fresh = others.filter((one) => Date.now() - Date.parse(one.when) < 60_000);
    if (fresh.length) this.say(say("othersChanged", { who: fresh[0].who, path: fresh[0].path.split("/").pop()! }));
  }

  private ask(sentence: string, choices: [string, () => unknown][]): void {
    const text = document.createElement("p");
    text.textContent = sentence;
    const row = document.createElement("div");
    row.className = "row-flex";
    for (const [word, act] of choices) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-quiet btn-s";
      button.textContent = word;
      button.addEventListener("click", () => void act());
      row.append(button);
    }
    this.note.replaceChildren(text, row);
    this.note.hidden = false;
  }

  private hush(): void {
    this.note.hidden = true;
    this.note.replaceChildren();
  }

  private say(sentence: string, level = ""): void {
    this.state.textContent = sentence;
    this.state.dataset.level = level;
  }

  private kept(): Kept | null {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "null");
    } catch {
      return null;
    }
  }

  /** A copy in this browser, so that a crash or a dead network costs nothing. */
  private keep(text: string): void {
    try {
      localStorage.setItem(this.key, JSON.stringify({ text, base: this.base, at: new Date().toISOString() }));
    } catch {
      // No room: the server still gets it.
    }
  }

  private keepHere(): void {
    const text = this.read();
    if (typeof text === "string") this.keep(text);
    else void text.then((value) => this.dirty && this.keep(value));
  }

  private forget(): void {
    localStorage.removeItem(this.key);
  }
}

/** Ask for a sentence about what was changed, and put it into the history. */
export function commentBy(keeper: Keeper): void {
  const sentence = window.prompt(say("comment"));
  if (sentence?.trim()) void keeper.flush(sentence.trim().slice(0, isChinese ? 200 : 400));
}
