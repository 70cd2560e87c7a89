import { csrfToken } from "../page/csrf";
import { clock, say } from "../page/words";
import type { Conflict, FormInput, Values } from "./input";

interface Kept {
  values: Values;
  savedAt: string;
  /** The draft of the server that these values build on, and what it held. */
  known?: string | null;
  base?: Values;
}

/** What the server made of a draft that had been changed elsewhere. */
export interface Answer {
  values: Values | null;
  conflicts: Conflict[];
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
  private known: string | null;
  private base: Values;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly input: FormInput,
    private readonly status: (sentence: string) => void,
    initial: Values,
    private readonly opened: Values,
    private readonly merged: (answer: Answer) => void,
  ) {
    this.last = JSON.stringify(initial);
    this.known = input.draft?.savedAt ?? null;
    this.base = input.draft?.values ?? opened;
    const here = input.draft && !input.draft.typed ? readHere(input.draft.key) : null;
    if (here?.base && here.known !== this.known && here.savedAt > (this.known ?? "")) {
      // Typed here without the server, which has got something newer from elsewhere: both go together at the next save.
      this.known = here.known ?? null;
      this.base = here.base;
    }
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
    // One after the other: each builds on what the one before was told.
    this.away = window.setTimeout(() => (this.sending = this.sending.then(() => this.send(values))), SERVER_AFTER);
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
    keep(this.input.draft!.key, { values, savedAt: new Date().toISOString(), known: this.known, base: this.base });
    if (!this.input.draft!.url) this.status(say("saved", { time: clock(new Date()) }));
  }

  private async send(values: Values): Promise<void> {
    const url = this.input.draft!.url;
    if (!url) return;
    this.status(say("saving"));
    const time = () => clock(new Date());
    try {
      const answer = await post(url, this.message(values));
      if (answer.ok) {
        if (this.pending === values) this.pending = null;
        this.learn(values, await answer.json());
        this.status(say("saved", { time: time() }));
      } else this.status(answer.status === 401 ? say("signedOut") : say(answer.status === 404 || answer.status === 409 ? "draftGone" : "savedHere", { time: time() }));
    } catch {
      this.status(say("savedHere", { time: time() }));
      this.again(values);
    }
  }

  private message(values: Values): unknown {
    return { values, form_hash: this.input.formHash, known: this.known, base: this.base, opened: this.opened };
  }

  private learn(sent: Values, told: { saved_at: string } & Answer): void {
    this.known = told.saved_at;
    this.base = told.values ?? sent;
    if (told.values || told.conflicts.length) this.merged(told);
  }

  /** The network was cut: what could not be sent goes as soon as it is back. */
  private again(values: Values): void {
    this.pending ??= values;
    window.addEventListener("online", () => this.pending && (this.sending = this.sending.then(() => this.pending ? this.send(this.pending) : undefined)), { once: true });
  }

  private leave(): void {
    if (!this.pending || this.finished) return;
    keep(this.input.draft!.key, { values: this.pending, savedAt: new Date().toISOString(), known: this.known, base: this.base });
    if (this.input.draft!.url) void post(this.input.draft!.url, this.message(this.pending), true).catch(() => {});
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
