/** FEEL values and their JSON: dates, times and durations are ISO strings. */
import { DateTime, Duration, FixedOffsetZone, SystemZone } from "luxon";

export class NotAValue extends Error {}
export class TooMuch extends Error {}

const MOST_NODES = 200_000;
const MOST_TEXT = 4_000_000;

/** The value as JSON can say it. */
export function plain(value: unknown): unknown {
  let nodes = 0;
  let text = 0;
  return convert(value, 0);

  function convert(it: unknown, depth: number): unknown {
    if (++nodes > MOST_NODES || depth > 200) throw new TooMuch();
    switch (typeof it) {
      case "undefined":
        return null;
      case "boolean":
        return it;
      case "number":
        return Number.isFinite(it) ? (Object.is(it, -0) ? 0 : it) : null;
      case "string":
        text += it.length;
        if (text > MOST_TEXT) throw new TooMuch();
        return it;
      case "function":
        throw new NotAValue("function");
    }
    if (it === null || it === undefined) return null;
    if (Array.isArray(it)) return it.map((element) => convert(element, depth + 1));
    if (DateTime.isDateTime(it)) return isoOf(it);
    if (Duration.isDuration(it)) return isoOfDuration(it);
    const object: object = it;
    if (object.constructor !== Object && Object.getPrototypeOf(object) !== null) {
      throw new NotAValue("start included" in object ? "range" : "function");
    }
    return Object.fromEntries(Object.entries(object).map(([key, each]) => [key, convert(each, depth + 1)]));
  }
}

/** Date, time or date and time, told apart as feelin does. */
export function isoOf(moment: DateTime): string | null {
  const short = { suppressMilliseconds: true };
  if (moment.year === 1900 && moment.month === 1 && moment.day === 1) {
    return moment.toISOTime({ ...short, includeOffset: !(moment.zone instanceof SystemZone) });
  }
  return isDate(moment) ? moment.toISODate() : moment.toISO(short);
}

export function isDate(moment: DateTime): boolean {
  return (
    moment.hour === 0 &&
    moment.minute === 0 &&
    moment.second === 0 &&
    moment.millisecond === 0 &&
    moment.zone === FixedOffsetZone.utcInstance
  );
}

/** Years and months stay apart from days and less: a year has no fixed number of days. */
export function isoOfDuration(duration: Duration): string | null {
  const has = (...units: string[]) => units.some((unit) => duration.toObject()[unit as "days"]);
  const months = has("years", "quarters", "months");
  const days = has("weeks", "days", "hours", "minutes", "seconds", "milliseconds");
  if (!months && !days) return "P0D";
  const units = [...(months ? ["years", "months"] : []), ...(days ? ["days", "hours", "minutes", "seconds"] : [])];
  const shifted = duration.shiftTo(...(units as "days"[]));
  const zeros = Object.entries(shifted.toObject()).filter(([, amount]) => !amount);
  return shifted.set(Object.fromEntries(zeros.map(([unit]) => [unit, 0]))).toISO();
}
