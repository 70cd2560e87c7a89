/**
 * Style elements that libraries make at run time become constructed style sheets: those need no inline style, so the
 * content security policy stays strict. Import this before the libraries.
 */
const create = document.createElement.bind(document);

/** An element that takes a style's text as a style element does, and never is one: even an empty one is a violation. */
function styleElement(): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const element = create("gh-style");
  element.hidden = true;
  let text = "";
  const write = (value: string | null) => {
    text = value ?? "";
    sheet.replaceSync(text);
  };
  const property = { get: () => text, set: write };
  Object.defineProperties(element, { textContent: property, innerHTML: property, sheet: { value: sheet } });
  element.appendChild = <T extends Node>(node: T): T => {
    write(text + (node.textContent ?? ""));
    return node;
  };
  return element;
}

document.createElement = ((name: string, options?: ElementCreationOptions) =>
  name.toLowerCase() === "style" ? styleElement() : create(name, options)) as typeof document.createElement;

export {};
