/* Live diagrams: loaded when one comes into view. */
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "./viewer.css";

const boxes = document.querySelectorAll<HTMLElement>("[data-diagram]");
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    void import("./diagram").then(({ show }) => show(entry.target as HTMLElement));
  }
});
for (const box of boxes) seen.observe(box);
