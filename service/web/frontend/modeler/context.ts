import type { Topic } from "./templates";

/** What a diagram may refer to, as the server knows it. */
export interface Reference {
  id: string;
  name: string;
  file: string;
}

export interface Role {
  code: string;
  name: string;
  party: string;
  lane: string | null;
}

/** A task, or a start, that opens a form. */
export interface Use {
  form: string;
  element: string;
  name: string;
  process: string;
  groups: string[];
  lane: string | null;
}

export interface Context {
  uses: Use[];
  roles: Role[];
  parties: Record<string, string>;
  topics: Topic[];
  forms: Reference[];
  decisions: Reference[];
  processes: Reference[];
  templates: string[];
  edit: string;
  /** Where a new file is added. */
  files: string;
  /** Where to ask which variables are known at an element. */
  variables: string;
  /** The diagram that is open. */
  path: string;
}

type Urls = { context: string; edit: string; variables: string; files: string };

export async function loadContext(urls: Urls, path: string): Promise<Context> {
  const answer = await fetch(urls.context, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return { ...(await answer.json()), edit: urls.edit, files: urls.files, variables: urls.variables, path };
}

/** Where a file of the working copy is edited. */
export function fileUrl(context: Context, file: string): string {
  return context.edit + file.split("/").map(encodeURIComponent).join("/");
}
