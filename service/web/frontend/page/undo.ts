/** Count the seconds in which a submission can be taken back; afterwards the offer is gone. */
export function countDown(root: Document): void {
  for (const form of root.querySelectorAll<HTMLElement>("form[data-undo]")) {
    let left = Number(form.dataset.undo);
    const shown = form.querySelector("[data-left]");
    const tick = window.setInterval(() => {
      left -= 1;
      if (shown) shown.textContent = String(Math.max(left, 0));
      if (left > 0 || form.dataset.sent) return;
      clearInterval(tick);
      form.remove();
    }, 1000);
  }
}
