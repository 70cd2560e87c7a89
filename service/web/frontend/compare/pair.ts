import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

interface Answer {
  old: string;
  new: string;
  marks: Record<string, "added" | "removed" | "changed" | "layout">;
  changes: { element: string | null; kind: string; text: string }[];
}

/** Two viewers that move together. */
export class Pair {
  private readonly old: any;
  private readonly fresh: any;
  private moving = false;

  constructor(private readonly box: HTMLElement) {
    this.old = new NavigatedViewer({ container: box.querySelector<HTMLElement>("[data-compare-old]")! });
    this.fresh = new NavigatedViewer({ container: box.querySelector<HTMLElement>("[data-compare-new]")! });
    this.follow(this.old, this.fresh);
    this.follow(this.fresh, this.old);
  }

  /** Draw both versions of a file. */
  async show(file: string): Promise<void> {
    const answer = await fetch(`${this.box.dataset.compare}&file=${encodeURIComponent(file)}`, { headers: { Accept: "application/json" } });
    const { old, new: fresh, marks, changes } = (await answer.json()) as Answer;
    await this.draw(this.old, old, marks, ["removed", "changed", "layout"], changes);
    await this.draw(this.fresh, fresh, marks, ["added", "changed", "layout"], changes);
    const first = Object.entries(marks).find(([, kind]) => kind !== "layout");
    this.fresh.get("canvas").zoom("fit-viewport", "auto");
    if (first) this.find(first[0]);
  }

  /** Bring an element into view on both sides. */
  find(id: string): void {
    for (const viewer of [this.fresh, this.old]) {
      const element = viewer.get("elementRegistry").get(id);
      if (!element) continue;
      const canvas = viewer.get("canvas");
      if (canvas.zoom() < 0.6) canvas.zoom(0.8);
      const middle = element.waypoints
        ? element.waypoints[Math.floor(element.waypoints.length / 2)]
        : { x: element.x + element.width / 2, y: element.y + element.height / 2 };
      const view = canvas.viewbox();
      canvas.viewbox({ x: middle.x - view.width / 2, y: middle.y - view.height / 2, width: view.width, height: view.height });
      canvas.addMarker(id, "gh-found");
      setTimeout(() => canvas.removeMarker(id, "gh-found"), 1600);
      return;
    }
  }

  private async draw(viewer: any, xml: string, marks: Answer["marks"], kinds: string[], changes: Answer["changes"]): Promise<void> {
    if (!xml.trim()) {
      viewer.clear();
      return;
    }
    await viewer.importXML(xml);
    const canvas = viewer.get("canvas");
    const registry = viewer.get("elementRegistry");
    for (const [id, kind] of Object.entries(marks)) {
      const element = registry.get(id);
      if (!element || !kinds.includes(kind)) continue;
      canvas.addMarker(id, `gh-${kind}`);
      const said = changes.filter((one) => one.element === id).map((one) => one.text);
      if (said.length) {
        const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
        title.textContent = said.join("\n");
        registry.getGraphics(element).prepend(title);
      }
    }
  }

  /** Where one goes, the other goes. */
  private follow(one: any, other: any): void {
    one.on("canvas.viewbox.changed", ({ viewbox }: any) => {
      if (this.moving || !other.getDefinitions?.()) return;
      this.moving = true;
      try {
        other.get("canvas").viewbox({ x: viewbox.x, y: viewbox.y, width: viewbox.width, height: viewbox.height });
      } finally {
        this.moving = false;
      }
    });
  }
}
