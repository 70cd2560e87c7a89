"""The inbox: what I do, what I could do, what I wait for, what I have done.

A box is read by one statement and counted by another, however many tasks are open: the group box merges the heads
of one index range for each role the user holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Subquery,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy import case as when
from sqlalchemy.orm import Session

from .. import clock, permissions, wording
from ..models import CaseParty, Instance, Organisation, ProcessDefinition, Role, Task, TaskCandidate, User
from ..models.task import TaskStatus
from . import page
from .finding import Facets, Filters, facets, known, without_filters
from .page import COUNTED, AnySelect, Order, Page

Box = Literal["mine", "later", "group", "deputy", "waiting", "done", "all"]
Sort = Literal["due", "created", "priority", "case"]

_ORDERS = {
    "due": Order((Task.due_sort, Task.id), (datetime, int)),
    "created": Order((Task.created_at, Task.id), (datetime, int), down=True),
    "priority": Order((-Task.priority, Task.due_sort, Task.id), (int, datetime, int)),
}
_BY_CANDIDATE = {"due": Order((TaskCandidate.due_sort, TaskCandidate.task_id), (datetime, int))}
_DONE = Order((Task.completed_at, Task.id), (datetime, int), down=True)


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
    **filters: Any,
) -> Page[InboxTask]:
    """Return a page of a box, earliest due first; what has no due date comes last.

    By ``case``, the tasks of one case stand together, the case with the earliest deadline first – up to as many tasks
    as are counted; a longer list (``capped``) comes by due date.
    """
    known(box, Box, "box")
    known(sort, Sort, "sort")
    known(filters.get("status") or "open", TaskStatus, "status")
    limit, now, wanted = page.size(limit), clock.now(), Filters(**filters)
    by_candidate = box == "group" and sort in (*_BY_CANDIDATE, "case")
    parts = _parts(user, box, wanted, now, by_candidate=by_candidate)
    total, capped = page.counted(session, *parts)
    if sort == "case" and capped:
        sort = "due"
    if sort == "case":
        heads = [_by_case(parts)]
    else:
        order = _BY_CANDIDATE[sort] if by_candidate else _DONE if box == "done" else _ORDERS[sort]
        heads = [(part, order) for part in parts]
    rows = page.chosen(heads, after, limit)
    lines = _lines(user, box, rows)
    if sort == "case":
        lines = lines.add_columns(rows.c.key0.label("lead"))
    found = [_line(row, now) for row in session.execute(page.sorted_again(lines, rows, heads[0][1].down))]
    found = wording.said(session, found, "name", "process_name", "title")
    if box == "deputy":
        found = _named(session, user, found)
    following = _mark(found[limit - 1], box, sort) if len(found) > limit else None
    return Page(items=found[:limit], total=total, capped=capped, next=following)


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
    loose = _parts(user, box, without_filters(wanted), clock.now(), by_candidate=box == "group")
    return facets(session, loose, wanted)


def counts(session: Session, user: User) -> dict[str, int]:
    """Return how much is in the boxes that wait for the user, up to a limit, and how much of mine is late."""
    now = clock.now()
    mine = select(Task.due_sort).where(*_doors(user, "mine")).order_by(Task.due_sort).limit(COUNTED + 1).subquery()
    heads = [offer.limit(COUNTED + 1).subquery() for offer in _offers(user, Filters(), now)]
    group = union(*(select(*head.c) for head in heads)).subquery()
    row = session.execute(
        select(
            select(func.count()).select_from(mine).scalar_subquery(),
            select(func.count()).select_from(mine).where(mine.c.due_sort < now).scalar_subquery(),
            select(func.count()).select_from(group).scalar_subquery(),
        )
    ).one()
    return {"mine": row[0], "late": row[1], "group": row[2]}


def _offers(user: User, wanted: Filters, now: datetime) -> list[AnySelect]:
    """Select, for the user in person and for each group of theirs, the tasks offered and not taken."""
    offers: list[ColumnElement[bool]] = [TaskCandidate.user_id == user.id if user.active else false()]
    offers += [
        and_(TaskCandidate.organisation_id == organisation, TaskCandidate.role == role)
        for organisation, role in sorted(permissions.groups(user))
    ]
    of_task, of_case = wanted.of_task(now, offered=True), wanted.of_case()
    ways = [
        (offer, way)
        for way in wanted.alternatives(user, handed_in=False)
        # Cases are sought by what was typed in them, once for all offers; lines follow the index of each.
        for offer in (offers if way.cases is None else [or_(*offers)])
    ]
    parts = []
    for offer, way in ways:
        part: AnySelect = select(TaskCandidate.task_id.label("id")).where(
            offer,
            TaskCandidate.claimed.is_(False),
            ~permissions.kept_away([user], TaskCandidate.task_id),
            *wanted.of_candidate(now),
            *way.conditions(TaskCandidate.task_id),
        )
        if of_task or of_case or way.cases is not None:
            part = part.join(Task, Task.id == TaskCandidate.task_id).where(*of_task)
        if of_case:
            part = part.join(Instance, Instance.id == Task.instance_id).where(*of_case)
        parts.append(part)
    return parts


def _parts(user: User, box: Box, wanted: Filters, now: datetime, *, by_candidate: bool) -> list[AnySelect]:
    """Select the ids of the tasks of a box, one query for each way into it."""
    if by_candidate:
        return _offers(user, wanted, now)
    of_case = wanted.of_case()
    parts = []
    handed_in = box in ("done", "all") and wanted.status != "open"
    for door, way in product(_doors(user, box), wanted.alternatives(user, handed_in=handed_in)):
        part: AnySelect = select(Task.id).where(door, *wanted.of_task(now), *way.conditions(Task.id))
        parts.append(part.join(Instance, Instance.id == Task.instance_id).where(*of_case) if of_case else part)
    return parts


def _doors(user: User, box: Box) -> list[ColumnElement[bool]]:
    """Return the conditions on ``Task`` of which each puts a task into the box."""
    if not user.active:
        return [false()]
    match box:
        case "mine":
            shown = or_(Task.follow_up_at.is_(None), Task.follow_up_at <= clock.now())
            return [and_(Task.assignee_id == user.id, Task.status == "open", shown)]
        case "later":
            return [and_(Task.assignee_id == user.id, Task.status == "open", Task.follow_up_at > clock.now())]
        case "group":
            offered = select(TaskCandidate.task_id).where(permissions.offered_to(user))
            free = offered.where(TaskCandidate.claimed.is_(False))
            return [and_(Task.id.in_(free), ~permissions.kept_away([user], Task.id))]
        case "deputy":
            return [door for _, door in permissions.lent_tasks(user)] or [false()]
        case "done":
            return [and_(Task.completed_by_id == user.id, permissions.tasks_seen_by(user))]
        case "all":
            return permissions.task_doors(user)
        case "waiting":
            offered_too = exists().where(TaskCandidate.task_id == Task.id, permissions.offered_to(user))
            others = or_(Task.assignee_id.is_(None), Task.assignee_id != user.id)
            mine = Task.instance_id.in_(_cases_of_mine(user))
            return [and_(Task.status == "open", mine, others, ~and_(Task.assignee_id.is_(None), offered_too))]


def _cases_of_mine(user: User) -> CompoundSelect[int]:
    """The cases whose end the user waits for: as a party, as the one who began, or having had a hand in them."""
    known = sorted(permissions.desk_authorities(user) | permissions.expert_authorities(user))
    desks = sorted(permissions.desk_authorities(user))
    parts = [
        permissions.begun_without_parties(user),
        select(Instance.id).where(Instance.started_by_id == user.id, Instance.authority_id.in_(desks)),
        select(Task.instance_id).where(Task.completed_by_id == user.id, Task.authority_id.in_(known)),
    ]
    parts += [select(CaseParty.instance_id).where(door) for door in permissions.instance_doors(user).of_party]
    return union_all(*parts)


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
