/** What a field of the case can be is offered where it is picked: each select names the input beside it. */
export function offerValues(): void {
  for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-values-of]")) {
    const input = document.getElementById(select.dataset.valuesOf!) as HTMLInputElement;
    const offer = () => {
      const list = select.selectedOptions[0]?.dataset.values;
      if (list) input.setAttribute("list", list);
      else input.removeAttribute("list");
    };
    select.addEventListener("change", () => {
      input.value = "";
      offer();
    });
    offer();
  }
}
