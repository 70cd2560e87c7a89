"""ISO 8601 dates, durations and cycles, reckoned in the ministry's time zone.

Source: ISO 8601-1; cycles as in BPMN 2.0 ``timeCycle`` (``R3/PT10H``, ``R/P1D``, ``R3/<start>/P1D``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")

_DURATION = re.compile(
    r"(?P<sign>-)?P(?=\d|T\d)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


class BadTimer(Exception):
    """The text is no date, duration or cycle. ``zh`` and ``en`` say so."""

    def __init__(self, what_zh: str, what_en: str, text: object) -> None:
        self.zh = f"“{text}”不是有效的{what_zh}（ISO 8601）。"
        self.en = f"“{text}” is not a valid {what_en} (ISO 8601)."
        super().__init__(self.en)


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar months and an exact rest."""

    months: int
    rest: timedelta

    def after(self, start: datetime) -> datetime:
        """``start`` plus this; a day the month does not have becomes its last (31 Jan + P1M = 28 Feb)."""
        here = start.astimezone(ZONE)
        month = here.month - 1 + self.months
        year, month = here.year + month // 12, month % 12 + 1
        day = min(here.day, monthrange(year, month)[1])
        return (here.replace(year=year, month=month, day=day) + self.rest).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Cycle:
    """``times`` repetitions (None: without end), ``every`` apart, the first at ``start`` or one interval from now."""

    times: int | None
    every: Duration
    start: datetime | None = None


def parse_duration(text: object) -> Duration:
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise BadTimer("时长", "duration", text)
    part = {k: float(v) if k == "seconds" else int(v) for k, v in match.groupdict(default="0").items() if k != "sign"}
    sign = -1 if match["sign"] else 1
    rest = timedelta(
        weeks=part["weeks"], days=part["days"], hours=part["hours"], minutes=part["minutes"], seconds=part["seconds"]
    )
    return Duration(int(part["years"] * 12 + part["months"]) * sign, rest * sign)


def parse_date(text: object, *, end_of_day: bool = False) -> datetime:
    """An instant in UTC. Without an offset the text is Beijing time; a bare date is its first or last second."""
    value = str(text).strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            at = time(23, 59, 59) if end_of_day else time()
            return datetime.combine(date.fromisoformat(value), at, ZONE).astimezone(UTC)
        # A FEEL date-time names its zone after an @: 2026-03-01T09:00:00@Asia/Shanghai
        stamp, _, zone = value.partition("@")
        parsed = datetime.fromisoformat(stamp)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=ZoneInfo(zone) if zone else ZONE)
        return parsed.astimezone(UTC)
    except (ValueError, KeyError):
        raise BadTimer("日期时间", "date and time", text) from None


def parse_cycle(text: object) -> Cycle:
    parts = str(text).strip().split("/")
    match = re.fullmatch(r"R(\d*)", parts[0])
    if match is None or len(parts) not in (2, 3):
        raise BadTimer("循环", "cycle", text)
    every = parse_duration(parts[-1])
    if every.after(datetime(2000, 1, 1, tzinfo=UTC)) <= datetime(2000, 1, 1, tzinfo=UTC):
        raise BadTimer("循环", "cycle", text)
    start = parse_date(parts[1]) if len(parts) == 3 else None
    return Cycle(int(match[1]) if match[1] else None, every, start)
