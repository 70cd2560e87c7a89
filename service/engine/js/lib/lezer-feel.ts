/**
 * `@bpmn-io/lezer-feel` with a memory; feelin gets this module in its place (see `service/frontend.py`).
 *
 * feelin parses a text each time it evaluates it. What a text parses to depends on the variables only where their names
 * are not plain identifiers – `monthly salary`, `a-b`, `date` – so one tree serves for all variables otherwise.
 */
import {
  type VariableContext,
  normalizeContextKey as normalize,
  parser as original,
  trackVariables as track,
} from "../../../../node_modules/@bpmn-io/lezer-feel/dist/index.js";

type Tree = ReturnType<typeof original.parse>;
type Options = { top: string; contextTracker: Tracked; dialect?: string };

const MOST_NAMES = 20_000;
const normalized = new Map<string, string>();

/** The name as FEEL compares it; feelin asks for every name of a context while it looks for one that isn't there. */
export function normalizeContextKey(name: string): string {
  let known = normalized.get(name);
  if (known === undefined) {
    if (normalized.size > MOST_NAMES) normalized.clear();
    normalized.set(name, (known = normalize(name)));
  }
  return known;
}

const MOST_TREES = 2_000;
const trees = new Map<string, Tree>();

class Tracked {
  constructor(readonly context: object) {}
}

export function trackVariables(context: object = {}): Tracked {
  return new Tracked(context);
}

export const parser = {
  configure({ top, contextTracker, dialect }: Options) {
    return {
      parse(text: string): Tree {
        const special = specialNames(contextTracker.context, text);
        const key = `${top}\0${dialect}\0${[...special].sort().join("\0")}\0${text}`;
        const known = trees.get(key);
        if (known) return known;
        const context = (special.size ? contextTracker.context : {}) as VariableContext;
        const tree = original.configure({ top, dialect, contextTracker: track(context) }).parse(text);
        if (trees.size >= MOST_TREES) trees.delete(trees.keys().next().value!);
        trees.set(key, tree);
        return tree;
      },
    };
  },
};

const RESERVED = new Set(
  (
    "for in return if then else some every satisfies or and between instance of days time duration years months date " +
    "list context function null true false external not"
  ).split(" "),
);
const PLAIN = /^[A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u3001-\uD7FF][\w\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u3001-\uD7FF]*$/;
const plainNames = new Map<string, boolean>();

function isPlain(name: string): boolean {
  let plain = plainNames.get(name);
  if (plain === undefined) {
    plain = PLAIN.test(name) && !RESERVED.has(name);
    if (plainNames.size > MOST_NAMES) plainNames.clear();
    plainNames.set(name, plain);
  }
  return plain;
}

/** The names at any depth that change how the text reads: those that occur in it and aren't plain identifiers. */
function specialNames(context: object, text: string): Set<string> {
  const found = new Set<string>();
  const squeezed = text.replace(/\s+/g, "");
  visit(context, 0);
  return found;

  function visit(value: unknown, depth: number): void {
    if (value === null || typeof value !== "object" || depth > 50) return;
    if (Array.isArray(value)) return value.forEach((element) => visit(element, depth + 1));
    if (Object.getPrototypeOf(value) !== Object.prototype) return;
    for (const [name, own] of Object.entries(value)) {
      if (!isPlain(name) && squeezed.includes(name.replace(/\s+/g, ""))) found.add(name);
      if (own !== null && typeof own === "object") visit(own, depth + 1);
    }
  }
}
