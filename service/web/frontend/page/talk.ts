/** Put "@name " into the text when somebody is picked from the list beside it. */
export function insertMentions(root: Document): void {
  root.addEventListener("change", (event) => {
    const pick = event.target as HTMLSelectElement;
    const text = pick.dataset?.mention ? (root.getElementById(pick.dataset.mention) as HTMLTextAreaElement | null) : null;
    if (!text || !pick.value) return;
    const at = text.selectionEnd;
    const said = `@${pick.value} `;
    text.value = text.value.slice(0, at) + said + text.value.slice(at);
    pick.value = "";
    text.focus();
    text.setSelectionRange(at + said.length, at + said.length);
  });
}

/** Ctrl + Enter hands a task in and opens the next one. */
export function handInByKey(root: Document): void {
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const inTalk = (event.target as HTMLElement).closest?.("[data-talk]");
    const button = inTalk ? null : root.querySelector<HTMLButtonElement>("button[data-key-next]");
    if (!button) return;
    event.preventDefault();
    // What is being typed counts: leaving the field tells the form.
    (root.activeElement as HTMLElement | null)?.blur();
    button.click();
  });
}

/** One box ticks all boxes of a name. */
export function tickAll(root: Document): void {
  root.addEventListener("change", (event) => {
    const all = event.target as HTMLInputElement;
    const name = all.dataset?.all;
    if (!name) return;
    for (const one of root.querySelectorAll<HTMLInputElement>(`input[type=checkbox][name="${name}"]`)) one.checked = all.checked;
  });
}

/** Print the page: what is only for the screen stays off the paper. */
export function printPage(root: Document): void {
  root.addEventListener("click", (event) => {
    if ((event.target as HTMLElement).closest?.("[data-print]")) window.print();
  });
}
