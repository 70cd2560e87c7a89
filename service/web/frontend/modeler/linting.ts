import type { Finding } from "../workshop/findings";

/** Marks what the server has found at its elements; the same rules everywhere, so none run here. */
class ServerFindings {
  static $inject = ["linting", "elementRegistry"];
  private found: Finding[] = [];

  constructor(private readonly linting: any) {
    linting.lint = async () => this.byRule();
    linting.show = (found: Finding[]) => {
      this.found = found;
      linting.update();
    };
  }

  private byRule(): Record<string, { id: string; message: string; category: string }[]> {
    const rules: Record<string, { id: string; message: string; category: string }[]> = {};
    for (const one of this.found) {
      if (!one.element) continue;
      const category = one.severity === "warning" ? "warn" : one.severity;
      (rules[one.rule] ??= []).push({ id: one.element, message: `${one.text} ${one.fix}`, category });
    }
    return rules;
  }
}

export const ServerLintingModule = {
  __init__: ["serverFindings"],
  serverFindings: ["type", ServerFindings],
};
