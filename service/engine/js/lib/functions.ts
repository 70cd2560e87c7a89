/** The functions an expression finds beside feelin's own: ours, and better ones under their names. */
import { DateTime, Duration } from "luxon";

import { today } from "./clock";
import * as workdays from "./workdays";

type Functions = Record<string, unknown>;
const made = new Map<string, Functions>();

/** By name, over one calendar, as FEEL finds them among the variables. */
export function functions(calendar: string): Functions {
  let found = made.get(calendar);
  if (!found) {
    found = { ...workdays.functions(calendar), today: feel([], today), min: least(-1), max: least(1), median };
    made.set(calendar, found);
  }
  return found;
}

export function feel<T extends (...values: never[]) => unknown>(parameters: string[], act: T) {
  return Object.assign(act, { $args: parameters });
}

/** feelin's `min` and `max` know numbers only; DMN has them for everything that can be ordered. */
function least(sign: 1 | -1) {
  return feel(["...list"], (...list: unknown[]) => {
    const all = list.length === 1 && Array.isArray(list[0]) ? list[0] : list;
    if (!all.length) return null;
    const keys = all.map(orderOf);
    const kind = typeof keys[0];
    if (kind === "undefined" || keys.some((key) => typeof key !== kind)) return null;
    let best = 0;
    keys.forEach((key, index) => {
      const chosen = keys[best]!;
      if (sign > 0 ? key! > chosen : key! < chosen) best = index;
    });
    return all[best];
  });
}

function orderOf(value: unknown): number | string | bigint | undefined {
  if (typeof value === "number" || typeof value === "string") return value;
  // Not comparable with plain numbers.
  if (DateTime.isDateTime(value)) return BigInt(Math.round(value.toMillis()));
  if (Duration.isDuration(value)) return BigInt(Math.round(value.toMillis()));
  return undefined;
}

/** feelin sorts the numbers as texts. */
const median = feel(["...list"], (...list: unknown[]) => {
  const all = (list.length === 1 && Array.isArray(list[0]) ? [...list[0]] : list) as number[];
  if (!all.length || all.some((each) => typeof each !== "number")) return null;
  all.sort((a, b) => a - b);
  const middle = all.length >> 1;
  return all.length % 2 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
});
