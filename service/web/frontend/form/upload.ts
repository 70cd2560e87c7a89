import { csrfToken } from "../page/csrf";
import { say } from "../page/words";
import type { FormInput } from "./input";

export interface Stored {
  id: number;
  name: string;
  size: number;
}

export interface Upload {
  done: Promise<Stored>;
  cancel(): void;
}

let running = 0;

/** True while a file of any field is on its way. */
export function uploadsRunning(): boolean {
  return running > 0;
}

/** Send one file at once. XMLHttpRequest, because fetch cannot tell how far an upload is. */
export function upload(file: File, files: FormInput["files"], progress: (percent: number) => void): Upload {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file, file.name);
  running += 1;
  const done = new Promise<Stored>((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(Math.floor((event.loaded / event.total) * 100));
    });
    request.addEventListener("load", () => {
      const answer = read(request);
      if (request.status === 201 && answer) resolve(answer as unknown as Stored);
      else reject(new Error(sentence(answer, file, request.status)));
    });
    request.addEventListener("error", () => reject(new Error(say("uploadFailed", { name: file.name }))));
    request.addEventListener("abort", () => reject(new Error("")));
    request.addEventListener("loadend", () => {
      running -= 1;
    });
  });
  request.open("POST", files.url);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  request.setRequestHeader("Accept", "application/json");
  request.send(body);
  return { done, cancel: () => request.abort() };
}

function read(request: XMLHttpRequest): Record<string, unknown> | null {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null;
  }
}

function sentence(answer: Record<string, unknown> | null, file: File, status: number): string {
  if (typeof answer?.detail === "string") return answer.detail;
  return status === 401 ? say("signedOut") : say("uploadFailed", { name: file.name });
}
