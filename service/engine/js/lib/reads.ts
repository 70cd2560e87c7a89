/** What a FEEL text reads from outside, as paths, and what its value looks like. */
import type { SyntaxNode, Tree } from "@lezer/common";

/**
 * `sure` is false inside a filter, where a name may mean a member of the filtered items; `tested` is true where the
 * text itself asks whether there is a value.
 */
export type Read = { path: string[]; sure: boolean; tested: boolean };
/** `members` are known where a context is written out; `any` says that nothing is known. */
export type Shape = { type: string; members?: Record<string, Shape>; path?: string[] };

/** `holds` and `fails` name the variables that have a value where the text is true, and where it is not. */
export type Reading = { reads: Read[]; shape: Shape; holds: string[]; fails: string[] };

export function reads(tree: Tree, text: string): Reading {
  const found = new Map<string, Read>();
  const tested = new Set<string>();
  let branches = 0;
  visit(tree.topNode, new Set(), true);
  for (const read of found.values()) {
    read.tested ||= read.path.some((_, length) => tested.has(read.path.slice(0, length + 1).join(".")));
  }
  const only = offspring(tree.topNode);
  return {
    reads: [...found.values()],
    shape: only.length === 1 ? shapeOf(only[0]) : { type: "any" },
    holds: only.length === 1 ? [...factsOf(only[0], true)] : [],
    fails: only.length === 1 ? [...factsOf(only[0], false)] : [],
  };

  /** The variables that must have a value for a condition to come out like that. */
  function factsOf(node: SyntaxNode, truth: boolean): Set<string> {
    const children = offspring(node);
    switch (node.name) {
      case "ParenthesizedExpression":
        return children.length === 3 ? factsOf(children[1], truth) : new Set();
      case "Conjunction":
      case "Disjunction": {
        const sides = [factsOf(children[0], truth), factsOf(children[children.length - 1], truth)];
        const both = (node.name === "Conjunction") === truth;
        return new Set(both ? [...sides[0], ...sides[1]] : [...sides[0]].filter((name) => sides[1].has(name)));
      }
      case "VariableName":
      case "PathExpression": {
        const path = truth ? pathOf(node, new Set(), false) : null;
        return new Set(path ? [path[0]] : []);
      }
      case "FunctionInvocation": {
        const inner = children[1]?.firstChild?.nextSibling;
        const only = inner?.name === "PositionalParameters" ? offspring(inner) : [];
        if (word(children[0]) === "not" && only.length === 1) return factsOf(only[0], !truth);
        return new Set();
      }
      case "Comparison": {
        const [left, operator, right] = children;
        const none = left?.name === "null" || right?.name === "null";
        const sign = operator ? word(operator) : "";
        const given = none ? sign === (truth ? "!=" : "=") : truth && sign !== "!=" && isFixed(right);
        const path = given && left ? pathOf(left.name === "null" ? right : left, new Set(), false) : null;
        return new Set(path ? [path[0]] : []);
      }
      default:
        return new Set();
    }
  }

  function add(path: string[], sure: boolean): void {
    const key = path.join(".");
    const known = found.get(key);
    // What only one branch reads is read where that branch is meant.
    if (known) {
      known.sure ||= sure;
      known.tested &&= branches > 0;
    } else found.set(key, { path, sure, tested: branches > 0 });
  }

  /** The path a node stands for, visiting what filters on the way ask; null where it is no path. */
  function pathOf(node: SyntaxNode, bound: ReadonlySet<string>, sure: boolean): string[] | null {
    if (node.name === "VariableName") return [word(node)];
    const [left, ...rest] = offspring(node);
    if (node.name === "PathExpression" && rest.length) {
      const before = pathOf(left, bound, sure);
      return before && [...before, word(rest[rest.length - 1])];
    }
    if (node.name === "FilterExpression") {
      const before = pathOf(left, bound, sure);
      if (before) rest.forEach((child) => visit(child, new Set([...bound, "item"]), false));
      return before;
    }
    return null;
  }

  function visit(node: SyntaxNode, bound: ReadonlySet<string>, sure: boolean): void {
    const children = offspring(node);
    switch (node.name) {
      case "VariableName":
      case "PathExpression":
      case "FilterExpression": {
        const path = pathOf(node, bound, sure);
        if (path) {
          if (!bound.has(path[0])) add(path, sure);
        } else if (node.name === "FilterExpression") {
          visit(children[0], bound, sure);
          children.slice(1).forEach((child) => visit(child, new Set([...bound, "item"]), false));
        } else if (node.name === "PathExpression") visit(children[0], bound, sure);
        return;
      }
      case "Comparison":
        if (children.some((child) => child.name === "null")) children.forEach(test);
        children.forEach((child) => visit(child, bound, sure));
        return;
      case "FunctionInvocation": {
        const [target, ...rest] = children;
        const name = word(target);
        if (name === "is defined") rest.forEach((each) => each.cursor().iterate((it) => test(it.node)));
        if (target.name !== "VariableName") visit(target, bound, sure);
        rest.forEach((child) => visit(child, bound, sure));
        return;
      }
      case "IfExpression": {
        let place = "";
        for (const child of children) {
          if (["if", "then", "else"].includes(child.name)) place = child.name;
          else {
            branches += place === "if" ? 0 : 1;
            visit(child, bound, sure);
            branches -= place === "if" ? 0 : 1;
          }
        }
        return;
      }
      case "ForExpression":
      case "QuantifiedExpression": {
        let inner = new Set([...bound, ...(node.name === "ForExpression" ? ["partial"] : [])]);
        for (const child of children) {
          if (child.name !== "InExpressions") {
            visit(child, inner, sure);
            continue;
          }
          for (const each of offspring(child)) {
            const [name, ...domain] = offspring(each);
            domain.forEach((part) => visit(part, inner, sure));
            inner = new Set([...inner, word(name)]);
          }
        }
        return;
      }
      case "FunctionDefinition": {
        const inner = new Set(bound);
        node.cursor().iterate((it) => void (it.name === "ParameterName" && inner.add(word(it.node))));
        children.filter((child) => child.name === "FunctionBody").forEach((child) => visit(child, inner, sure));
        return;
      }
      case "Context": {
        let inner = bound;
        for (const entry of children.filter((child) => child.name === "ContextEntry")) {
          const [key, value] = offspring(entry);
          if (value) visit(value, inner, sure);
          inner = new Set([...inner, nameOf(key)]);
        }
        return;
      }
      case "NamedParameter":
        children.slice(1).forEach((child) => visit(child, bound, sure));
        return;
      case "Type":
        return;
      default:
        children.forEach((child) => visit(child, bound, sure));
    }
  }

  function test(node: SyntaxNode): void {
    const path = pathOf(node, new Set(), false);
    if (path) tested.add(path.join("."));
  }

  function shapeOf(node: SyntaxNode): Shape {
    const children = offspring(node);
    switch (node.name) {
      case "StringLiteral":
        return { type: "string" };
      case "NumericLiteral":
        return { type: "number" };
      case "BooleanLiteral":
      case "Comparison":
        return { type: "boolean" };
      case "List":
        return { type: "list" };
      case "ParenthesizedExpression": {
        const inner = children.filter((child) => child.name !== "(" && child.name !== ")");
        return inner.length === 1 ? shapeOf(inner[0]) : { type: "any" };
      }
      case "Context": {
        const members: Record<string, Shape> = {};
        for (const entry of children.filter((child) => child.name === "ContextEntry")) {
          const [key, value] = offspring(entry);
          members[nameOf(key)] = value ? shapeOf(value) : { type: "any" };
        }
        return { type: "context", members };
      }
      case "VariableName":
      case "PathExpression": {
        const path = pathOf(node, new Set(), false);
        return path && !text.slice(node.from, node.to).includes("[") ? { type: "any", path } : { type: "any" };
      }
      default:
        return { type: "any" };
    }
  }

  function nameOf(key: SyntaxNode): string {
    return word(key).replace(/^"|"$/g, "");
  }

  function word(node: SyntaxNode): string {
    return text.slice(node.from, node.to).replace(/`/g, "").replace(/\s+/g, " ").trim();
  }
}

function isFixed(node: SyntaxNode | undefined): boolean {
  return /Literal$|^PositiveUnaryTest/.test(node?.name ?? "");
}

function offspring(node: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) nodes.push(child);
  return nodes;
}
