import { drawingRules } from "../../../engine/js/lib/drawing-rules";
import { isChinese } from "../page/words";
import type { Finding } from "../workshop/findings";

type Report = { id: string; message: string; category: string };

/**
 * Marks findings at their elements. How a diagram is drawn is looked at here, at once, by the code that the server runs,
 * too; everything else comes from the server a moment later.
 */
class Marks {
  static $inject = ["linting", "bpmnjs"];
  private found: Finding[] = [];

  constructor(linting: any, bpmnjs: any) {
    linting.lint = async () => this.byRule(bpmnjs.getDefinitions());
    linting.show = (found: Finding[]) => {
      this.found = found;
      linting.update();
    };
  }

  private byRule(definitions: object | undefined): Record<string, Report[]> {
    const rules: Record<string, Report[]> = {};
    const drawn = definitions ? drawingRules(definitions) : [];
    const here = new Set(drawn.map(({ rule }) => rule));
    for (const one of drawn) {
      add(rules, one.rule, { id: one.id, message: isChinese ? one.zh : one.en, category: category(one.severity) });
    }
    for (const one of this.found) {
      if (!one.element || here.has(one.rule)) continue;
      add(rules, one.rule, { id: one.element, message: `${one.text} ${one.fix}`, category: category(one.severity) });
    }
    return rules;
  }
}

function add(rules: Record<string, Report[]>, rule: string, report: Report): void {
  (rules[rule] ??= []).push(report);
}

function category(severity: string): string {
  return severity === "warning" ? "warn" : severity;
}

export const ServerLintingModule = {
  __init__: ["findingMarks"],
  findingMarks: ["type", Marks],
};
