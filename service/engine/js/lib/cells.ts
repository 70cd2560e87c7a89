/** What a cell of a decision table lets through, as far as it can be said without any variable. */
import type { SyntaxNode } from "@lezer/common";

import { treeOf, valueOf } from "./evaluating";
import { functions } from "./functions";
import { plain } from "./values";

/** A date or a time is `{ moment }`. Bounds without a value are open to that side. `equal` bounds stand for one value, which may be null. */
export type Part = { low?: unknown; lowOpen?: boolean; high?: unknown; highOpen?: boolean; equal?: unknown };
export type Cell = { parts: Part[]; but: boolean } | null;

const ANY: Cell = { parts: [{}], but: false };
const CONSTRUCTORS = /^(?:date|time|date and time)$/;

/** The parts a cell names, `but` where all others pass; null where only an evaluation could tell. */
export function cellOf(text: string): Cell {
  if (["", "-"].includes(text.trim())) return ANY;
  const tests: SyntaxNode[] = [];
  let but = false;
  const tree = treeOf("test", text);
  const top = offspring(tree.topNode);
  if (top.length === 1 && top[0].name === "Wildcard") return ANY;
  if (top.length && top[0].name === "not") but = true;
  const lists = top.filter((node) => node.name === "PositiveUnaryTests");
  if (lists.length !== 1) return null;
  for (const test of offspring(lists[0])) {
    if (test.name !== "PositiveUnaryTest") continue;
    tests.push(test);
  }
  if (tests.length === 1) {
    const inner = only(tests[0]);
    if (inner?.name === "FunctionInvocation" && wordOf(offspring(inner)[0]) === "not") {
      const parameters = offspring(inner).find((node) => node.name === "PositionalParameters");
      if (!parameters) return null;
      const parts = offspring(parameters).filter(isValue).map(partOf);
      return parts.includes(null) || but ? null : { parts: parts as Part[], but: true };
    }
  }
  const parts = tests.map((test) => partOf(only(test)));
  return parts.includes(null) || !parts.length ? null : { parts: parts as Part[], but };

  function partOf(node: SyntaxNode | null): Part | null {
    if (!node) return null;
    if (node.name === "SimplePositiveUnaryTest") {
      const children = offspring(node);
      if (children[0]?.name === "CompareOp") return compared(wordOf(children[0]), children[1]);
      return partOf(only(node));
    }
    if (node.name === "Interval") return interval(node);
    if (node.name === "Comparison") {
      const [left, operator, right] = offspring(node);
      if (left?.name === "?" && operator?.name === "CompareOp") return compared(wordOf(operator), right);
      return null;
    }
    const value = constant(node);
    return value === undefined ? null : { equal: value };
  }

  function compared(operator: string, node: SyntaxNode | undefined): Part | null {
    const value = node ? constant(node) : undefined;
    if (value === undefined) return null;
    if (operator === "=") return { equal: value };
    if (value === null) return null;
    if (operator === "<") return { high: value, highOpen: true };
    if (operator === "<=") return { high: value };
    if (operator === ">") return { low: value, lowOpen: true };
    return operator === ">=" ? { low: value } : null;
  }

  function interval(node: SyntaxNode): Part | null {
    const children = offspring(node);
    const ends = children.filter(isValue);
    if (ends.length !== 2) return null;
    const [low, high] = ends.map(constant);
    if (low === undefined || high === undefined || low === null || high === null) return null;
    const first = text[node.from];
    const last = text[node.to - 1];
    return { low, lowOpen: first !== "[", high, highOpen: last !== "]" };
  }

  /** The value of a text that no variable and no clock changes; undefined where there is none. */
  function constant(node: SyntaxNode): unknown {
    let fixed = true;
    node.cursor().iterate((it) => {
      if (it.name === "?" || it.name === "⚠") fixed = false;
      if (it.name === "VariableName" && !CONSTRUCTORS.test(wordOf(it.node))) fixed = false;
    });
    if (!fixed) return undefined;
    try {
      const value = plain(valueOf(text.slice(node.from, node.to), functions("")));
      return /^(?:DateTimeLiteral|AtLiteral)$/.test(node.name) ? { moment: value } : value;
    } catch {
      return undefined;
    }
  }

  function wordOf(node: SyntaxNode): string {
    return text.slice(node.from, node.to).replace(/\s+/g, " ").trim();
  }
}

function isValue(node: SyntaxNode): boolean {
  return !["[", "]", "(", ")", ",", "..", "⚠"].includes(node.name);
}

function only(node: SyntaxNode): SyntaxNode | null {
  const children = offspring(node).filter(isValue);
  return children.length === 1 ? children[0] : null;
}

function offspring(node: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) nodes.push(child);
  return nodes;
}
