"""Words, and the filters that stand among them, sought from the cheaper end.

A common word is found by walking a box in its order and looking at each entry: some hundred steps, however much is
open. A rare one would be walked for to the end of the box; it is sought in the index of words, and what is found there
is looked up in the box. Which of the two a word is, the head of the box says itself, so no statistics need be right.
Both ways find the same (tests/queries/test_seeking.py); only how far is counted differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, union, union_all
from sqlalchemy.orm import Session, aliased

from ..models import Instance, SearchEntry, Task, User
from ..models.search import carries
from . import page
from .finding import Filters, readable, stand
from .page import COUNTED, AnySelect, Order

HEAD = 400
"""So many tasks of a box are looked at before it is said how common a word is there."""
WALK = 1_500
"""A walk for more than the page needs, to count, is no longer than this."""
DEARER = 3
"""What the index gives is looked up in the table and in the box, and sorted: that takes as many steps of a walk."""
FOUND = 100
"""A walk counts up to here."""


class Space(NamedTuple):
    """Where is sought: a box by its index ranges in their order, and the same tasks ``among`` some known by their ids.

    ``rest`` are conditions on ``Task`` and ``Instance`` that no range has.
    """

    ranges: Sequence[tuple[AnySelect, Order]]
    among: Callable[[AnySelect], Sequence[tuple[AnySelect, Order]]]
    rest: Sequence[ColumnElement[bool]] = ()


class Hits(NamedTuple):
    """The ids of what was found, in the order of the box; not ``whole``: there may be more."""

    ids: list[int]
    whole: bool


class Seeker:
    """One question of one reader to a box."""

    def __init__(self, session: Session, user: User, space: Space, wanted: Filters, *, handed_in: bool) -> None:
        self.session, self.user, self.space, self.wanted, self.handed_in = session, user, space, wanted, handed_in

    def page(self, after: str | None, limit: int) -> tuple[list[int], int, bool]:
        """Return the ids of a page and the first of the next, how many there are in all, and whether there are more."""
        first = self.seek(None, enough=limit + 1, most=max(limit, FOUND) + 1)
        total = len(first.ids) if first.whole else len(first.ids) - 1
        shown = first if after is None else self.seek(after, enough=limit + 1, most=limit + 1)
        return shown.ids[: limit + 1], total, not first.whole

    def seek(self, after: str | None, *, enough: int, most: int) -> Hits:
        """Find ``most`` hits behind a mark, or all; of common words ``enough`` will do where more is a long walk."""
        if self.wanted.hopeless:
            return Hits([], True)
        head = self._along(after, HEAD)
        entries = select(func.max(SearchEntry.task_id)).scalar_subquery()
        looked = select(head.c.id, *_keys(head), self._has(head.c.id).label("has"), entries.label("entries"))
        rows = self.session.execute(page.sorted_again(looked, head, self._down)).all()
        found = list(dict.fromkeys(row.id for row in rows if row.has))
        if len(rows) < HEAD:
            return Hits(found, True)
        if len(found) >= most:
            return Hits(found[:most], False)
        # To fill a page takes ``enough / share`` steps, to gather from the index ``entries * share`` dearer ones.
        share = len(found) / HEAD
        if enough <= share * share * (rows[0].entries or 0) * DEARER:
            near = 1.5 * enough / share < WALK
            goal, far = (most, min(WALK, 2 * most / share)) if near else (enough, 3 * enough / share)
            walk = self._along(page.mark(*rows[-1][1:-2]), int(far))
            hits = page.sorted_again(select(walk.c.id).where(self._has(walk.c.id)), walk, self._down)
            met = self.session.scalars(hits.limit(max(0, goal - len(found)))).all()
            full = len(found) + len(met) >= goal
            found = list(dict.fromkeys([*found, *met]))
            whole = not full and self._ends(walk, int(far))
            if whole or len(found) >= enough:
                return Hits(found, whole)
        return self._indexed(after, max(most, COUNTED + 1))

    def _along(self, after: str | None, far: int) -> Subquery:
        """The next so many tasks of the box in its order: its ranges are merged as they are read, none is read ahead.

        A task that stands in two ranges comes twice, one after the other.
        """
        parts = []
        for query, order in self.space.ranges:
            keyed = query.add_columns(*order.keys())
            keyed = keyed if after is None else keyed.where(order.beyond(after))
            parts.append(keyed.order_by(*order.sorting()).subquery())
        merged = parts[0] if len(parts) == 1 else union_all(*(select(*part.c) for part in parts)).subquery()
        return page.sorted_again(select(merged), merged, self._down).limit(far).subquery()

    def _ends(self, walk: Subquery, far: int) -> bool:
        return (self.session.scalar(select(func.count()).select_from(walk)) or 0) < far

    @property
    def _down(self) -> bool:
        return self.space.ranges[0][1].down

    def _has(self, task_id: Any) -> ColumnElement[bool]:
        """The condition that a task has all that is wanted, for a look at one after the other."""
        own = aliased(SearchEntry)
        wanted: list[ColumnElement[bool]] = [carries(own.terms, tag) for tag in self.wanted.tags()]
        if asked := self.wanted.words():
            line = own.name + " " + own.about
            text = line + " " + own.said if self.handed_in else line
            wanted.append(or_(stand(text, asked), self._in_another_form(own.instance_id, asked)))
        if self.space.rest:
            wanted.append(self._rest(task_id))
        # A subquery for each row: as a join it may be read from the wrong end.
        return select(and_(*wanted)).where(own.task_id == task_id).correlate_except(own).scalar_subquery()

    def _in_another_form(self, instance_id: Any, asked: Sequence[str]) -> ColumnElement[bool]:
        form = aliased(SearchEntry)
        return (
            select(form.task_id)
            .where(
                form.instance_id == instance_id,
                form.said != "",
                stand(form.about + " " + form.said, asked),
                readable(self.user, form),
            )
            .correlate_except(form)
            .exists()
        )

    def _rest(self, task_id: Any) -> ColumnElement[bool]:
        facts = select(Task.id).join(Instance, Instance.id == Task.instance_id)
        return facts.where(Task.id == task_id, *self.space.rest).correlate_except(Task, Instance).exists()

    def _indexed(self, after: str | None, most: int) -> Hits:
        """Find by the index of words; all that has them is gathered, looked up in the box and sorted."""
        ways = [
            way.ids
            if way.cases is None
            else select(SearchEntry.task_id).where(*way.conditions(SearchEntry.task_id, SearchEntry.instance_id))
            for way in self.wanted.alternatives(self.user, handed_in=self.handed_in)
        ]
        sought = union(*(way for way in ways if way is not None)).cte("sought").prefix_with("MATERIALIZED")
        parts = []
        for part, order in self.space.among(select(sought.c.task_id)):
            query = part.add_columns(*order.keys()).distinct()
            if after is not None:
                query = query.where(order.beyond(after))
            # Sorted apart: else the box is followed in its order to its end.
            parts.append(query.offset(0).subquery())
        merged = parts[0] if len(parts) == 1 else union(*(select(*part.c) for part in parts)).subquery()
        found = select(merged.c.id)
        if self.space.rest:
            found = found.where(self._rest(merged.c.id))
        ids = self.session.scalars(page.sorted_again(found, merged, self._down).limit(most)).all()
        return Hits(list(ids), len(ids) < most)


def _keys(rows: Subquery) -> list[Any]:
    return [column for column in rows.c if column.key.startswith(page.KEY)]
