"""The working calendar: years the library does not know yet are entered by an administrator."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, errors, permissions, workdays
from service.commands.cases import history
from service.models import CalendarYear, User

_DATE = r"\d{4}-\d{1,2}-\d{1,2}"
_LINE = re.compile(rf"(?P<first>{_DATE})(?:\s*(?:至|到|~)\s*(?P<last>{_DATE}))?\s+(?P<what>休|班)\s*(?P<name>.*)")
_installed: tuple[object, ...] = ()


def enter(session: Session, year: int, text: str, *, user: User, note: str = "") -> CalendarYear:
    """Enter or replace a year's arrangement, written one line a day or span: ``2027-01-01 至 2027-01-03 休 元旦``.

    Deadlines that are already set stay; those set from now on count by it.
    """
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()
    if not 2004 <= year <= 2100:
        raise errors.InvalidInput(
            "年份应在 2004 至 2100 之间。", "The year should lie between 2004 and 2100.", field="year"
        )
    days: dict[str, object] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            days.update(_read(line.strip(), number, year))
    if not days:
        raise errors.InvalidInput("没有填写任何日期。", "No day is given.", field="days")
    row = session.merge(CalendarYear(year=year, days=days, note=note, entered_at=clock.now(), entered_by_id=user.id))
    data = {"year": year, "days": days, "note": note}
    history.note_authority(session, user.authority_id, "calendar_entered", user, data)
    return row


def _read(line: str, number: int, year: int) -> Iterator[tuple[str, dict[str, object]]]:
    match = _LINE.fullmatch(line)
    try:
        if match is None:
            raise ValueError
        first = _date(match["first"])
        last = _date(match["last"]) if match["last"] else first
    except ValueError:
        raise errors.InvalidInput(
            f"第 {number} 行“{line}”看不懂，应如“{year}-01-01 至 {year}-01-03 休 元旦”或“{year}-01-04 班”。",
            f"Line {number} “{line}” should read like “{year}-01-01 至 {year}-01-03 休 元旦” or “{year}-01-04 班”.",
            field="days",
        ) from None
    if first.year != year or last.year != year or last < first:
        raise errors.InvalidInput(
            f"第 {number} 行的日期不在 {year} 年内，或先后颠倒。",
            f"The days of line {number} do not lie in {year}, or the last comes before the first.",
            field="days",
        )
    for offset in range((last - first).days + 1):
        day = first + offset * workdays.DAY
        yield day.isoformat(), {"worked": match["what"] == "班", "name": match["name"].strip()}


def _date(text: str) -> date:
    year, month, day = map(int, text.split("-"))
    return date(year, month, day)


def entered(session: Session) -> list[tuple[int, dict[str, object]]]:
    """Return the years that administrators have entered, with their days, for whoever counts elsewhere."""
    return [(row.year, dict(row.days)) for row in session.scalars(select(CalendarYear).order_by(CalendarYear.year))]


def refresh(session: Session) -> bool:
    """Make this process count by what is entered; True where something had changed since it last did."""
    global _installed
    stamp = tuple(session.execute(select(func.count(), func.max(CalendarYear.entered_at))).one())
    if stamp == _installed:
        return False
    table: dict[date, bool] = {}
    years: list[int] = []
    for row in session.scalars(select(CalendarYear)):
        years.append(row.year)
        table |= {date.fromisoformat(day): bool(what["worked"]) for day, what in row.days.items()}
    workdays.install(table or None, years)
    _installed = stamp
    return True
