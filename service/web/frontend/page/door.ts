/** Find a demo account by typing: what does not match steps aside, what does is opened. */
export function findAccounts(root: Document): void {
  const box = root.querySelector<HTMLElement>("[data-door-find]");
  const list = root.querySelector<HTMLElement>("[data-door-list]");
  const none = root.querySelector<HTMLElement>("[data-door-none]");
  const input = box?.querySelector("input");
  if (!box || !list || !none || !input) return;
  box.hidden = false;
  const sections = [...list.querySelectorAll<HTMLDetailsElement>("details")];
  const first = sections.map((section) => section.open);
  input.addEventListener("input", () => {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    sections.forEach((section, place) => {
      let here = 0;
      for (const group of section.querySelectorAll<HTMLElement>(".door-group")) {
        const name = group.querySelector("h4")!.textContent!.toLowerCase();
        let inside = 0;
        for (const item of group.querySelectorAll<HTMLElement>("li")) {
          const text = `${name} ${item.textContent!.toLowerCase()}`;
          item.hidden = !words.every((word) => text.includes(word));
          if (!item.hidden) inside += 1;
        }
        group.hidden = inside === 0;
        here += inside;
      }
      section.hidden = here === 0;
      section.open = words.length ? here > 0 : first[place];
      found += here;
    });
    none.hidden = found > 0;
  });
}
