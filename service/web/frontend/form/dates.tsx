import { Datetime, Description, Errors, Label, type FieldProps } from "@bpmn-io/form-js-viewer";
import flatpickr from "flatpickr";
import { Mandarin } from "flatpickr/dist/l10n/zh.js";
import { useEffect, useRef, useState } from "preact/hooks";
import { isChinese, say } from "../page/words";
import { fieldClasses } from "./classes";

/** 2026-3-5, 2026/03/05, 20260305 and 2026年3月5日 are all the same day; undefined where it is none. */
export function readDate(text: string): string | undefined {
  const match =
    /^\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?\s*$/.exec(text) ?? /^\s*(\d{4})(\d{2})(\d{2})\s*$/.exec(text);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isDay ? date.toISOString().slice(0, 10) : undefined;
}

/** form-js formats dates by the browser's language; an official form always writes 2026-03-15. */
function DateField(props: FieldProps) {
  if (props.field.subtype && props.field.subtype !== "date") return <Datetime {...props} />;
  return <DayField {...props} />;
}

DateField.config = {
  ...Datetime.config,
  // What was typed stays, even where it is no day; the validator says so.
  sanitizeValue: ({ value }: { value: unknown }) => (typeof value === "string" ? value : null),
};

function DayField(props: FieldProps) {
  const { field, domId, value, errors, disabled, readonly } = props;
  const required = Boolean(field.validate?.required);
  const label: string = field.dateLabel ?? field.label ?? "";
  const input = useRef<HTMLInputElement>(null);
  const hidden = useRef<HTMLInputElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const calendar = useRef<flatpickr.Instance | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [typed, setTyped] = useState<string>(value ?? "");

  useEffect(() => setTyped(value ?? ""), [value]);

  function settle(text: string): void {
    const day = text.trim() === "" ? null : (readDate(text) ?? text.trim());
    setTyped(day ?? "");
    if (day !== latest.current.value) latest.current.onChange({ value: day });
  }

  useEffect(() => {
    if (disabled || readonly) return undefined;
    // The calendar has an input of its own: on ours it would throw away what it cannot read.
    const picker = flatpickr(hidden.current!, {
      appendTo: place.current!,
      position: () => {},
      dateFormat: "Y-m-d",
      clickOpens: false,
      disableMobile: true,
      locale: { ...(isChinese ? Mandarin : {}), firstDayOfWeek: 1 },
      minDate: field.disallowPassedDates ? "today" : undefined,
      onChange: (_days, text) => settle(text),
      onReady: (_days, _text, self) => self.calendarContainer.setAttribute("aria-hidden", "true"),
      onOpen: (_days, _text, self) => self.calendarContainer.removeAttribute("aria-hidden"),
      onClose: (_days, _text, self) => self.calendarContainer.setAttribute("aria-hidden", "true"),
    });
    calendar.current = picker;
    return () => picker.destroy();
  }, [disabled, readonly]);

  function toggle(): void {
    const picker = calendar.current;
    if (!picker) return;
    picker.setDate(readDate(typed) ?? "", false);
    picker.toggle();
    if (!picker.isOpen) return;
    picker.calendarContainer.scrollIntoView({ block: "nearest", behavior: "instant" });
    (picker.selectedDateElem ?? picker.todayDateElem)?.focus({ preventScroll: true });
  }

  const described = `${domId}-description ${domId}-error-message`;
  return (
    <div class={fieldClasses("datetime", props)}>
      <Label htmlFor={domId} label={label} required={required} />
      <div class="fjs-input-group gh-day" ref={place}>
        <input
          ref={input}
          id={domId}
          class="fjs-input"
          type="text"
          inputMode="numeric"
          autoComplete="off"
          placeholder={readonly || disabled ? "" : say("datePattern")}
          value={typed}
          disabled={disabled}
          readOnly={readonly}
          required={required}
          aria-invalid={errors.length > 0}
          aria-describedby={described}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onFocus={() => props.onFocus()}
          onBlur={(event) => {
            settle(event.currentTarget.value);
            props.onBlur();
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") settle(event.currentTarget.value);
            if (event.key === "Escape") calendar.current?.close();
          }}
        />
        {!disabled && !readonly && (
          <button type="button" class="gh-day-open" aria-label={say("openCalendar", { label })} onClick={toggle}>
            <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
              <path d="M4 6h16v14H4zM4 10h16M8 3v4M16 3v4" />
            </svg>
          </button>
        )}
        <input ref={hidden} class="gh-day-hidden" type="text" tabIndex={-1} hidden />
      </div>
      <Description id={`${domId}-description`} description={field.description} />
      <Errors id={`${domId}-error-message`} errors={errors} />
    </div>
  );
}

interface Validator {
  validateFieldInstance(instance: { id: string }, value: unknown): string[];
}

class DateFields {
  static $inject = ["formFields", "formFieldRegistry", "validator"];

  constructor(formFields: any, formFieldRegistry: any, validator: Validator) {
    formFields.register("datetime", DateField);
    const standard = validator.validateFieldInstance.bind(validator);
    validator.validateFieldInstance = (instance, value) => {
      const field = formFieldRegistry.get(instance.id);
      const isDay = field?.type === "datetime" && (!field.subtype || field.subtype === "date");
      if (isDay && typeof value === "string" && value && readDate(value) !== value) return [say("dateFormat")];
      return standard(instance, value);
    };
  }
}

export const DateFieldsModule = { __init__: ["dateFields"], dateFields: ["type", DateFields] };
