/* New tasks appear without a reload. The page asks with the ETag of what it shows: 304 costs one small answer and no
   thread of the server waits. Nobody's click lands on a row that has just moved: while pointer or focus is in the list,
   a button offers what is new. */
import htmx from "htmx.org/dist/htmx.esm.js";

const EVERY = 15_000;

/** Look every few seconds, while somebody can see the page. */
export function watchForNews(root: Document): void {
  if (!root.querySelector("[data-found]")) return;
  let tag = "";
  let shown = "";
  setInterval(() => void look(), EVERY);
  root.addEventListener("visibilitychange", () => void look());
  root.addEventListener("guohe:look", () => void look());
  root.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-news] button")) show();
  });

  async function look(): Promise<void> {
    const panel = root.querySelector<HTMLElement>("[data-found]");
    if (!panel || root.hidden) return;
    const asked = panel.dataset.found!;
    if (asked !== shown) tag = "";
    const headers: Record<string, string> = { "HX-Request": "true", "X-Unattended": "yes" };
    if (tag) headers["If-None-Match"] = tag;
    try {
      const answer = await fetch(asked, { headers, cache: "no-store", redirect: "manual" });
      if (answer.status !== 200 || panel.dataset.found !== asked) return;
      const first = tag === "" && !differs(panel, await answer.clone().text());
      tag = answer.headers.get("ETag") ?? "";
      shown = asked;
      if (!first) offer(panel);
    } catch {
      /* no connection: the next look will tell */
    }
  }

  function offer(panel: HTMLElement): void {
    if (busy(panel)) panel.querySelector<HTMLElement>("[data-news]")!.hidden = false;
    else show();
  }

  function show(): void {
    const panel = root.querySelector<HTMLElement>("[data-found]")!;
    void htmx.ajax("GET", panel.dataset.found!, { target: "#inbox-panel", swap: "outerHTML" });
  }
}

function busy(panel: HTMLElement): boolean {
  return panel.matches(":hover") || panel.contains(document.activeElement);
}

/** True where the rows are not those on the page. */
function differs(panel: HTMLElement, html: string): boolean {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  return rows(panel) !== rows(fresh);
}

function rows(of: ParentNode): string {
  return [...of.querySelectorAll("[data-rows] tbody tr")].map((row) => row.textContent!.replace(/\s+/g, " ")).join("|");
}
