import { csrfToken } from "../page/csrf";
import { clock, say } from "../page/words";
import type { FormInput, Values } from "./input";

interface Kept {
  values: Values;
  savedAt: string;
}

const HERE_AFTER = 150;
const SERVER_AFTER = 1500;

/** What was typed, in this browser at once and on the server a moment later. */
export class Draft {
  private here = 0;
  private away = 0;
  private last: string;
  private pending: Values | null = null;
  private finished = false;

  constructor(
    private readonly input: FormInput,
    private readonly status: (sentence: string) => void,
    initial: Values,
  ) {
    this.last = JSON.stringify(initial);
    window.addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.leave();
    });
  }

  /** The newer of what this browser and what the server kept; null where neither did. */
  static newest(input: FormInput): Kept | null {
    // What a refused submission had typed is newer than anything kept.
    if (!input.draft || input.draft.typed) return null;
    const server = input.draft.values ? { values: input.draft.values, savedAt: input.draft.savedAt ?? "" } : null;
    const here = readHere(input.draft.key);
    if (here && server) return here.savedAt > server.savedAt ? here : server;
    return here ?? server;
  }

  /** Something was typed. */
  changed(values: Values): void {
    const text = JSON.stringify(values);
    if (text === this.last || this.finished) return;
    this.last = text;
    this.pending = values;
    clearTimeout(this.here);
    clearTimeout(this.away);
    this.here = window.setTimeout(() => this.keepHere(values), HERE_AFTER);
    this.away = window.setTimeout(() => void this.send(values), SERVER_AFTER);
  }

  /** The form is on its way: keep it here until the server's answer makes it needless. */
  submitting(values: Values): void {
    clearTimeout(this.here);
    clearTimeout(this.away);
    this.keepHere(values);
    this.pending = null;
    this.finished = true;
  }

  /** Coming back to a page that was left by a submission. */
  resume(): void {
    this.finished = false;
  }

  /** Throw away what both places kept. */
  async discard(): Promise<void> {
    this.finished = true;
    clearTimeout(this.here);
    clearTimeout(this.away);
    forget(this.input.draft!.key);
    if (this.input.draft!.url) await post(this.input.draft!.url, { discard: true });
  }

  private keepHere(values: Values): void {
    keep(this.input.draft!.key, { values, savedAt: new Date().toISOString() });
    if (!this.input.draft!.url) this.status(say("saved", { time: clock(new Date()) }));
  }

  private async send(values: Values): Promise<void> {
    const url = this.input.draft!.url;
    if (!url) return;
    this.status(say("saving"));
    const time = () => clock(new Date());
    try {
      const answer = await post(url, { values, form_hash: this.input.formHash });
      if (answer.ok) {
        if (this.pending === values) this.pending = null;
        this.status(say("saved", { time: time() }));
      } else this.status(answer.status === 401 ? say("signedOut") : say(answer.status === 404 || answer.status === 409 ? "draftGone" : "savedHere", { time: time() }));
    } catch {
      this.status(say("savedHere", { time: time() }));
    }
  }

  private leave(): void {
    if (!this.pending || this.finished) return;
    keep(this.input.draft!.key, { values: this.pending, savedAt: new Date().toISOString() });
    if (this.input.draft!.url) {
      void post(this.input.draft!.url, { values: this.pending, form_hash: this.input.formHash }, true).catch(() => {});
    }
    this.pending = null;
  }
}

function post(url: string, body: unknown, keepalive = false): Promise<Response> {
  return fetch(url, {
    method: "POST",
    keepalive,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), Accept: "application/json" },
    body: JSON.stringify(body),
  });
}

function readHere(key: string): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    return kept && typeof kept.values === "object" && typeof kept.savedAt === "string" ? kept : null;
  } catch {
    return null;
  }
}

function keep(key: string, kept: Kept): void {
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    /* private window or full storage: the server still has it */
  }
}

function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    /* nothing kept */
  }
}
