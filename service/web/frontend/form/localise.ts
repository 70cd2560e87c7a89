import { say } from "../page/words";

/** form-js has a few English words that do not go through its translate service; put ours in their place. */
export function localise(place: HTMLElement): void {
  const fix = () => {
    for (const input of place.querySelectorAll<HTMLInputElement>('.fjs-form-field-select input[placeholder="Search"]')) {
      input.placeholder = say("pick");
    }
    for (const empty of place.querySelectorAll(".fjs-form-field-select .fjs-select-placeholder")) {
      if (empty.textContent === "Select") empty.textContent = say("pick");
    }
    for (const empty of place.querySelectorAll(".fjs-form-field-select .fjs-dropdownlist-empty")) {
      if (empty.textContent === "No results") empty.textContent = say("noMatch");
    }
    const items = place.querySelectorAll<HTMLElement>('.fjs-repeat-row-remove[aria-label^="Remove list item"]');
    for (const button of items) {
      button.setAttribute("aria-label", say("removeItem", { number: button.getAttribute("aria-label")!.split(" ").at(-1)! }));
    }
  };
  fix();
  new MutationObserver(fix).observe(place, { childList: true, subtree: true });
}
