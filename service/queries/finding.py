"""What of the tasks is wanted: words and filters, as conditions that an index can follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import ColumnElement, Select, and_, case, false, or_, select, true, union
from sqlalchemy.orm import Session

from .. import clock, errors, permissions, wording, words, workdays
from ..models import NO_DUE, Instance, SearchEntry, Task, TaskCandidate, User
from ..models.instance import InstanceStatus
from ..models.search import Cut
from .page import AnySelect

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

    def conditions(self, task_id: Any) -> list[ColumnElement[bool]]:
        """Conditions on a column with the task's id, and on ``Task`` where the case counts."""
        wanted: list[ColumnElement[bool]] = []
        if self.ids is not None:
            wanted.append(task_id.in_(self.ids))
        if self.cases is not None:
            wanted.append(Task.instance_id.in_(self.cases))
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
        wanted: list[ColumnElement[bool]] = []
        if self.instance is not None:
            wanted.append(Task.instance_id == self.instance)
        if self.status:
            wanted.append(Task.status == self.status)
        if self.priority:
            wanted.append(
                {"high": Task.priority > NORMAL, "normal": Task.priority == NORMAL, "low": Task.priority < NORMAL}[
                    self.priority
                ]
            )
        if not offered and (when := self._when(Task.due_sort, now)):
            late = and_(Task.status == "open", *when)
            wanted.append(late if self.overdue is not False else or_(Task.status != "open", *when))
        return wanted

    def of_case(self) -> list[ColumnElement[bool]]:
        """Conditions that need the ``Instance`` beside the task."""
        return [Instance.status == self.state] if self.state else []

    def alternatives(self, user: User, *, handed_in: bool = True) -> list[Alternative]:
        """Return the ways to have the wanted words: in the task's own line and form, or in another form of its case.

        What stands in a form counts only for those who may see it there. Without ``handed_in`` the tasks asked about
        are open, so that none of them has a form of its own yet.
        """
        tags = [Cut([tag]) for tag in self._tags()]
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
            SearchEntry.said != "", _readable(user)
        )
        return [Alternative(ids=own), Alternative(ids=of_line, cases=other)]

    def _tags(self) -> list[str]:
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
    stands = and_(*(text.like(f"%{word}%") for word in asked))
    return entries.where(case((stands, true()), else_=false()))


def _readable(user: User) -> ColumnElement[bool]:
    """True where what was handed in with an entry's task is open to the user."""
    seen = select(Task.id).where(Task.id == SearchEntry.task_id, permissions.tasks_seen_by(user))
    desks = sorted(permissions.desk_authorities(user))
    return or_(SearchEntry.authority_id.in_(desks), SearchEntry.task_id.in_(seen.correlate(SearchEntry)))


# How many of each kind

FACETS = ("process", "element", "base_type", "region", "recommender", "due", "priority", "state")
FACETED = 1_000
"""So many tasks are sorted into kinds. Where more are found, the list says so, and names kinds without numbers."""


class Fact(NamedTuple):
    """What a task is, for counting."""

    process: str
    element: str
    base_type: str | None
    region: str | None
    recommender: int | None
    due_sort: datetime
    priority: int
    state: str
    step: str
    step_process: str = ""
    deployment: int = 0

    def has(self, kind: str, value: Any, now: datetime) -> bool:
        """True where the task is of this kind."""
        return value in self.kinds(kind, now)

    def kinds(self, kind: str, now: datetime) -> list[Any]:
        """Return the values of a filter that this task meets."""
        match kind:
            case "due":
                ranges = [(name, period(name, now)) for name in get_args(Due)]
                return [
                    name
                    for name, (first, last) in ranges
                    if (first is None or self.due_sort >= first) and (last is None or self.due_sort < last)
                ]
            case "priority":
                return ["high" if self.priority > NORMAL else "low" if self.priority < NORMAL else "normal"]
        value = getattr(self, kind)
        return [] if value is None else [value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """How many tasks of each kind there are beside what else is chosen; ``capped``: too many to tell."""

    counts: dict[str, Counter[Any]]
    steps: dict[str, str]
    capped: bool


def facets(session: Session, parts: Sequence[AnySelect], wanted: Filters) -> Facets:
    """Count the tasks of ``parts`` (which no filter but words narrows) by kind, one filter at a time left out."""
    now = clock.now()
    heads = [part.limit(FACETED + 1).subquery() for part in parts]
    ids = [select(head.c.id) for head in heads]
    chosen = (ids[0] if len(ids) == 1 else union(*ids)).subquery()
    rows = [
        Fact(*row)
        for row in session.execute(
            select(
                Instance.process_id,
                Task.element_id,
                SearchEntry.base_type,
                SearchEntry.region,
                SearchEntry.recommender_id,
                Task.due_sort,
                Task.priority,
                Instance.status,
                Task.name,
                Task.process_id,
                Instance.deployment_id,
            )
            .select_from(chosen)
            .join(Task, Task.id == chosen.c.id)
            .join(Instance, Instance.id == Task.instance_id)
            .outerjoin(SearchEntry, SearchEntry.task_id == Task.id)
            .limit(FACETED + 1)
        )
    ]
    set_now = {kind: getattr(wanted, kind) for kind in FACETS if getattr(wanted, kind) is not None}
    counts: dict[str, Counter[Any]] = {}
    for kind in FACETS:
        others = [(name, value) for name, value in set_now.items() if name != kind]
        fits = [row for row in rows if all(row.has(name, value, now) for name, value in others)]
        counts[kind] = Counter(value for row in fits for value in row.kinds(kind, now))
    steps = {row.element: wording.text(session, row.deployment, row.step_process, row.step) for row in rows}
    return Facets(counts=counts, steps=steps, capped=len(rows) > FACETED)


def without_filters(wanted: Filters) -> Filters:
    """Return the same words in the same box, with no kind chosen."""
    return replace(wanted, **dict.fromkeys(FACETS))
