declare module "htmx.org/dist/htmx.esm.js" {
  const htmx: { config: Record<string, unknown>; process(element: Element): void; ajax(verb: string, path: string, how: Record<string, string>): Promise<void> };
  export default htmx;
}
