/** Replaces words of a library that cannot be translated otherwise, as they appear; what people typed is left alone. */
const ATTRIBUTES = ["title", "placeholder", "aria-label", "alt"];

export function replaceWords(root: HTMLElement, words: Record<string, string>, within: string): void {
  const chrome = (node: Element | null) => node?.closest(within) && !node.closest(".cm-editor, [contenteditable]");
  const find = (text: string) => words[text] ?? words[text.toUpperCase()];
  const translate = (node: Node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent ?? "";
      const word = find(text.trim());
      if (word && word !== text.trim() && chrome(node.parentElement)) node.textContent = text.replace(text.trim(), word);
      return;
    }
    if (!(node instanceof Element)) return;
    for (const name of ATTRIBUTES) {
      const now = node.getAttribute(name) ?? "";
      const word = find(now);
      if (word && word !== now && chrome(node)) node.setAttribute(name, word);
    }
    node.childNodes.forEach(translate);
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") translate(change.target);
      else if (change.type === "attributes") translate(change.target);
      else change.addedNodes.forEach(translate);
    }
  }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
  translate(root);
}

