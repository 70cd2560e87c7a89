"""Chinese working days: public holidays, 调休 working weekends, deadlines that show their calculation.

The rules (requirements, A9 and A23):

- a deadline of n working days counts from the day after the start: the start is day 0;
- a public notice counts its posting day as day 1;
- a term in years ends on the corresponding day, 29 February on 28 February.

Which days are worked comes from the State Council's yearly arrangement as the library ``chinesecalendar`` ships it.
For a year it doesn't know yet – the arrangement appears each November – weekends are free, all other days are worked,
and every result that touches such a year says ``provisional``. A table of days can be given for those years.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
# More than a working life: a wrong number must not count for minutes.
MOST_WORKDAYS = 20_000


@dataclass(frozen=True)
class Calendar:
    """Days that differ from the plain week (True = worked), and the years whose arrangement is known."""

    special: Mapping[date, bool]
    years: frozenset[int]

    @functools.cached_property
    def key(self) -> str:
        """The same for the same days: names this calendar inside V8."""
        return hashlib.sha256(self.json.encode()).hexdigest()[:16]

    @functools.cached_property
    def json(self) -> str:
        """What V8 reads."""
        special = {day.isoformat(): worked for day, worked in sorted(self.special.items())}
        return json.dumps({"special": special, "years": sorted(self.years)})

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a term; ``provisional`` where a year's arrangement isn't published yet."""

    day: date
    provisional: bool
    paused: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a deadline stands: day ``elapsed`` of ``total``, ``paused`` working days not counted."""

    start: date
    deadline: date
    elapsed: int
    total: int
    paused: int
    left: int
    provisional: bool
    free: tuple[date, ...] = field(default=())

    @property
    def overdue(self) -> bool:
        return self.left < 0

    @property
    def zh(self) -> str:
        """第 12 个工作日，共 20；暂停 4 天；截止 2026-03-27。"""
        parts = [f"第 {self.elapsed} 个工作日，共 {self.total}"]
        if self.paused:
            parts.append(f"暂停 {self.paused} 天")
        parts.append(f"截止 {self.deadline.isoformat()}")
        if self.overdue:
            parts.append(f"已逾期 {-self.left} 个工作日")
        if self.provisional:
            parts.append("放假安排尚未公布，日期为暂定")
        return "；".join(parts)

    @property
    def en(self) -> str:
        """Working day 12 of 20; paused 4 days; due 2026-03-27."""
        parts = [f"Working day {self.elapsed} of {self.total}"]
        if self.paused:
            parts.append(f"paused {self.paused} {'day' if self.paused == 1 else 'days'}")
        parts.append(f"due {self.deadline.isoformat()}")
        if self.overdue:
            parts.append(f"{-self.left} working {'day' if self.left == -1 else 'days'} overdue")
        if self.provisional:
            parts.append("holidays not published yet, date provisional")
        return "; ".join(parts)


@functools.cache
def published() -> Calendar:
    """The arrangements that ``chinesecalendar`` knows."""
    from chinese_calendar import constants

    special = dict.fromkeys(constants.holidays, False) | dict.fromkeys(constants.workdays, True)
    return Calendar(special, frozenset(range(min(special).year, max(constants.holidays).year + 1)))


def calendar(table: Mapping[date, bool] | None = None, years: Iterable[int] = ()) -> Calendar:
    """The published calendar with the days of ``table`` on top (True = worked).

    The years of the table count as known, and so do ``years`` – for one without a single exception.
    """
    if not table and not years:
        return published()
    base = published()
    known = base.years | {day.year for day in table or {}} | set(years)
    return Calendar({**base.special, **(table or {})}, frozenset(known))


_installed: Calendar | None = None


def install(table: Mapping[date, bool] | None, years: Iterable[int] = ()) -> Calendar:
    """Make ``calendar(table)`` the one this process uses where none is named; done once, at start-up."""
    global _installed
    _installed = calendar(table, years)
    return _installed


def current() -> Calendar:
    """The calendar of this process."""
    return _installed or published()


def day_of(moment: date | datetime) -> date:
    """The calendar day of a moment in China."""
    if not isinstance(moment, datetime):
        return moment
    return moment.astimezone(CHINA).date() if moment.tzinfo else moment.date()


def is_workday(day: date, table: Calendar | None = None) -> bool:
    """Whether people work on this day."""
    day = day_of(day)
    worked = (table or current()).special.get(day)
    return day.weekday() < 5 if worked is None else worked


def is_provisional(first: date, last: date, table: Calendar | None = None) -> bool:
    """Whether a day between the two lies in a year without a published arrangement."""
    known = (table or current()).years
    return any(year not in known for year in range(min(first, last).year, max(first, last).year + 1))


def add(day: date, n: int, table: Calendar | None = None) -> date:
    """The n-th working day after ``day`` (before it for a negative n); ``day`` itself for 0."""
    if abs(n) > MOST_WORKDAYS:
        raise ValueError(f"at most {MOST_WORKDAYS} working days can be counted")
    table = table or current()
    day = day_of(day)
    step = DAY if n > 0 else -DAY
    for _ in range(abs(n)):
        day += step
        while not is_workday(day, table):
            day += step
    return day


def count(after: date, until: date, table: Calendar | None = None) -> int:
    """Working days after the first day up to and including the second; negative the other way round.

    The inverse of ``add``: ``count(day, add(day, n)) == n``.
    """
    table = table or current()
    after, until = day_of(after), day_of(until)
    if until < after:
        return -_worked(until - DAY, after - DAY, table)
    return _worked(after, until, table)


def _worked(after: date, until: date, table: Calendar) -> int:
    """Working days in (after, until]."""
    if (until - after).days > MOST_WORKDAYS * 2:
        raise ValueError(f"at most {MOST_WORKDAYS} working days can be counted")
    return sum(is_workday(after + DAY * offset, table) for offset in range(1, (until - after).days + 1))


Pause = tuple[date, date | None]


def deadline(
    start: date,
    n: int,
    *,
    paused: Sequence[Pause] = (),
    now: date | None = None,
    table: Calendar | None = None,
) -> Deadline:
    """The last day of a term of n working days; the start is day 0.

    A pause stops the clock from the day after it begins until the day it ends: the day on which the papers come back
    is day 0 again. A pause without an end lasts until ``now``.
    """
    table = table or current()
    pauses = _days(paused, now)
    day = first = day_of(start)
    left, stopped = n, 0
    while left > 0:
        day += DAY
        if not is_workday(day, table):
            continue
        if any(begin < day <= end for begin, end in pauses):
            stopped += 1
        else:
            left -= 1
        if stopped > MOST_WORKDAYS or n > MOST_WORKDAYS:
            raise ValueError(f"at most {MOST_WORKDAYS} working days can be counted")
    return Deadline(day, is_provisional(first, day, table), stopped)


def notice_end(posted: date, n: int, table: Calendar | None = None) -> Deadline:
    """The last day of a public notice of n working days: the posting day is day 1 if people work on it."""
    first = day_of(posted)
    day = add(first - DAY, max(n, 1), table)
    return Deadline(day, is_provisional(first, day, table))


def explain(
    start: date,
    n: int,
    now: date | datetime,
    *,
    paused: Sequence[Pause] = (),
    table: Calendar | None = None,
) -> Explanation:
    """How the deadline came about and where it stands, as the pages show it."""
    table = table or current()
    today, first = day_of(now), day_of(start)
    due = deadline(first, n, paused=paused, now=today, table=table)
    pauses = _days(paused, today)
    reached = min(today, due.day)
    days = [first + DAY * offset for offset in range(1, max(0, (reached - first).days) + 1)]
    worked = [day for day in days if is_workday(day, table)]
    stopped = sum(any(begin < day <= end for begin, end in pauses) for day in worked)
    elapsed = len(worked) - stopped
    return Explanation(
        start=first,
        deadline=due.day,
        elapsed=elapsed,
        total=n,
        paused=stopped,
        left=n - elapsed if today <= due.day else -count(due.day, today, table),
        provisional=due.provisional,
        free=tuple(day for day in days if not is_workday(day, table) and day.weekday() < 5),
    )


def _days(paused: Sequence[Pause], now: date | None) -> list[tuple[date, date]]:
    today = day_of(now) if now is not None else None
    return [
        (day_of(begin), day_of(end) if end is not None else today or day_of(begin))
        for begin, end in paused
    ]  # fmt: skip


def years_later(day: date, years: int) -> date:
    """The corresponding day ``years`` later: the last day of a term in years. 29 February becomes 28 February."""
    day = day_of(day)
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def one_year_after(day: date) -> date:
    """The day from which "registered for at least one year" holds (A17)."""
    return years_later(day, 1)
