/** Narrow the list of files down to those whose name or procedure holds what is typed. */
export function findFiles(): void {
  const field = document.querySelector<HTMLInputElement>("[data-file-find]");
  const none = document.querySelector<HTMLElement>("[data-file-none]");
  if (!field || !none) return;
  const groups = [...document.querySelectorAll<HTMLElement>("[data-file-group]")];
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const group of groups) narrow(group, wanted);
    none.hidden = groups.some((group) => !group.hidden);
  });
}

function narrow(group: HTMLElement, wanted: string): void {
  const has = (element: Element | null) => (element?.textContent ?? "").toLowerCase().includes(wanted);
  const whole = has(group.querySelector("h3"));
  const files = [...group.querySelectorAll<HTMLElement>("[data-file]")];
  for (const file of files) file.hidden = !whole && !has(file.querySelector("a"));
  group.hidden = files.every((file) => file.hidden);
  const fold = group.querySelector<HTMLDetailsElement>("[data-file-fold]");
  if (!fold) return;
  const found = [...fold.querySelectorAll<HTMLElement>("[data-file]")].some((file) => !file.hidden);
  fold.hidden = !found;
  fold.open = wanted !== "" && found && !whole;
}
