import { say } from "../page/words";
import type { Conflict } from "./input";

/** List the fields that were changed at two places; one's own stands until the other is taken. */
export function showConflicts(box: HTMLElement, conflicts: Conflict[], take: (one: Conflict) => void): void {
  if (!conflicts.length) return;
  box.hidden = false;
  let list = box.querySelector("ul");
  if (!list) {
    const title = document.createElement("p");
    title.textContent = say("changedElsewhere");
    list = document.createElement("ul");
    const body = document.createElement("div");
    body.append(title, list);
    box.replaceChildren(body);
  }
  for (const one of conflicts) {
    list.querySelector(`[data-path="${CSS.escape(one.path)}"]`)?.remove();
    list.append(item(box, one, take));
  }
}

function item(box: HTMLElement, one: Conflict, take: (one: Conflict) => void): HTMLLIElement {
  const line = document.createElement("li");
  line.dataset.path = one.path;
  const name = document.createElement("strong");
  name.textContent = one.label;
  const texts = document.createElement("span");
  texts.textContent = say("bothValues", { mine: one.mine_text || say("nothing"), theirs: one.theirs_text || say("nothing") });
  const close = () => {
    line.remove();
    if (!box.querySelector("li")) box.hidden = true;
  };
  line.append(name, texts, button(say("keepMine"), close), button(say("takeTheirs"), () => (take(one), close())));
  return line;
}

function button(text: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "link-button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}
