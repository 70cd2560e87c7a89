/* Pages of the workshop without an editor: what is wrong with a working copy. */
import "./workshop.css";
import { Findings } from "./findings";

const box = document.querySelector<HTMLElement>("[data-check]");
if (box) void new Findings(box, box.dataset.check!, box.dataset.edit!, null, async () => ({})).now();
