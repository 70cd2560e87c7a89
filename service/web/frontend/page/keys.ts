/* Keys for those who work without a mouse. None acts while somebody types, and they can be switched off altogether,
   so that dictation and screen readers with keys of their own are not disturbed. */

const OFF = "guohe:keys-off";
const PLACES: Record<string, string> = { i: "inbox", s: "start", c: "cases", r: "register" };

/** Listen; `?` shows what there is. */
export function listenForKeys(root: Document): void {
  const sheet = root.querySelector<HTMLDialogElement>("dialog[data-keys]");
  if (!sheet) return;
  const off = sheet.querySelector<HTMLInputElement>("[data-keys-off]");
  if (off) {
    off.checked = isOff();
    off.addEventListener("change", () => localStorage.setItem(OFF, off.checked ? "yes" : "no"));
  }
  root.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-keys-open]")) sheet.showModal();
  });
  let going = 0;
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isOff() || sheet.open || types(event.target)) return;
    const go = Date.now() - going < 1500 ? PLACES[event.key] : undefined;
    going = event.key === "g" ? Date.now() : 0;
    if (go) {
      root.querySelector<HTMLElement>(`[data-place="${go}"]`)?.click();
    } else if (event.key === "?") sheet.showModal();
    else if (!act(root, event.key)) return;
    event.preventDefault();
  });
}

function isOff(): boolean {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false;
  }
}

function types(target: EventTarget | null): boolean {
  const element = target as HTMLElement;
  return element.isContentEditable || !!element.closest?.("input, textarea, select, [role=textbox], .djs-container, .cm-editor, dialog");
}

/** Do what a key says; false where the page has nothing to do it with. */
function act(root: Document, key: string): boolean {
  switch (key) {
    case "/":
      return focus(root.querySelector<HTMLElement>("[role=search] input[type=search]"));
    case "j":
      return move(root, 1);
    case "k":
      return move(root, -1);
    case "o":
      return press(row(root)?.querySelector<HTMLElement>("a.main"));
    case "c":
      return press(row(root)?.querySelector<HTMLElement>("[data-key=c]") ?? root.querySelector<HTMLElement>(".claim-note [data-key=c]"));
    case "n":
      return press(root.querySelector<HTMLElement>("[data-key=n]") ?? links(root)[0]);
  }
  return false;
}

function links(root: Document): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>("main .list tbody a.main")];
}

function row(root: Document): Element | null {
  return root.activeElement?.closest("main .list tbody tr") ?? null;
}

function move(root: Document, by: number): boolean {
  const all = links(root);
  const now = row(root)?.querySelector<HTMLElement>("a.main");
  const place = now ? all.indexOf(now) + by : by > 0 ? 0 : all.length - 1;
  return focus(all[Math.min(Math.max(place, 0), all.length - 1)]);
}

function focus(element: HTMLElement | null | undefined): boolean {
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
  return !!element;
}

function press(element: HTMLElement | null | undefined): boolean {
  element?.click();
  return !!element;
}
