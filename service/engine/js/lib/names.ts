/** What a FEEL tree takes from outside, calls, and uses that feelin cannot evaluate. */
import type { SyntaxNode, Tree } from "@lezer/common";

export type Use = { names: Set<string>; calls: Map<string, number>; refused: { what: string; at: number } | null };

const NOT_IMPLEMENTED = new Set(
  ["overlaps before", "overlaps after", "finishes", "finished by", "during", "starts", "started by", "coincides"],
);

export function use(tree: Tree, text: string): Use {
  const found: Use = { names: new Set(), calls: new Map(), refused: null };
  visit(tree.topNode, new Set());
  return found;

  function visit(node: SyntaxNode, bound: ReadonlySet<string>): void {
    const children = offspring(node);
    switch (node.name) {
      case "VariableName":
        if (!bound.has(word(node))) found.names.add(word(node));
        return;
      case "FunctionInvocation": {
        const [target, ...rest] = children;
        if (target.name === "VariableName") {
          const name = word(target);
          if (!bound.has(name)) found.calls.set(name, target.from);
          if (NOT_IMPLEMENTED.has(name)) found.refused ??= { what: `${name}()`, at: target.from };
        } else visit(target, bound);
        rest.forEach((child) => visit(child, bound));
        return;
      }
      case "InstanceOfExpression":
        found.refused ??= { what: "instance of", at: node.from };
        return;
      case "PathExpression":
        visit(children[0], bound);
        return;
      case "FilterExpression":
        visit(children[0], bound);
        children.slice(1).forEach((child) => visit(child, new Set([...bound, "item"])));
        return;
      case "ForExpression":
      case "QuantifiedExpression": {
        let inner = new Set([...bound, ...(node.name === "ForExpression" ? ["partial"] : [])]);
        for (const child of children) {
          if (child.name !== "InExpressions") {
            visit(child, inner);
            continue;
          }
          for (const each of offspring(child)) {
            const [name, ...domain] = offspring(each);
            domain.forEach((part) => visit(part, inner));
            inner = new Set([...inner, word(name)]);
          }
        }
        return;
      }
      case "FunctionDefinition": {
        const inner = new Set(bound);
        node.cursor().iterate((it) => void (it.name === "ParameterName" && inner.add(word(it.node))));
        children.filter((child) => child.name === "FunctionBody").forEach((child) => visit(child, inner));
        return;
      }
      case "Context": {
        let inner = bound;
        for (const entry of children.filter((child) => child.name === "ContextEntry")) {
          const [key, value] = offspring(entry);
          if (value) visit(value, inner);
          inner = new Set([...inner, word(key).replace(/^"|"$/g, "")]);
        }
        return;
      }
      case "NamedParameter":
        children.slice(1).forEach((child) => visit(child, bound));
        return;
      case "Type":
        return;
      default:
        children.forEach((child) => visit(child, bound));
    }
  }

  function word(node: SyntaxNode): string {
    return text.slice(node.from, node.to).replace(/`/g, "").replace(/\s+/g, " ").trim();
  }
}

function offspring(node: SyntaxNode): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) nodes.push(child);
  return nodes;
}
