import type NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

interface Move {
  at: string;
  label: string;
  entered: string[];
  left: string[];
  failed: string[];
  flows: string[];
}

const PACE = 700;

/** Let a case go its way again, step by step, by a slider or by itself. */
export async function replay(frame: HTMLElement, viewer: NavigatedViewer): Promise<void> {
  const answer = await fetch(frame.dataset.replay!, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { moves } = (await answer.json()) as { moves: Move[] };
  const slider = frame.querySelector<HTMLInputElement>("[data-replay-at]")!;
  const label = frame.querySelector<HTMLElement>("[data-replay-label]")!;
  const button = frame.querySelector<HTMLButtonElement>("[data-replay-play]")!;
  const canvas = viewer.get<any>("canvas");
  const registry = viewer.get<any>("elementRegistry");
  const painted = new Map<string, string>();
  let timer: number | undefined;

  slider.max = String(moves.length);
  slider.value = slider.max;
  button.disabled = moves.length === 0;

  const paint = (upTo: number): void => {
    const state = new Map<string, string>();
    for (const move of moves.slice(0, upTo)) {
      for (const id of move.flows) state.set(id, "gh-taken");
      for (const id of move.left) state.set(id, "gh-done");
      for (const id of move.entered) if (!move.left.includes(id)) state.set(id, "gh-active");
      for (const id of move.failed) state.set(id, "gh-stuck");
    }
    for (const [id, name] of painted) if (state.get(id) !== name) canvas.removeMarker(id, name);
    for (const name of ["gh-taken", "gh-done", "gh-active", "gh-stuck", "gh-cancelled"])
      for (const element of registry.getAll()) if (canvas.hasMarker(element.id, name) && state.get(element.id) !== name) canvas.removeMarker(element.id, name);
    painted.clear();
    for (const [id, name] of state) {
      if (!registry.get(id)) continue;
      canvas.addMarker(id, name);
      painted.set(id, name);
    }
    const move = moves[upTo - 1];
    label.textContent = move ? `${upTo} / ${moves.length} · ${new Date(move.at).toLocaleString()} ${move.label}` : "";
  };

  const stop = (): void => {
    window.clearInterval(timer);
    timer = undefined;
    button.removeAttribute("aria-pressed");
  };

  slider.addEventListener("input", () => {
    stop();
    paint(Number(slider.value));
  });
  button.addEventListener("click", () => {
    if (timer !== undefined) return stop();
    button.setAttribute("aria-pressed", "true");
    let at = Number(slider.value) >= moves.length ? 0 : Number(slider.value);
    timer = window.setInterval(() => {
      at += 1;
      slider.value = String(at);
      paint(at);
      if (at >= moves.length) stop();
    }, PACE);
  });
}
