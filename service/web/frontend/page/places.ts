/* Rows of links that are wider than a phone: the one in which the reader is stands in sight. */

const ROWS = ".nav-main, .tabs";

/** Shows the current link of each row, also in what htmx brings. */
export function showCurrent(root: Document): void {
  const show = (): void => {
    for (const row of root.querySelectorAll(ROWS)) {
      const place = row.closest<HTMLElement>(".nav-wrap") ?? (row as HTMLElement);
      const current = row.querySelector<HTMLElement>("[aria-current]");
      if (!current || place.scrollWidth <= place.clientWidth) continue;
      const { left, right } = current.getBoundingClientRect();
      const seen = place.getBoundingClientRect();
      // Only the row moves, never the page.
      if (right > seen.right) place.scrollLeft += right - seen.right;
      else if (left < seen.left) place.scrollLeft -= seen.left - left;
    }
  };
  show();
  root.addEventListener("htmx:after:swap", show);
}
