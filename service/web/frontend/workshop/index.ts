/* Pages of the workshop without an editor: the files of a working copy, and what is wrong with them. */
import "./workshop.css";
import { findFiles } from "./filelist";
import { Findings } from "./findings";
import { offerValues } from "./values";

const box = document.querySelector<HTMLElement>("[data-check]");
if (box) void new Findings(box, box.dataset.check!, box.dataset.edit!, null, async () => ({})).now();

findFiles();
offerValues();
