/** What the page hands to a form: see templates/macros/form.html. */
export interface FormInput {
  schema: Schema;
  values: Values;
  errors: Record<string, string[]>;
  readOnly: boolean;
  formHash: string;
  draft: { url: string | null; key: string; values: Values | null; savedAt: string | null; typed: boolean; otherForm: boolean; conflicts: Conflict[] } | null;
  files: { url: string; limit: number; types: string[] };
  /** Names under which fields of this form may be returned; null where nobody is asked. */
  returnable: string[] | null;
}

/** A field that was changed at two places: what stands at each. */
export interface Conflict {
  path: string;
  label: string;
  mine: unknown;
  theirs: unknown;
  mine_text: string;
  theirs_text: string;
}

export type Values = Record<string, unknown>;

export interface Component {
  id?: string;
  key?: string;
  path?: string;
  type: string;
  label?: string;
  dateLabel?: string;
  components?: Component[];
  [name: string]: unknown;
}

export interface Schema extends Component {
  components: Component[];
}

/** Every component of a schema, containers before their contents. */
export function* walk(component: Component): Generator<Component> {
  for (const child of component.components ?? []) {
    yield child;
    yield* walk(child);
  }
}

/** The variables a form's fields write: the first part of each binding path. */
export function ownedNames(schema: Schema): Set<string> {
  const names = new Set<string>();
  for (const field of schema.components) collect(field, names);
  return names;
}

function collect(field: Component, names: Set<string>): void {
  const binding = field.key ?? field.path;
  if (binding) names.add(binding.split(".")[0]);
  else for (const child of field.components ?? []) collect(child, names);
}
