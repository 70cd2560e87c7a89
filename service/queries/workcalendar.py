"""A year of the working calendar, as people look at it."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from service import workdays
from service.models import CalendarYear


@dataclass(frozen=True, slots=True)
class Day:
    """``kind``: work | weekend | holiday (a free weekday) | shift (a worked weekend)."""

    day: date
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Year:
    """Twelve months of weeks, Monday first; None pads a week. ``text`` is what an administrator may edit."""

    year: int
    months: list[list[list[Day | None]]]
    provisional: bool
    text: str
    note: str
    entered_at: datetime | None
    entered_by: str | None
    workdays: int


def year(session: Session, number: int) -> Year:
    """Read a year as this process counts it."""
    row = session.get(CalendarYear, number)
    names = {} if row is None else {date.fromisoformat(d): str(what.get("name", "")) for d, what in row.days.items()}
    first, last = date(number, 1, 1), date(number, 12, 31)
    weeks = calendar.Calendar()
    months = [
        [
            [_day(day, names) if day.month == month else None for day in week]
            for week in weeks.monthdatescalendar(number, month)
        ]
        for month in range(1, 13)
    ]
    return Year(
        year=number,
        months=months,
        provisional=workdays.is_provisional(first, last),
        text="\n".join(_lines(months)),
        note="" if row is None else row.note,
        entered_at=None if row is None else row.entered_at,
        entered_by=None if row is None or row.entered_by is None else row.entered_by.name,
        workdays=workdays.count(first - workdays.DAY, last),
    )


def _day(day: date, names: dict[date, str]) -> Day:
    worked, weekday = workdays.is_workday(day), day.weekday() < 5
    kind = {(True, True): "work", (False, False): "weekend", (False, True): "holiday", (True, False): "shift"}
    return Day(day, kind[worked, weekday], names.get(day, ""))


def _lines(months: list[list[list[Day | None]]]) -> list[str]:
    days = [day for month in months for week in month for day in week if day is not None]
    return [
        f"{one.day.isoformat()} {'休' if one.kind == 'holiday' else '班'} {one.name}".rstrip()
        for one in days
        if one.kind in ("holiday", "shift")
    ]
