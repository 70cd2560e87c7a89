import { Form } from "@bpmn-io/form-js-viewer";
import { attachmentsModule } from "../form/attachments";
import { DateFieldsModule } from "../form/dates";
import { TranslateModule } from "../form/translate";
import { isChinese } from "../page/words";

const say = (zh: string, en: string) => (isChinese ? zh : en);

/** The form as people will see it: with data to try, for those who fill it in and for those who only read it. */
export class Preview {
  private form: Form | null = null;
  private readonly place = document.createElement("div");
  private readonly data = document.createElement("textarea");
  private readonly reader = document.createElement("input");
  private readonly problem = document.createElement("p");
  private readonly result = document.createElement("pre");

  constructor(
    private readonly box: HTMLElement,
    private readonly schema: () => unknown,
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
    this.reader.type = "checkbox";
    const check = document.createElement("label");
    check.className = "check";
    check.append(this.reader, say("以查看者的身份（只读）", "As somebody who only reads it"));
    this.problem.className = "field-error";
    this.problem.setAttribute("role", "alert");
    const heading = document.createElement("h2");
    heading.textContent = say("会提交的数据", "What would be handed in");
    this.result.className = "source";
    this.result.tabIndex = 0;
    side.append(label, this.data, this.problem, check, heading, this.result);
    this.place.className = "gh-form preview-place";
    frame.append(this.place, side);
    this.data.addEventListener("change", () => void this.draw());
    this.reader.addEventListener("change", () => void this.draw());
  }

  show(shown: boolean): void {
    this.box.classList.toggle("is-previewing", shown);
    this.box.querySelector<HTMLElement>("[data-preview]")!.hidden = !shown;
    if (shown) void this.draw();
    else this.end();
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
      properties: { readOnly: this.reader.checked },
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
