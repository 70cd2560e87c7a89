/* Runs before the page is drawn, so that nobody who chose the dark is dazzled first. The reader's choice comes from the
   server; "auto" asks the system, and again when the system changes. */
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const more = matchMedia("(prefers-contrast: more)");

function follow(): void {
  const chosen = root.dataset.theme;
  if (!chosen) return;
  root.dataset.bsTheme = chosen === "dark" || (chosen !== "light" && dark.matches) ? "dark" : "light";
  root.toggleAttribute("data-contrast", chosen === "contrast" || (chosen === "auto" && more.matches));
}

follow();
dark.addEventListener("change", follow);
more.addEventListener("change", follow);
