/* The forms of tasks and starts, and the submitted forms of a case. */
import "@bpmn-io/form-js-viewer/dist/assets/form-js.css";
import "./form.css";
import "./remarks.css";
import { mount } from "./mount";

function mountAll(): void {
  for (const box of document.querySelectorAll<HTMLElement>("[data-form]:not([data-mounted])")) {
    box.dataset.mounted = "yes";
    void mount(box);
  }
}

mountAll();
// Records of a case come in by htmx when they are opened.
document.addEventListener("htmx:after:swap", mountAll);
