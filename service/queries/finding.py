"""What of the tasks is wanted: words and filters, as conditions that an index can follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import ColumnElement, Select, and_, case, false, or_, select, true

from .. import clock, errors, permissions, words, workdays
from ..models import NO_DUE, Instance, SearchEntry, Task, TaskCandidate, User
from ..models.instance import InstanceStatus
from ..models.search import Cut

Due = Literal["late", "today", "soon", "week", "none"]
Priority = Literal["high", "normal", "low"]
NORMAL = 50
"""The priority of a task whose diagram says nothing."""
SOON = 3
"""A deadline this many working days away is near."""


class Alternative(NamedTuple):
    """One way to be what is wanted: ``ids`` the task itself, ``cases`` another task of its case."""

    ids: Select[int] | None = None
    cases: Select[int] | None = None

    def conditions(self, task_id: Any, instance_id: Any = Task.instance_id) -> list[ColumnElement[bool]]:
        """Conditions on columns with the task's id and, where the case counts, with the id of that."""
        wanted: list[ColumnElement[bool]] = []
        if self.ids is not None:
            wanted.append(task_id.in_(self.ids))
        if self.cases is not None:
            wanted.append(instance_id.in_(self.cases))
        return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What of a box is wanted. Nothing set is everything; what is set holds all at once."""

    process: str | None = None
    element: str | None = None
    instance: int | None = None
    status: str | None = None
    overdue: bool | None = None
    text: str | None = None
    base_type: str | None = None
    region: str | None = None
    recommender: int | None = None
    due: str | None = None
    priority: str | None = None
    state: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no task can be."""
        known(self.due or "late", Due, "due")
        known(self.priority or "high", Priority, "priority")
        known(self.state or "active", InstanceStatus, "state")

    def of_candidate(self, now: datetime) -> list[ColumnElement[bool]]:
        """What the table of candidates can tell, so that its index can be followed."""
        return self._when(TaskCandidate.due_sort, now)

    def of_task(self, now: datetime, *, offered: bool = False) -> list[ColumnElement[bool]]:
        """Conditions on ``Task``; ``offered``: beside those that its candidate has met already."""
        wanted = [*self.of_range(now, due=not offered), *self._pressing()]
        return [*wanted, Task.instance_id == self.instance] if self.instance is not None else wanted

    def of_range(self, now: datetime, *, due: bool) -> list[ColumnElement[bool]]:
        """Conditions on ``Task`` that an index by status and due date has; ``due``: the date as well."""
        wanted: list[ColumnElement[bool]] = [Task.status == self.status] if self.status else []
        if due and (when := self._when(Task.due_sort, now)):
            late = and_(Task.status == "open", *when)
            wanted.append(late if self.overdue is not False else or_(Task.status != "open", *when))
        return wanted

    def of_rest(self) -> list[ColumnElement[bool]]:
        """Conditions on ``Task`` and its ``Instance`` that no index has."""
        return [*self._pressing(), *self.of_case()]

    def _pressing(self) -> list[ColumnElement[bool]]:
        if not self.priority:
            return []
        return [
            {"high": Task.priority > NORMAL, "normal": Task.priority == NORMAL, "low": Task.priority < NORMAL}[
                self.priority
            ]
        ]

    def of_case(self) -> list[ColumnElement[bool]]:
        """Conditions that need the ``Instance`` beside the task."""
        return [Instance.status == self.state] if self.state else []

    def alternatives(self, user: User, *, handed_in: bool = True) -> list[Alternative]:
        """Return the ways to have the wanted words: in the task's own line and form, or in another form of its case.

        What stands in a form counts only for those who may see it there. Without ``handed_in`` the tasks asked about
        are open, so that none of them has a form of its own yet.
        """
        tags = [Cut([tag]) for tag in self.tags()]
        of_line = _entries(SearchEntry.task_id, tags) if tags else None
        if not (self.text or "").replace("\x00", "").strip():
            return [Alternative(ids=of_line)]
        asked = words.asked(self.text or "")
        if not asked:
            return [Alternative(ids=select(SearchEntry.task_id).where(SearchEntry.task_id.is_(None)))]
        plain, typed = _cuts(asked)
        line: ColumnElement[str] = SearchEntry.name + " " + SearchEntry.about
        anywhere = [list(ways) for ways in zip(plain, typed, strict=True)]
        own = (
            _entries(SearchEntry.task_id, tags, anywhere, asked, line + " " + SearchEntry.said)
            if handed_in
            else _entries(SearchEntry.task_id, tags, [[one] for one in plain], asked, line)
        )
        # Words that all stand in the line are found there: of a form at least one is wanted that was typed.
        of_form = [typed] if len(typed) == 1 else [*anywhere, typed]
        form = SearchEntry.about + " " + SearchEntry.said
        other = _entries(SearchEntry.instance_id, [], of_form, asked, form).where(
            SearchEntry.said != "", readable(user)
        )
        return [Alternative(ids=own), Alternative(ids=of_line, cases=other)]

    def words(self) -> list[str]:
        """Return the words that are asked for, folded."""
        return words.asked((self.text or "").replace("\x00", ""))

    @property
    def sought(self) -> bool:
        """True where words are asked for, or filters that stand among them."""
        return self.hopeless or bool(self.words() or self.tags())

    @property
    def hopeless(self) -> bool:
        """True where text is asked for that has no word in it: nothing has it."""
        return bool((self.text or "").replace("\x00", "").strip()) and not self.words()

    def tags(self) -> list[str]:
        """Return the words of the index that stand for what is chosen."""
        facts = {
            "process": self.process,
            "step": self.element,
            "region": self.region,
            "type": self.base_type,
            "recommender": self.recommender,
        }
        return [words.tag(kind, value) for kind, value in facts.items() if value]

    def _when(self, column: Any, now: datetime) -> list[ColumnElement[bool]]:
        wanted: list[ColumnElement[bool]] = []
        if self.overdue is not None:
            wanted.append(column < now if self.overdue else column >= now)
        if self.due:
            first, last = period(self.due, now)
            if first is not None:
                wanted.append(column >= first)
            if last is not None:
                wanted.append(column < last)
        return wanted


