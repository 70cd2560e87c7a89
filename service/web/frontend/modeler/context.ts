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

export interface Variable {
  name: string;
  type: string;
  by: { file: string; element: string | null; name: string }[];
}

export interface Context {
  roles: Role[];
  parties: Record<string, string>;
  topics: Topic[];
  forms: Reference[];
  decisions: Reference[];
  processes: Reference[];
  templates: string[];
  variables?: Record<string, Variable[]>;
  edit: string;
}

export async function loadContext(urls: { context: string; edit: string }): Promise<Context> {
  const answer = await fetch(urls.context, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return { ...(await answer.json()), edit: urls.edit };
}
