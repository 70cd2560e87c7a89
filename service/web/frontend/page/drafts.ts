/** The server has what was typed: this browser need not keep its copy. */
export function forgetFinishedDraft(root: Document): void {
  const key = root.body.dataset.forgetDraft;
  if (!key) return;
  try {
    localStorage.removeItem(key);
  } catch {
    /* nothing was kept */
  }
}

/** Whoever signs out leaves nothing of a task behind in this browser; the server keeps the drafts. */
export function forgetDraftsAtTheDoor(root: Document): void {
  root.querySelector("form[data-signs-out]")?.addEventListener("submit", () => {
    try {
      for (const key of Object.keys(localStorage)) if (/^guohe:\d+:task:/.test(key)) localStorage.removeItem(key);
    } catch {
      /* nothing was kept */
    }
  });
}