def known(value: str, choices: Any, name: str) -> None:
    """Raise ``InvalidInput`` where a word is none of those that a list knows."""
    if value not in get_args(choices):
        written = "、".join(get_args(choices))
        raise errors.InvalidInput(
            f"{name} 应为 {written} 之一。", f"{name} is one of {', '.join(get_args(choices))}.", field=name
        )


def period(due: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return from when (inclusive) until when (exclusive) a deadline of this kind lies."""
    today = clock.today(now)

    def end(day: Any) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=clock.CHINA)

    match due:
        case "late":
            return None, now
        case "today":
            return now, end(today)
        case "soon":
            return now, end(workdays.add(today, SOON))
        case "week":
            return now, end(today + timedelta(days=6 - today.weekday()))
    return NO_DUE, None


def _cuts(asked: Sequence[str]) -> tuple[list[Cut], list[Cut]]:
    """For each run of the words that are asked for: how it stands in a line, and how among what was typed."""
    runs = [words.needed(run) for run in dict.fromkeys(run for word in asked for run in word.split())]
    plain = [Cut(whole, begun) for whole, begun in runs]
    return plain, [Cut(words.typed(whole), words.typed(begun)) for whole, begun in runs]


def _entries(
    column: Any,
    tags: Sequence[Cut],
    wanted: Sequence[Sequence[Cut]] = (),
    asked: Sequence[str] = (),
    text: ColumnElement[str] | None = None,
) -> Select[int]:
    entries = select(column).where(SearchEntry.found(*([one] for one in tags), *wanted))
    if text is None or not asked:
        return entries
    # Letters and digits only, so nothing in it is a wildcard. CASE keeps PostgreSQL from multiplying two chances: to
    # have the pairs and to have the word are nearly the same, and a common word taken for a rare one is sought from
    # the wrong end.
    return entries.where(case((stand(text, asked), true()), else_=false()))


def stand(text: ColumnElement[str], asked: Sequence[str]) -> ColumnElement[bool]:
    """True where a folded text has all the words."""
    return and_(*(text.like(f"%{word}%") for word in asked))


def readable(user: User, entry: Any = SearchEntry) -> ColumnElement[bool]:
    """True where what was handed in with an entry's task is open to the user."""
    seen = select(Task.id).where(Task.id == entry.task_id, permissions.tasks_seen_by(user))
    desks = sorted(permissions.desk_authorities(user))
    return or_(entry.authority_id.in_(desks), entry.task_id.in_(seen.correlate(entry)))
