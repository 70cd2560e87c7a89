"""The inbox: what I do, what I could do, what I wait for, what I have done.

A box is read by one statement and counted by another, however many tasks are open: the group box merges the heads
of one index range for each role the user holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from .. import clock, errors, permissions
from ..models import CaseParty, Instance, Organisation, ProcessDefinition, Role, Task, TaskCandidate, User
from . import page
from .page import COUNTED, AnySelect, Order, Page

Box = Literal["mine", "group", "waiting", "done", "all"]
Sort = Literal["due", "created", "priority"]

_assignee = aliased(User, name="assignee")
_applicant = aliased(Organisation, name="applicant")
_office = aliased(Organisation, name="office")

_ORDERS = {
    "due": Order((Task.due_sort, Task.id), (datetime, int)),
    "created": Order((Task.created_at, Task.id), (datetime, int), down=True),
    "priority": Order((-Task.priority, Task.due_sort, Task.id), (int, datetime, int)),
}
_DONE = Order((Task.completed_at, Task.id), (datetime, int), down=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxTask:
    """A line of the inbox. Who holds a task is left out where the reader may not look into it."""

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
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What of a box is wanted. Nothing set is everything."""

    process: str | None = None
    element: str | None = None
    instance: int | None = None
    status: str | None = None
    overdue: bool | None = None
    text: str | None = None

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """Return them as conditions on ``Task`` and its ``Instance``."""
        wanted: list[ColumnElement[bool]] = []
        if self.process:
            wanted.append(or_(Instance.process_id == self.process, Task.process_id == self.process))
        if self.element:
            wanted.append(Task.element_id == self.element)
        if self.instance is not None:
            wanted.append(Task.instance_id == self.instance)
        if self.status:
            wanted.append(Task.status == self.status)
        if self.overdue is not None:
            late = and_(Task.status == "open", Task.due_sort < now)
            wanted.append(late if self.overdue else ~late)
        if words := (self.text or "").replace("\x00", "").strip():
            fields = (Instance.title, Instance.number, Task.name)
            wanted.append(or_(*(one.icontains(words, autoescape=True) for one in fields)))
        return wanted


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
    """Return a page of a box, earliest due first; what has no due date comes last."""
    _known(box, Box, "box")
    _known(sort, Sort, "sort")
    _known(filters.get("status") or "open", Literal["open", "completed", "cancelled"], "status")
    limit, now = page.size(limit), clock.now()
    wanted = Filters(**filters).conditions(now)
    order = _DONE if box == "done" else _ORDERS[sort]
    if box == "group" and sort == "due":
        query, total, capped = _group_by_due(session, user, wanted, order, after, limit)
    else:
        members = [*_members(user, box), *wanted]
        query = order.apply(_lines(user, box).where(*members), after, limit)
        total, capped = page.counted(session, _joined(select(Task.id)).where(*members))
    rows = [_line(row, now) for row in session.execute(query)]
    following = _mark(rows[limit - 1], box, sort) if len(rows) > limit else None
    return Page(items=rows[:limit], total=total, capped=capped, next=following)


def counts(session: Session, user: User) -> dict[str, int]:
    """Return how much is in the boxes that wait for the user, up to a limit, in one statement."""
    mine = select(Task.id).where(*_members(user, "mine")).limit(COUNTED + 1).subquery()
    group = union_all(*_heads(user, [], None, COUNTED)).subquery()
    row = session.execute(
        select(
            select(func.count()).select_from(mine).scalar_subquery(),
            select(func.count(group.c.task_id.distinct())).scalar_subquery(),
        )
    ).one()
    return {"mine": row[0], "group": row[1]}


def _group_by_due(
    session: Session,
    user: User,
    wanted: list[ColumnElement[bool]],
    order: Order,
    after: str | None,
    limit: int,
) -> tuple[AnySelect, int, bool]:
    """Merge the heads of the index ranges of every role; a task offered twice counts once."""
    heads = union_all(*_heads(user, wanted, after, limit)).subquery()
    firsts = select(heads.c.task_id).group_by(heads.c.task_id, heads.c.due_sort)
    firsts = firsts.order_by(heads.c.due_sort, heads.c.task_id).limit(limit + 1)
    query = _lines(user, "group").where(Task.id.in_(firsts)).order_by(*order.columns)
    everything = union_all(*_heads(user, wanted, None, COUNTED)).subquery()
    total = session.scalar(select(func.count(everything.c.task_id.distinct()))) or 0
    return query, min(total, COUNTED), total > COUNTED


