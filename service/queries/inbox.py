"""The inbox: what I do, what I could do, what I wait for, what I have done.

A box is read by one statement and counted by another, however many tasks are open: the group box merges the heads
of one index range for each role the user holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Subquery, func, select, union
from sqlalchemy import case as when
from sqlalchemy.orm import Session

from .. import clock, permissions, wording
from ..models import CaseParty, Instance, Organisation, ProcessDefinition, Role, Task, User
from ..models.task import TaskStatus
from . import boxes, page
from .boxes import BY_DONE, BY_DUE, OFFERS_BY_DUE, Box
from .facets import FACETED, Facets, facets, without_filters
from .finding import Filters, known
from .page import COUNTED, AnySelect, Order, Page
from .seeking import FOUND

Sort = Literal["due", "created", "priority", "case"]

_ORDERS = {
    "due": BY_DUE,
    "created": Order((Task.created_at, Task.id), (datetime, int), down=True),
    "priority": Order((-Task.priority, Task.due_sort, Task.id), (int, datetime, int)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxTask:
    """A line of the inbox. Who holds a task is left out where the reader may not look into it.

    ``on_behalf_of`` is the person in whose place it is done, or – in the deputy's box – may be done.
    """

    id: int
    name: str
    element_id: str
    process_id: str
    process_name: str
    form_id: str | None
    instance_id: int
    number: str
    title: str
    applicant: str | None
    office: str | None
    role: str | None
    role_zh: str | None
    role_en: str | None
    status: str
    assignee_id: int | None
    assignee: str | None
    due_at: datetime | None
    due_sort: datetime
    follow_up_at: datetime | None
    priority: int
    created_at: datetime
    claimed_at: datetime | None
    completed_at: datetime | None
    version: int
    on_behalf_of: str | None = None
    overdue: bool
    lead: datetime | None = None


def tasks(
    session: Session,
    user: User,
    *,
    box: Box = "mine",
    sort: Sort = "due",
    after: str | None = None,
    limit: int = 25,
    up_to: int | None = COUNTED,
    **filters: Any,
) -> Page[InboxTask]:
    """Return a page of a box, earliest due first; what has no due date comes last.

    It is counted ``up_to`` so many (None: all), fewer where words are sought.
    By ``case``, the tasks of one case stand together, the case with the earliest deadline first – up to as many tasks
    as are counted; a longer list (``capped``) comes by due date.
    """
    known(box, Box, "box")
    known(sort, Sort, "sort")
    known(filters.get("status") or "open", TaskStatus, "status")
    limit, now, wanted = page.size(limit), clock.now(), Filters(**filters)
    rows, total, capped, sort = _chosen(session, user, box, wanted, now, sort, after, limit, up_to)
    lines = _lines(user, box, rows)
    if sort == "case":
        lines = lines.add_columns(rows.c.key0.label("lead"))
    found = [_line(row, now) for row in session.execute(page.sorted_again(lines, rows, _order(box, sort).down))]
    found = wording.said(session, found, "name", "process_name", "title")
    if box == "deputy":
        found = _named(session, user, found)
    following = _mark(found[limit - 1], box, sort) if len(found) > limit else None
    return Page(items=found[:limit], total=total, capped=capped, next=following)


def _chosen(
    session: Session,
    user: User,
    box: Box,
    wanted: Filters,
    now: datetime,
    sort: Sort,
    after: str | None,
    limit: int,
    up_to: int | None,
) -> tuple[Subquery, int, bool, Sort]:
    """Return the ids of a page, how many there are in all, whether even more, and how they are sorted after all."""
    seeker = boxes.seeker(session, user, box, wanted, now)
    parts: list[AnySelect] = []
    if seeker is not None and sort != "due" and (box != "done" or sort == "case"):
        hits = seeker.seek(None, enough=COUNTED + 1, most=COUNTED + 1)
        if hits.whole:  # so few can be sorted in any way
            seeker, parts = None, [select(Task.id).where(Task.id.in_(hits.ids))]
        elif sort == "case":
            sort = "due"
        else:
            seeker = None
    if seeker is not None:
        ids, total, capped = seeker.page(after, limit)
        found = [(select(Task.id).where(Task.id.in_(ids)), _order(box, sort))]
        return page.chosen(found, None, limit), total, capped, sort
    by_candidate = not parts and box == "group" and sort in ("due", "case")
    parts = parts or boxes.parts(user, box, wanted, now, by_candidate=by_candidate)
    total, capped = page.counted(session, *parts, up_to=up_to)
    if sort == "case" and not capped and total <= COUNTED:
        return page.chosen([_by_case(parts)], after, limit), total, capped, sort
    sort = "due" if sort == "case" else sort
    order = OFFERS_BY_DUE if by_candidate else _order(box, sort)
    return page.chosen([(part, order) for part in parts], after, limit), total, capped, sort


def _order(box: Box, sort: Sort) -> Order:
    return BY_DONE if box == "done" and sort != "case" else _ORDERS.get(sort, BY_DUE)


def _by_case(parts: list[AnySelect]) -> tuple[AnySelect, Order]:
    """Sort the tasks by the earliest deadline of their case. There are few enough to look at all of them."""
    ids = [select(part.limit(COUNTED + 1).subquery().c.id) for part in parts]
    chosen = (ids[0] if len(ids) == 1 else union(*ids)).subquery()
    earliest = func.min(Task.due_sort).over(partition_by=Task.instance_id)
    grouped = (
        select(Task.id, Task.instance_id, Task.due_sort, earliest.label("earliest"))
        .join(chosen, chosen.c.id == Task.id)
        .subquery()
    )
    columns = (grouped.c.earliest, grouped.c.instance_id, grouped.c.due_sort, grouped.c.id)
    return select(grouped.c.id), Order(columns, (datetime, int, datetime, int))


def kinds(session: Session, user: User, *, box: Box = "mine", **filters: Any) -> Facets:
    """Return how many tasks of each kind a box has, beside what else is chosen."""
    known(box, Box, "box")
    wanted = Filters(**filters)
    loose, now = without_filters(wanted), clock.now()
    seeker = boxes.seeker(session, user, box, loose, now)
    if seeker is None:
        return facets(session, boxes.parts(user, box, loose, now, by_candidate=box == "group"), wanted)
    hits = seeker.seek(None, enough=FOUND + 1, most=FACETED + 1)
    return facets(session, [select(Task.id).where(Task.id.in_(hits.ids))], wanted, whole=hits.whole)


def counts(session: Session, user: User) -> dict[str, int]:
    """Return how much is in the boxes that wait for the user, up to a limit, and how much of mine is late."""
    now = clock.now()
    mine = select(Task.due_sort).where(*boxes.doors(user, "mine")).order_by(Task.due_sort).limit(COUNTED + 1).subquery()
    heads = [
        offer.limit(COUNTED + 1).subquery() for offer in boxes.parts(user, "group", Filters(), now, by_candidate=True)
    ]
    group = union(*(select(*head.c) for head in heads)).subquery()
    row = session.execute(
        select(
            select(func.count()).select_from(mine).scalar_subquery(),
            select(func.count()).select_from(mine).where(mine.c.due_sort < now).scalar_subquery(),
            select(func.count()).select_from(group).scalar_subquery(),
        )
    ).one()
    return {"mine": row[0], "late": row[1], "group": row[2]}


def _lines(user: User, box: Box, rows: Subquery) -> AnySelect:
    """Select what a line shows, beside the task its case, its applicant and who has it.

    Names are looked up one by one: a join of nine tables takes longer to plan than a page of names to find.
    """

    def shown(column: Any) -> Any:
        return column if box != "waiting" else when((permissions.tasks_seen_by(user), column), else_=None)

    applicant = (
        select(Organisation.name)
        .join(CaseParty, CaseParty.organisation_id == Organisation.id)
        .where(CaseParty.instance_id == Task.instance_id, CaseParty.party == "applicant")
    )
    office = select(Organisation.name).where(Organisation.id == Task.organisation_id)
    process = select(ProcessDefinition.name).where(ProcessDefinition.id == Instance.definition_id)
    assignee = select(User.name).where(User.id == Task.assignee_id)
    behalf = select(User.name).where(User.id == Task.on_behalf_of_id)
    query: AnySelect = select(
        *_COLUMNS,
        process.scalar_subquery().label("process_name"),
        applicant.scalar_subquery().label("applicant"),
        office.scalar_subquery().label("office"),
        select(Role.name_zh).where(Role.code == Task.role).scalar_subquery().label("role_zh"),
        select(Role.name_en).where(Role.code == Task.role).scalar_subquery().label("role_en"),
        shown(Task.assignee_id).label("assignee_id"),
        shown(assignee.scalar_subquery()).label("assignee"),
        shown(Task.claimed_at).label("claimed_at"),
        shown(behalf.scalar_subquery()).label("on_behalf_of"),
    )
    return query.select_from(rows).join(Task, Task.id == rows.c.id).join(Instance, Instance.id == Task.instance_id)


_COLUMNS: tuple[Any, ...] = (
    Task.id,
    Task.name,
    Task.element_id,
    Task.process_id,
    Task.form_id,
    Task.instance_id,
    Task.role,
    Task.status,
    Task.due_at,
    Task.due_sort,
    Task.follow_up_at,
    Task.priority,
    Task.created_at,
    Task.completed_at,
    Task.version,
    Instance.number,
    Instance.title,
)


def _named(session: Session, user: User, lines: list[InboxTask]) -> list[InboxTask]:
    """Say of each line in whose place the user may do it."""
    places: dict[int, str] = {}
    for appointment, door in permissions.lent_tasks(user):
        found = session.scalars(select(Task.id).where(Task.id.in_([line.id for line in lines]), door))
        for task_id in found:
            places.setdefault(task_id, appointment.principal.name)
    return [replace(line, on_behalf_of=places.get(line.id)) for line in lines]


def _line(row: Any, now: datetime) -> InboxTask:
    facts = row._mapping
    late = facts["due_at"] is not None and facts["due_at"] < now and facts["status"] == "open"
    return InboxTask(**facts, overdue=late)


def _mark(last: InboxTask, box: Box, sort: Sort) -> str:
    if sort == "case":
        return page.mark(last.lead, last.instance_id, last.due_sort, last.id)
    if box == "done":
        return page.mark(last.completed_at, last.id)
    match sort:
        case "due":
            return page.mark(last.due_sort, last.id)
        case "created":
            return page.mark(last.created_at, last.id)
    return page.mark(-last.priority, last.due_sort, last.id)
