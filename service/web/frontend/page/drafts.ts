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
