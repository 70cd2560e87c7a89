/* A list and the form above it. The form alone asks for the list, and no answer ever replaces the form: what is being
   typed stays, and of two questions the later one counts. */

/** Links marked `data-finds` set the form's fields to what their address says, and let the form ask. */
export function findByForm(root: Document): void {
  root.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-finds]");
    const form = root.querySelector<HTMLFormElement>("form[data-finder]");
    if (!link || !form || event.defaultPrevented || !isPlain(event)) return;
    event.preventDefault();
    follow(form, link);
    form.requestSubmit();
  });
  root.addEventListener("htmx:before:request", (event) => {
    const form = event.target as Element;
    if (form instanceof HTMLFormElement && form.matches("[data-finder]")) offerToClear(form);
  });
  root.addEventListener("htmx:after:swap", (event) => {
    const form = root.querySelector<HTMLFormElement>("form[data-finder]");
    // A button in the list answers with the list as it was asked for then; the form may have moved on since.
    if (form && event.target !== form && !agrees(form, root.querySelector("[data-found]"))) form.requestSubmit();
  });
}

/** True where the list is the one that the form asks for. */
function agrees(form: HTMLFormElement, list: HTMLElement | null): boolean {
  if (!list) return true;
  const said = new URL(list.dataset.found!, location.href).searchParams;
  return fields(form).every((field) => (said.get(field.name) ?? unset(field)) === field.value.trim());
}

/** What the reader opened stays open when the list is replaced, and on the next page. */
export function rememberOpened(root: Document): void {
  const restore = () => {
    for (const details of root.querySelectorAll<HTMLDetailsElement>("details[data-remembers]")) {
      details.open = sessionStorage.getItem(`guohe:open:${details.dataset.remembers}`) === "yes";
      details.addEventListener("toggle", () => {
        sessionStorage.setItem(`guohe:open:${details.dataset.remembers}`, details.open ? "yes" : "no");
      });
    }
  };
  restore();
  root.addEventListener("htmx:after:swap", restore);
}

/** Whoever is at a row stays at it when the list is replaced; where it is gone, at the one that took its place. */
export function keepPlace(root: Document): void {
  let place: { address: string; number: number } | undefined;
  const links = () => [...root.querySelectorAll<HTMLAnchorElement>("#inbox-panel tbody a.main")];
  root.addEventListener("htmx:before:swap", () => {
    const row = root.activeElement?.closest("#inbox-panel tbody tr");
    const link = row?.querySelector<HTMLAnchorElement>("a.main");
    place = link ? { address: link.href, number: links().indexOf(link) } : undefined;
  });
  root.addEventListener("htmx:after:swap", () => {
    if (!place || root.activeElement?.closest("#inbox-panel, #inbox-find")) return;
    const now = links();
    const link = now.find((one) => one.href === place!.address) ?? now[Math.min(place.number, now.length - 1)];
    link?.focus();
  });
}

function unset(field: HTMLInputElement | HTMLSelectElement): string {
  return field instanceof HTMLSelectElement ? field.options[0]!.value : "";
}

function isPlain(event: MouseEvent): boolean {
  return event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}

/** `data-finds="box"` sets that field alone; without a name, every field, and empties those the address leaves out. */
function follow(form: HTMLFormElement, link: HTMLAnchorElement): void {
  const said = new URL(link.href).searchParams;
  const only = link.dataset.finds;
  for (const field of fields(form)) {
    if (only ? field.name !== only : field.name === "sort") continue;
    field.value = said.get(field.name) ?? "";
  }
}

function fields(form: HTMLFormElement): (HTMLInputElement | HTMLSelectElement)[] {
  return [...form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input[name], select[name]")];
}

/** The way to clear is there when there is something to clear. */
function offerToClear(form: HTMLFormElement): void {
  const away = form.querySelector<HTMLElement>("[data-finds-away]");
  const kept = (field: HTMLInputElement | HTMLSelectElement) => field.name === "box" || field.name === "sort";
  if (away) away.hidden = !fields(form).some((field) => !kept(field) && field.value !== "");
}
