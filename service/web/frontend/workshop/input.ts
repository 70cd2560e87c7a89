/** What the server puts into an editor page. */
export interface EditorInput {
  path: string;
  sha256: string;
  revision: number;
  me: string;
  readOnly: boolean;
  urls: { raw: string; save: string; check: string; context: string; variables: string; sample: string; edit: string; files: string; upload: string };
}

export interface Editor {
  box: HTMLElement;
  canvas: HTMLElement;
  panel: HTMLElement | null;
  input: EditorInput;
}

/** The editor of this page, if it has one. */
export function findEditor(): Editor | null {
  const box = document.querySelector<HTMLElement>("[data-editor]");
  if (!box) return null;
  const input: EditorInput = JSON.parse(box.querySelector("[data-editor-input]")!.textContent!);
  return { box, input, canvas: box.querySelector("[data-canvas]")!, panel: box.querySelector("[data-panel]") };
}

/** The file as it is on the server, and the hash it is known by. */
export async function fetchFile(url: string): Promise<{ text: string; sha256: string }> {
  const answer = await fetch(url, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  if (answer.headers.has("X-Closed")) {
    // Somebody put a file there that would hang the editor: the page says so, and how to go back.
    location.reload();
    await new Promise(() => {});
  }
  return { text: await answer.text(), sha256: answer.headers.get("X-Sha256") ?? "" };
}

/** Small screens show one pane at a time. */
export function switchPanes(box: HTMLElement): void {
  const body = box.querySelector<HTMLElement>(".editor-body")!;
  const tabs = [...box.querySelectorAll<HTMLButtonElement>("[data-pane-tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      body.dataset.pane = tab.dataset.paneTab!;
      for (const other of tabs) other.setAttribute("aria-selected", String(other === tab));
      window.dispatchEvent(new Event("resize"));
    });
  }
}
