/** The clock and the time zone of a call: FEEL must not see those of the machine. */
import { DateTime, IANAZone, Settings, SystemZone, type Zone } from "luxon";

const SHANGHAI = IANAZone.create("Asia/Shanghai");
const HOURS_8 = 480;
// Outside these years China had no summer time and one offset; before 1901 it had local mean time, which no rule means.
const [FIRST, LAST] = [Date.UTC(1940, 0, 1), Date.UTC(1992, 0, 1)];

Object.defineProperties(SystemZone.prototype, {
  name: { get: () => "Asia/Shanghai" },
  offset: { value: (ts: number) => (ts < FIRST || ts > LAST ? HOURS_8 : SHANGHAI.offset(ts)) },
  offsetName: { value: (ts: number, options: Parameters<Zone["offsetName"]>[1]) => SHANGHAI.offsetName(ts, options) },
});

let present = 0;
Settings.now = () => present;

/** Run `act` with `now` as the present. */
export function at<T>(now: number, act: () => T): T {
  present = now;
  return act();
}

/** The present as a FEEL date: days have no zone, and today's is China's. */
export function today(): DateTime {
  return DateTime.now().setZone("utc", { keepLocalTime: true }).startOf("day");
}

/**
 * feelin takes the date of a date and time in UTC, so that a morning in China would be yesterday. It means the date as it
 * is written there. Browsers evaluate the conditions of forms without this.
 */
export function mendDates(): void {
  const setZone = DateTime.prototype.setZone;
  DateTime.prototype.setZone = function (zone, options) {
    return setZone.call(this, zone, zone === "utc" ? { keepLocalTime: true, ...options } : options);
  };
}
