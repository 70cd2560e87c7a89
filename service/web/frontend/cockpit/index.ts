/* The cockpit: diagrams in colour, replay, two versions side by side. Loaded when one comes into view. */
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "./cockpit.css";
import { mapping } from "./mapping";

for (const frame of document.querySelectorAll<HTMLElement>("[data-mapping]")) mapping(frame);

/* What the chosen repair does not need is not asked. */
for (const choice of document.querySelectorAll<HTMLSelectElement>("select[data-asking]")) {
  const ask = () => {
    const asks = (choice.selectedOptions[0]?.dataset.asks ?? "").split(" ");
    for (const field of choice.form?.querySelectorAll<HTMLElement>("[data-asked]") ?? [])
      field.hidden = !asks.includes(field.dataset.asked ?? "");
  };
  choice.addEventListener("change", ask);
  ask();
}

const boxes = document.querySelectorAll<HTMLElement>("[data-cockpit-diagram]");
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    void import("./drawing").then(({ draw }) => draw(entry.target as HTMLElement));
  }
});
for (const box of boxes) seen.observe(box);
