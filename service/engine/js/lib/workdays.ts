/**
 * Chinese working days in FEEL; the twin of `service/workdays.py`, which hands the calendar over.
 *
 * - `workdays(from, n)`: the n-th working day after `from` (day 0 rule), before it for a negative n;
 * - `workdaysBetween(from, to)`: working days after `from` up to and including `to`;
 * - `isWorkday(date)`;
 * - `noticeEnd(posted, n)`: the last day of a notice of n working days whose posting day is day 1;
 * - `yearsLater(from, n)`: the corresponding day n years later, 29 February on 28 February;
 *
 * A date may be a date, a date and time, or a string of either. `workdays` of a date and time keeps the time.
 */
import { DateTime } from "luxon";

import { isDate } from "./values";

const DAY = 86_400_000;
const MOST = 20_000;

type Calendar = Map<number, boolean>;
const calendars = new Map<string, Calendar>();

/** Keep a calendar under its key. */
export function calendar(key: string, json: string): void {
  const { special } = JSON.parse(json) as { special: Record<string, boolean> };
  calendars.set(key, new Map(Object.entries(special).map(([day, worked]) => [Date.parse(day) / DAY, worked])));
}

/** The functions over one calendar, by name. */
export function functions(key: string): Record<string, unknown> {
  const special = calendars.get(key) ?? new Map<number, boolean>();
  // Day 0 is 1 January 1970, a Thursday.
  const isWorked = (day: number) => special.get(day) ?? (((day + 3) % 7) + 7) % 7 < 5;

  function nth(day: number, n: number): number {
    const step = Math.sign(n);
    for (let left = Math.abs(n); left > 0; left--) {
      do day += step;
      while (!isWorked(day));
    }
    return day;
  }

  function worked(after: number, until: number): number {
    let count = 0;
    for (let day = after + 1; day <= until; day++) if (isWorked(day)) count++;
    return count;
  }

  return {
    workdays: feel(["from", "n"], (from, n) => {
      const moment = momentOf(from);
      const count = whole(n);
      return moment && count !== null ? moved(moment, nth(dayOf(moment), count)) : null;
    }),
    workdaysBetween: feel(["from", "to"], (from, to) => {
      const [first, last] = [momentOf(from), momentOf(to)];
      if (!first || !last) return null;
      const [after, until] = [dayOf(first), dayOf(last)];
      if (Math.abs(until - after) > MOST * 2) return null;
      return until < after ? -worked(until - 1, after - 1) : worked(after, until);
    }),
    isWorkday: feel(["date"], (date) => {
      const moment = momentOf(date);
      return moment && isWorked(dayOf(moment));
    }),
    noticeEnd: feel(["posted", "n"], (posted, n) => {
      const moment = momentOf(posted);
      const count = whole(n);
      return moment && count !== null ? dateOf(nth(dayOf(moment) - 1, Math.max(count, 1))) : null;
    }),
    yearsLater: feel(["from", "n"], (from, n) => {
      const moment = momentOf(from);
      const count = whole(n);
      return moment && count !== null ? dateOf(dayOf(moment)).plus({ years: count }) : null;
    }),
  };
}

function feel(parameters: string[], act: (...values: unknown[]) => unknown) {
  return Object.assign(act, { $args: parameters });
}

function whole(n: unknown): number | null {
  return typeof n === "number" && Number.isInteger(n) && Math.abs(n) <= MOST ? n : null;
}

function momentOf(value: unknown): DateTime | null {
  if (Array.isArray(value) && value.length === 1) return momentOf(value[0]);
  if (DateTime.isDateTime(value)) return value.isValid ? value : null;
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}/.test(value)) return null;
  const moment = value.includes("T")
    ? DateTime.fromISO(value.split("@")[0], { setZone: true })
    : DateTime.fromISO(value, { zone: "utc" });
  return moment.isValid ? moment : null;
}

/** The day in China, counted from 1 January 1970. */
function dayOf(moment: DateTime): number {
  const { year, month, day } = isDate(moment) ? moment : moment.setZone("Asia/Shanghai");
  return Date.UTC(year, month - 1, day) / DAY;
}

function dateOf(day: number): DateTime {
  return DateTime.fromMillis(day * DAY, { zone: "utc" });
}

function moved(moment: DateTime, day: number): DateTime {
  return isDate(moment) ? dateOf(day) : moment.plus({ days: day - dayOf(moment) });
}
