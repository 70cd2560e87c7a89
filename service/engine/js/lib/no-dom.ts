/** The little of a browser that form-js touches while it is loaded. Nothing is ever rendered here. */
const element = (): object => ({
  classList: { add() {} },
  style: {},
  appendChild() {},
  setAttribute() {},
  addEventListener() {},
});

Object.assign(globalThis, {
  window: globalThis,
  document: { createElement: element, documentElement: element(), body: element(), addEventListener() {} },
  navigator: { userAgent: "", platform: "" },
  KeyboardEvent: class {},
  addEventListener() {},
});