def _heads(user: User, wanted: list[ColumnElement[bool]], after: str | None, limit: int) -> list[AnySelect]:
    """Return, for every group of the user and for the user in person, the first tasks offered and not taken."""
    order = Order((TaskCandidate.due_sort, TaskCandidate.task_id), (datetime, int))
    offers = [TaskCandidate.user_id == user.id if user.active else false()]
    offers += [
        and_(TaskCandidate.organisation_id == organisation, TaskCandidate.role == role)
        for organisation, role in sorted(permissions.groups(user))
    ]
    heads = []
    for offer in offers:
        head = select(TaskCandidate.task_id, TaskCandidate.due_sort).where(offer, TaskCandidate.claimed.is_(False))
        if wanted:
            head = head.join(TaskCandidate.task).join(Task.instance).where(*wanted)
        # A subquery of its own: SQLite takes no LIMIT inside a union otherwise.
        first = order.apply(head, after, limit).subquery()
        heads.append(select(first.c.task_id, first.c.due_sort))
    return heads


def _members(user: User, box: Box) -> list[ColumnElement[bool]]:
    """Return what makes a task stand in a box, as conditions on ``Task``."""
    if not user.active:
        return [false()]
    match box:
        case "mine":
            return [Task.assignee_id == user.id, Task.status == "open"]
        case "group":
            offered = select(TaskCandidate.task_id).where(
                permissions.offered_to(user), TaskCandidate.claimed.is_(False)
            )
            return [Task.id.in_(offered)]
        case "done":
            return [Task.completed_by_id == user.id, permissions.tasks_seen_by(user)]
        case "all":
            return [permissions.tasks_seen_by(user)]
        case "waiting":
            offered = select(TaskCandidate.task_id).where(permissions.offered_to(user))
            done = select(Task.instance_id).where(Task.completed_by_id == user.id)
            mine = or_(
                Task.instance_id.in_(permissions.instances_joined_by(user)),
                and_(Task.instance_id.in_(done), Task.authority_id.in_(sorted(permissions.desk_authorities(user)))),
            )
            others = or_(Task.assignee_id.is_(None), Task.assignee_id != user.id)
            return [Task.status == "open", mine, others, ~and_(Task.assignee_id.is_(None), Task.id.in_(offered))]


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


def _lines(user: User, box: Box) -> AnySelect:
    """Select what a line shows, beside the task its case, its applicant and who has it."""
    open_to_reader = permissions.tasks_seen_by(user) if box == "waiting" else true()

    def shown(column: InstrumentedAttribute[Any]) -> Any:
        return column if box != "waiting" else case((open_to_reader, column), else_=None)

    query: AnySelect = select(
        *_COLUMNS,
        ProcessDefinition.name.label("process_name"),
        _applicant.name.label("applicant"),
        _office.name.label("office"),
        Role.name_zh.label("role_zh"),
        Role.name_en.label("role_en"),
        shown(Task.assignee_id).label("assignee_id"),
        shown(_assignee.name).label("assignee"),
        shown(Task.claimed_at).label("claimed_at"),
    )
    query = _joined(query).join(ProcessDefinition, ProcessDefinition.id == Instance.definition_id)
    part = and_(CaseParty.instance_id == Instance.id, CaseParty.party == "applicant")
    return (
        query.outerjoin(CaseParty, part)
        .outerjoin(_applicant, _applicant.id == CaseParty.organisation_id)
        .outerjoin(_office, _office.id == Task.organisation_id)
        .outerjoin(Role, Role.code == Task.role)
        .outerjoin(_assignee, _assignee.id == Task.assignee_id)
    )


def _joined(query: AnySelect) -> AnySelect:
    return query.select_from(Task).join(Instance, Instance.id == Task.instance_id)


def _line(row: Any, now: datetime) -> InboxTask:
    facts = row._mapping
    late = facts["due_at"] is not None and facts["due_at"] < now and facts["status"] == "open"
    return InboxTask(**facts, overdue=late)


def _mark(last: InboxTask, box: Box, sort: Sort) -> str:
    if box == "done":
        return page.mark(last.completed_at, last.id)
    match sort:
        case "due":
            return page.mark(last.due_sort, last.id)
        case "created":
            return page.mark(last.created_at, last.id)
        case "priority":
            return page.mark(-last.priority, last.due_sort, last.id)


def _known(value: str, choices: Any, name: str) -> None:
    if value not in get_args(choices):
        known = "、".join(get_args(choices))
        raise errors.InvalidInput(
            f"{name} 应为 {known} 之一。", f"{name} is one of {', '.join(get_args(choices))}.", field=name
        )
