import { Form } from "@bpmn-io/form-js-viewer";
import { attachmentsModule } from "../form/attachments";
import { DateFieldsModule } from "../form/dates";
import { TranslateModule } from "../form/translate";
import type { Context, Use } from "../modeler/context";
import { csrfToken } from "../page/csrf";
import { isChinese } from "../page/words";

const say = (zh: string, en: string) => (isChinese ? zh : en);

const READER = "reader";

function option(value: string, label: string): HTMLOptionElement {
  return new Option(label, value);
}

/** The form as people will see it: as each task opens it, with data of that task to try, and as a reader sees it. */
export class Preview {
  private form: Form | null = null;
  private readonly place = document.createElement("div");
  private readonly data = document.createElement("textarea");
  private readonly role = document.createElement("select");
  private uses: Use[] | null = null;
  private readonly problem = document.createElement("p");
  private readonly result = document.createElement("pre");

  constructor(
    private readonly box: HTMLElement,
    private readonly schema: () => any,
    private readonly urls: { context: string; sample: string },
    private readonly typed: () => Record<string, string>,
  ) {
    const frame = box.querySelector<HTMLElement>("[data-preview]")!;
    const side = document.createElement("div");
    side.className = "preview-side";
    const label = document.createElement("label");
    label.className = "form-label";
    label.htmlFor = this.data.id = "preview-data";
    label.textContent = say("打开时已有的数据（JSON）", "Data it opens with (JSON)");
    this.data.className = "form-control";
    this.data.rows = 8;
    this.data.value = "{}";
    this.data.spellcheck = false;
    const who = document.createElement("label");
    who.className = "form-label";
    who.htmlFor = this.role.id = "preview-role";
    who.textContent = say("谁来打开", "Who opens it");
    this.role.className = "form-select";
    this.role.append(option("", say("填写的人", "Somebody who fills it in")), option(READER, say("只读的查看者", "Somebody who only reads it")));
    this.problem.className = "field-error";
    this.problem.setAttribute("role", "alert");
    const heading = document.createElement("h2");
    heading.textContent = say("会提交的数据", "What would be handed in");
    this.result.className = "source";
    this.result.tabIndex = 0;
    side.append(who, this.role, label, this.data, this.problem, heading, this.result);
    this.place.className = "gh-form preview-place";
    frame.append(this.place, side);
    this.data.addEventListener("change", () => void this.draw());
    this.role.addEventListener("change", () => void this.chosen());
  }

  show(shown: boolean): void {
    this.box.classList.toggle("is-previewing", shown);
    this.box.querySelector<HTMLElement>("[data-preview]")!.hidden = !shown;
    if (!shown) return this.end();
    void this.draw();
    void this.offer();
  }

  /** One choice for every task that opens the form, with those who do the task. */
  private async offer(): Promise<void> {
    if (this.uses) return;
    this.uses = [];
    const answer = await fetch(this.urls.context, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { uses, roles } = (await answer.json()) as Context;
    const id = this.schema().id;
    this.uses = uses.filter((one) => one.form === id);
    const names = (use: Use) =>
      use.groups.map((code) => roles.find((role) => role.code === code)?.name ?? code).join(isChinese ? "、" : ", ") ||
      use.lane ||
      say("办理人", "its assignee");
    this.uses.forEach((use, index) => {
      this.role.append(option(String(index), isChinese ? `${names(use)}：${use.name}（${use.process}）` : `${names(use)}: ${use.name} (${use.process})`));
    });
  }

  /** Open the form as at a task: with made-up data of the kind the case has there. */
  private async chosen(): Promise<void> {
    const use = this.uses?.[Number(this.role.value)];
    if (use && this.role.value !== "") {
      const answer = await fetch(this.urls.sample, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
        body: JSON.stringify({ element: use.element, form: use.form, files: this.typed() }),
      });
      if (answer.ok) this.data.value = JSON.stringify((await answer.json()).data, null, 2);
    }
    await this.draw();
  }

  private async draw(): Promise<void> {
    this.end();
    let data: Record<string, unknown>;
    try {
      data = JSON.parse(this.data.value || "{}");
      this.problem.textContent = "";
    } catch (error) {
      this.problem.textContent = (error as Error).message;
      return;
    }
    this.form = new Form({
      container: this.place,
      debounce: false,
      properties: { readOnly: this.role.value === READER },
      additionalModules: [
        TranslateModule,
        DateFieldsModule,
        attachmentsModule({ url: "", limit: 50 * 1024 * 1024, types: [], instance: null } as any),
      ],
    });
    const result = () => (this.result.textContent = JSON.stringify(this.form!._getSubmitData(), null, 2));
    this.form.on("changed", result);
    await this.form.importSchema(JSON.parse(JSON.stringify(this.schema())), data);
    result();
  }

  private end(): void {
    this.form?.destroy();
    this.form = null;
    this.place.replaceChildren();
  }
}
