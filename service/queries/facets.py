"""How many tasks of each kind a box has, for the filters beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, get_args

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from .. import clock, wording
from ..models import Instance, SearchEntry, Task
from .finding import NORMAL, Due, Filters, period
from .page import AnySelect

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


def facets(session: Session, parts: Sequence[AnySelect], wanted: Filters, *, whole: bool = True) -> Facets:
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
    return Facets(counts=counts, steps=steps, capped=not whole or len(rows) > FACETED)


def without_filters(wanted: Filters) -> Filters:
    """Return the same words in the same box, with no kind chosen."""
    return replace(wanted, **dict.fromkeys(FACETS))
