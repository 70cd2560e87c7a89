/**
 * Style elements that libraries make at run time become constructed style sheets: those need no inline style, so the
 * content security policy stays strict. Import this before the libraries.
 */
const sheets = new WeakMap<HTMLStyleElement, CSSStyleSheet>();
const create = document.createElement.bind(document);

function sheetOf(element: HTMLStyleElement): CSSStyleSheet {
  let sheet = sheets.get(element);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheets.set(element, sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  return sheet;
}

function adopt(element: HTMLStyleElement): HTMLStyleElement {
  let text = "";
  const write = (value: string | null) => {
    text = value ?? "";
    sheetOf(element).replaceSync(text);
  };
  Object.defineProperty(element, "textContent", { get: () => text, set: write });
  Object.defineProperty(element, "innerHTML", { get: () => text, set: write });
  element.appendChild = <T extends Node>(node: T): T => {
    write(text + (node.textContent ?? ""));
    return node;
  };
  return element;
}

document.createElement = ((name: string, options?: ElementCreationOptions) => {
  const element = create(name, options);
  return name.toLowerCase() === "style" ? adopt(element as HTMLStyleElement) : element;
}) as typeof document.createElement;

export {};
