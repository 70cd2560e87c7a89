import { Description, Errors, Label, type FieldProps } from "@bpmn-io/form-js-viewer";
import { useRef, useState } from "preact/hooks";
import { fileSize, say } from "../page/words";
import { fieldClasses } from "./classes";
import type { FormInput } from "./input";
import { upload, type Stored, type Upload } from "./upload";

interface Running {
  key: number;
  name: string;
  percent: number;
  handle: Upload;
}

let nextKey = 0;

/** Files that are uploaded the moment they are chosen; the value is a list of {id, name, size}. */
function makeField(files: FormInput["files"]) {
  function Attachments(props: FieldProps) {
    const { field, domId, errors, disabled, readonly } = props;
    const stored: Stored[] = Array.isArray(props.value) ? props.value : [];
    const latest = useRef(props);
    latest.current = props;
    const input = useRef<HTMLInputElement>(null);
    const [running, setRunning] = useState<Running[]>([]);
    const [refused, setRefused] = useState<string[]>([]);
    const [spoken, setSpoken] = useState("");
    const [over, setOver] = useState(false);
    const locked = disabled || readonly;
    const accept: string[] = splitTypes(field.accept, files.types);
    const most: number | null = field.multiple === false ? 1 : (field.maxFiles ?? null);

    const current = (): Stored[] => (Array.isArray(latest.current.value) ? latest.current.value : []);

    function change(next: Stored[]): void {
      latest.current.value = next;
      latest.current.onChange({ value: next });
    }

    function add(chosen: File[]): void {
      const problems: string[] = [];
      for (const file of chosen) {
        const problem = check(file, accept, files.limit) ?? room();
        if (problem) problems.push(problem);
        else send(file);
      }
      setRefused(problems);
      if (problems.length) setSpoken(problems.join(" "));
    }

    function room(): string | null {
      const taken = current().length + onTheirWay.current;
      return most !== null && taken >= most ? say("tooMany", { count: most }) : null;
    }

    const onTheirWay = useRef(0);
    const chosenAt = useRef(new Map<number, number>());

    function send(file: File): void {
      const key = nextKey++;
      onTheirWay.current += 1;
      const handle = upload(file, files, (percent) =>
        setRunning((list) => list.map((one) => (one.key === key ? { ...one, percent } : one))),
      );
      setRunning((list) => [...list, { key, name: file.name, percent: 0, handle }]);
      setSpoken(say("uploading", { name: file.name, percent: 0 }));
      handle.done
        .then((file) => {
          // In the order in which they were chosen, whichever arrives first.
          chosenAt.current.set(file.id, key);
          const place = (one: Stored) => chosenAt.current.get(one.id) ?? -1;
          change([...current(), file].sort((one, other) => place(one) - place(other)));
          setSpoken(say("uploaded", { name: file.name }));
        })
        .catch((problem: Error) => {
          if (!problem.message) return;
          setRefused((list) => [...list, problem.message]);
          setSpoken(problem.message);
        })
        .finally(() => {
          onTheirWay.current -= 1;
          setRunning((list) => list.filter((one) => one.key !== key));
        });
    }

    function remove(file: Stored): void {
      change(current().filter((one) => one.id !== file.id));
      setSpoken(say("removed", { name: file.name }));
      input.current?.focus();
    }

    const errorId = `${domId}-error-message`;
    return (
      <div class={fieldClasses("attachments", props)} role="group" aria-labelledby={`${domId}-label`}>
        <Label id={`${domId}-label`} htmlFor={locked ? undefined : domId} label={field.label} required={Boolean(field.validate?.required)} />
        <div
          class={over ? "gh-files is-over" : "gh-files"}
          onDragOver={(event) => {
            if (locked) return;
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            if (!locked) add([...(event.dataTransfer?.files ?? [])]);
          }}
        >
          {stored.length + running.length > 0 && (
            <ul class="gh-files-list">
              {stored.map((file) => (
                <li key={file.id}>
                  <a href={`${files.url}/${file.id}`} download={file.name}>
                    {file.name}
                  </a>
                  <span class="size">{fileSize(file.size)}</span>
                  {!locked && (
                    <button type="button" class="gh-files-remove" aria-label={say("remove", { name: file.name })} onClick={() => remove(file)}>
                      {say("removeWord")}
                    </button>
                  )}
                </li>
              ))}
              {running.map((one) => (
                <li key={`r${one.key}`}>
                  <span>{one.name}</span>
                  <progress max={100} value={one.percent} aria-label={say("uploading", { name: one.name, percent: one.percent })} />
                  <button type="button" class="gh-files-remove" aria-label={say("cancelUpload", { name: one.name })} onClick={() => one.handle.cancel()}>
                    ×
                  </button>
                </li>
              ))}
            </ul>
          )}
          {locked && stored.length === 0 && <p class="gh-files-none">{say("noFiles")}</p>}
          {!locked && (
            <p class="gh-files-add">
              <input
                ref={input}
                id={domId}
                class="gh-files-input"
                type="file"
                multiple={most !== 1}
                accept={accept.join(",")}
                aria-invalid={errors.length > 0}
                aria-describedby={`${domId}-hint ${domId}-description ${errorId}`}
                onFocus={() => props.onFocus()}
                onBlur={() => props.onBlur()}
                onChange={(event) => {
                  add([...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = "";
                }}
              />
              <label class="gh-files-button" htmlFor={domId}>
                {say("choose")}
              </label>
              <span class="gh-files-hint" id={`${domId}-hint`}>
                <span class="gh-files-drop">{say("dropHere")} · </span>
                {accept === files.types ? say("usualTypes") : accept.map((type) => type.replace(".", "").toUpperCase()).join(" / ")}
                {" · "}
                {say("limits", { limit: fileSize(files.limit) })}
              </span>
            </p>
          )}
        </div>
        <Description id={`${domId}-description`} description={field.description} />
        {refused.length > 0 && (
          <ul class="gh-files-refused">
            {refused.map((sentence) => (
              <li>{sentence}</li>
            ))}
          </ul>
        )}
        <Errors id={errorId} errors={errors} />
        <span class="visually-hidden" aria-live="polite">
          {spoken}
        </span>
      </div>
    );
  }

  Attachments.config = {
    type: "attachments",
    keyed: true,
    name: "Attachments",
    group: "basic-input",
    emptyValue: [],
    sanitizeValue: ({ value }: { value: unknown }) => (Array.isArray(value) ? value : []),
    create: (options = {}) => ({ ...options }),
  };
  return Attachments;
}

/** ".pdf, .docx" -> [".pdf", ".docx"]; all that the server takes where the field says nothing. */
function splitTypes(own: unknown, all: string[]): string[] {
  if (typeof own !== "string" || !own.trim()) return all;
  return own
    .split(",")
    .map((type) => type.trim().toLowerCase())
    .filter(Boolean);
}

function check(file: File, accept: string[], limit: number): string | null {
  const ending = /\.[^.]+$/.exec(file.name.toLowerCase())?.[0] ?? "";
  if (accept.length && !accept.includes(ending)) return say("wrongType", { name: file.name, types: accept.join(" ") });
  if (file.size === 0) return say("emptyFile", { name: file.name });
  if (file.size > limit) return say("tooLarge", { name: file.name, limit: fileSize(limit) });
  return null;
}

/** Too many or too few files. None at all is a question of "required". */
function numberProblems(field: any, value: unknown): string[] {
  const count = Array.isArray(value) ? value.length : 0;
  const most = field.multiple === false ? 1 : (field.maxFiles ?? Infinity);
  const least = Number(field.validate?.minFiles ?? 0);
  if (count > most) return [say("tooMany", { count: most })];
  return count && count < least ? [say("tooFew", { count: least })] : [];
}

interface Validator {
  validateFieldInstance(instance: { id: string }, value: unknown): string[];
}

/** Make form-js know the component type "attachments", uploading as the page says. */
export function attachmentsModule(files: FormInput["files"]): Record<string, unknown> {
  class AttachmentFields {
    static $inject = ["formFields", "formFieldRegistry", "validator"];

    constructor(formFields: any, formFieldRegistry: any, validator: Validator) {
      formFields.register("attachments", makeField(files));
      const standard = validator.validateFieldInstance.bind(validator);
      validator.validateFieldInstance = (instance, value) => {
        const field = formFieldRegistry.get(instance.id);
        const problems = standard(instance, value);
        return field?.type === "attachments" && !problems.length ? numberProblems(field, value) : problems;
      };
    }
  }
  return { __init__: ["attachmentFields"], attachmentFields: ["type", AttachmentFields] };
}
