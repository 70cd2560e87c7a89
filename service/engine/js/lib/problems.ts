/** Why a FEEL text has no value. FEEL itself says null for much of this; a process must not go on with it. */
import type { Tree } from "@lezer/common";

import { NotAValue, TooMuch } from "./values";

export type Problem =
  | { kind: "syntax"; message: string; from: number; to: number }
  | { kind: "function"; message: string }
  | { kind: "unknown"; message: string; from: number }
  | { kind: "unsupported"; message: string; from?: number }
  | { kind: "type"; message: string }
  | { kind: "value"; message: string }
  | { kind: "size" }
  | { kind: "depth" }
  | { kind: "internal"; message: string };

type Warning = { type: string; message: string; details: { values: Record<string, unknown> } };

/** The first warning that is an error: an unknown function, wrong arguments, arithmetic on unlike things. */
export function worst(warnings: unknown[]): Problem | null {
  for (const warning of warnings as Warning[]) {
    if (warning.type === "NO_FUNCTION_FOUND" || warning.type === "FUNCTION_INVOCATION_FAILURE") {
      return { kind: "function", message: warning.message };
    }
    // Arithmetic with null is null by definition; with a text instead of a number it is a mistake.
    const { left, right } = warning.details?.values ?? {};
    if (warning.type === "INVALID_TYPE" && left != null && right != null) {
      return { kind: "type", message: warning.message };
    }
  }
  return null;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Error && "problem" in error) return error.problem as Problem;
  if (error instanceof NotAValue) return { kind: "value", message: error.message };
  if (error instanceof TooMuch) return { kind: "size" };
  if (error instanceof RangeError) {
    return /call stack/.test(error.message) ? { kind: "depth" } : { kind: "size" };
  }
  const { message, position } = error as Error & { position?: { from: number; to: number } };
  if (/^not implemented/.test(message)) return { kind: "unsupported", message: message.slice(17) };
  if (position) return { kind: "syntax", message, ...position };
  return { kind: "internal", message: String(message ?? error).slice(0, 300) };
}

/** The first place where a text isn't FEEL. */
export function syntaxProblem(text: string, tree: Tree): Problem | null {
  let problem: Problem | null = null;
  tree.iterate({
    enter(node) {
      if (problem) return false;
      if (node.type.isError) {
        const { from, to } = node;
        problem = { kind: "syntax", message: text.slice(from, to) ? "unexpected" : "incomplete", from, to };
      }
    },
  });
  return problem;
}
