/* Two versions of a diagram beside each other, moved together, differences in colours. */
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import "./compare.css";
import { Pair } from "./pair";

const box = document.querySelector<HTMLElement>("[data-compare]");
if (box) {
  const picker = box.querySelector<HTMLSelectElement>("[data-compare-file]")!;
  const pair = new Pair(box);
  picker.addEventListener("change", () => void pair.show(picker.value));
  void pair.show(picker.value);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-show]")) {
    button.addEventListener("click", async () => {
      if (picker.value !== button.dataset.showFile) {
        picker.value = button.dataset.showFile!;
        await pair.show(picker.value);
      }
      pair.find(button.dataset.show!);
      box.scrollIntoView({ block: "start", behavior: "smooth" });
    });
  }
}
