/* The forms of tasks and starts, and the submitted forms of a case. */
import "@bpmn-io/form-js-viewer/dist/assets/form-js.css";
import "./form.css";
import { forget } from "./draft";
import { mount } from "./mount";

// A task that is done or a case that has started needs no copy of its draft in this browser any more.
for (const done of document.querySelectorAll<HTMLElement>("[data-forget-draft]")) forget(done.dataset.forgetDraft!);
for (const box of document.querySelectorAll<HTMLElement>("[data-form]")) void mount(box);
