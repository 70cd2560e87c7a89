"""Cases: the list, one case, and its history – all from rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy import case as when
from sqlalchemy.orm import Session, aliased

from .. import clock, errors, permissions, wording
from ..models import (
    CaseParty,
    Event,
    Incident,
    Instance,
    Organisation,
    ProcessDefinition,
    Role,
    Task,
    User,
)
from . import page
from .page import COUNTED, AnySelect, Order, Page

_starter = aliased(User, name="starter")
_applicant = aliased(Organisation, name="applicant")

_NEWEST = Order((Instance.id,), (int,), down=True)
_NEWEST_OF_PARTY = Order((CaseParty.instance_id,), (int,), down=True)
_STATUSES = ("active", "incident", "suspended", "completed", "terminated")

ACTS = frozenset(
    {
        "started",
        "claimed",
        "released",
        "assigned",
        "escalation",
        "urged",
        "completed",
        "retried",
        "suspended",
        "resumed",
    }
)
MOVES = frozenset({"entered", "left", "cancelled", "flow", "escalated", "error", "incident", "ended", "terminated"})
OPEN_KINDS = ACTS | MOVES
"""What everybody who sees a case may read of its history. The rest – data, decisions, messages – is for desks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A line of the list of cases."""

    id: int
    number: str
    title: str
    process_id: str
    process_name: str
    status: str
    applicant: str | None
    started_at: datetime
    started_by: str | None
    updated_at: datetime
    ended_at: datetime | None
    end_event: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which organisation plays which party."""

    party: str
    organisation_id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """Where a case waits for a person. The person's name and the way in are only for those who may look inside."""

    id: int
    name: str
    element_id: str
    process_id: str
    role_zh: str | None
    role_en: str | None
    office: str | None
    assignee: str | None
    due_at: datetime | None
    overdue: bool
    visible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as its page shows it."""

    case: CaseRow
    authority_id: int
    deployment_id: int
    definition_id: int
    definition_version: int
    version: int
    parent_instance_id: int | None
    parties: list[Part]
    tasks: list[OpenTask]
    incidents: int
    sees_variables: bool
    administers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One fact of a case, in words where it has some."""

    id: int
    at: datetime
    kind: str
    element_id: str | None
    element_name: str
    process_id: str | None
    token: int | None
    task_id: int | None
    user: str | None
    data: dict[str, Any]


def cases(
    session: Session,
    user: User,
    *,
    status: str | Collection[str] | None = None,
    process: str | None = None,
    text: str | None = None,
    party: str | None = None,
    organisation: str | None = None,
    started_by_me: bool = False,
    after: str | None = None,
    limit: int = 25,
    up_to: int | None = COUNTED,
) -> Page[CaseRow]:
    """Return a page of the cases the user may see, newest first, counted ``up_to`` so many."""
    limit = page.size(limit)
    wanted = _wanted(status, process, text, party, organisation)
    if started_by_me:
        wanted.append(Instance.started_by_id == user.id)
    parts = _parts(user, wanted)
    total, capped = page.counted(session, *(query for query, _ in parts), up_to=up_to)
    chosen = page.chosen(parts, after, limit)
    query = page.sorted_again(_rows().join(chosen, chosen.c.id == Instance.id), chosen, _NEWEST.down)
    items = _said(session, [CaseRow(**row._mapping) for row in session.execute(query)])
    following = page.mark(items[limit - 1].id) if len(items) > limit else None
    return Page(items=items[:limit], total=total, capped=capped, next=following)


def _said(session: Session, rows: list[CaseRow]) -> list[CaseRow]:
    return wording.said(session, rows, "title", "process_name", case="id")


def _parts(user: User, wanted: list[ColumnElement[bool]]) -> list[tuple[AnySelect, Order]]:
    """Select the ids of the cases behind each door that is open to the user."""
    doors = permissions.instance_doors(user)
    parts: list[tuple[AnySelect, Order]] = [
        (select(Instance.id).where(door, *wanted), _NEWEST) for door in doors.of_instance or [false()]
    ]
    for door in doors.of_party:
        part: AnySelect = select(CaseParty.instance_id.label("id")).where(door)
        if wanted:
            part = part.join(Instance, Instance.id == CaseParty.instance_id).where(*wanted)
        parts.append((part, _NEWEST_OF_PARTY))
    return parts


def _wanted(
    status: str | Collection[str] | None,
    process: str | None,
    text: str | None,
    party: str | None,
    organisation: str | None,
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if status:
        states = [status] if isinstance(status, str) else list(status)
        if unknown := sorted(set(states) - set(_STATUSES)):
            raise errors.InvalidInput(
                f"没有“{unknown[0]}”这种状态。", f"There is no status “{unknown[0]}”.", field="status"
            )
        wanted.append(Instance.status.in_(states))
    if process:
        wanted.append(Instance.process_id == process)
    if words := (text or "").replace("\x00", "").strip():
        found = (Instance.title.icontains(words, autoescape=True), Instance.number.icontains(words, autoescape=True))
        wanted.append(or_(*found))
    if party or organisation:
        # An alias: the list itself joins the applicant, and what is asked for may be another party.
        part = aliased(CaseParty)
        played = select(part.instance_id)
        if party:
            played = played.where(part.party == party)
        if organisation:
            played = played.join(part.organisation).where(Organisation.code == organisation)
        wanted.append(Instance.id.in_(played))
    return wanted


def _rows() -> AnySelect:
    part = and_(CaseParty.instance_id == Instance.id, CaseParty.party == "applicant")
    return (
        select(
            Instance.id,
            Instance.number,
            Instance.title,
            Instance.process_id,
            ProcessDefinition.name.label("process_name"),
            Instance.status,
            _applicant.name.label("applicant"),
            Instance.started_at,
            _starter.name.label("started_by"),
            Instance.updated_at,
            Instance.ended_at,
            Instance.end_event,
        )
        .select_from(Instance)
        .join(ProcessDefinition, ProcessDefinition.id == Instance.definition_id)
        .outerjoin(CaseParty, part)
        .outerjoin(_applicant, _applicant.id == CaseParty.organisation_id)
        .outerjoin(_starter, _starter.id == Instance.started_by_id)
    )


def sees(session: Session, user: User, instance_id: int) -> bool:
    """True where there is such a case and the user may see it."""
    query = select(Instance.id).where(Instance.id == instance_id, permissions.instances_seen_by(user))
    return session.scalar(query) is not None


def case(session: Session, user: User, instance_id: int) -> CaseView | None:
    """Return a case, or None where there is none that the user may see."""
    extra = (
        Instance.authority_id,
        Instance.deployment_id,
        Instance.definition_id,
        ProcessDefinition.version.label("definition_version"),
        Instance.version,
        Instance.parent_instance_id,
    )
    query = _rows().add_columns(*extra).where(Instance.id == instance_id, permissions.instances_seen_by(user))
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    facts = dict(row._mapping)
    more = {column.key: facts.pop(column.key) for column in extra}
    desk = more["authority_id"] in permissions.desk_authorities(user)
    return CaseView(
        case=_said(session, [CaseRow(**facts)])[0],
        **more,
        parties=_parties(session, instance_id),
        tasks=_open_tasks(session, user, instance_id, more["deployment_id"]),
        incidents=_incidents(session, instance_id),
        sees_variables=desk,
        administers=permissions.may_administer(user, more["authority_id"]),
    )


def _parties(session: Session, instance_id: int) -> list[Part]:
    query = (
        select(CaseParty.party, Organisation.id, Organisation.code, Organisation.name)
        .join(Organisation, Organisation.id == CaseParty.organisation_id)
        .where(CaseParty.instance_id == instance_id)
        .order_by(CaseParty.party)
    )
    return [
        Part(party=party, organisation_id=organisation_id, code=code, name=name)
        for party, organisation_id, code, name in session.execute(query)
    ]


def _open_tasks(session: Session, user: User, instance_id: int, deployment_id: int) -> list[OpenTask]:
    now = clock.now()
    query = (
        select(
            Task.id,
            Task.name,
            Task.element_id,
            Task.process_id,
            Task.due_at,
            Role.name_zh.label("role_zh"),
            Role.name_en.label("role_en"),
            Organisation.name.label("office"),
            User.name.label("assignee"),
            when((permissions.tasks_seen_by(user), True), else_=False).label("visible"),
        )
        .outerjoin(Role, Role.code == Task.role)
        .outerjoin(Organisation, Organisation.id == Task.organisation_id)
        .outerjoin(User, User.id == Task.assignee_id)
        .where(Task.instance_id == instance_id, Task.status == "open")
        .order_by(Task.due_sort, Task.id)
    )
    found = []
    for row in session.execute(query):
        facts = dict(row._mapping)
        if not facts["visible"]:
            facts["assignee"] = None
        facts["name"] = wording.text(session, deployment_id, facts["process_id"], facts["name"])
        found.append(OpenTask(**facts, overdue=facts["due_at"] is not None and facts["due_at"] < now))
    return found


def _incidents(session: Session, instance_id: int) -> int:
    query = select(func.count()).where(Incident.instance_id == instance_id, Incident.resolved_at.is_(None))
    return session.scalar(query) or 0


def history(
    session: Session,
    user: User,
    instance_id: int,
    *,
    after: str | None = None,
    limit: int = 100,
    kinds: Collection[str] | None = None,
    newest_first: bool = False,
) -> Page[HistoryRow] | None:
    """Return a page of what happened in a case, or None where the user may not see the case.

    Desks read all of it. Others read the moves, and names only where they may look into the task.
    """
    of_case = _place(session, user, instance_id)
    if of_case is None:
        return None
    authority_id, deployment_id, own = of_case
    limit = page.size(limit)
    desk = authority_id in permissions.desk_authorities(user)
    wanted: list[ColumnElement[bool]] = [Event.instance_id == instance_id]
    if kinds is not None:
        wanted.append(Event.kind.in_(sorted(kinds)))
    if not desk:
        wanted.append(Event.kind.in_(sorted(OPEN_KINDS)))
    order = Order((Event.id,), (int,), down=newest_first)
    query = select(Event, User.name, _named(user, desk)).outerjoin(User, User.id == Event.user_id)
    query = query.outerjoin(Task, Task.id == Event.task_id).where(*wanted)
    total, capped = page.counted(session, select(Event.id).where(*wanted))
    rows = session.execute(order.apply(query, after, limit)).all()
    items = [
        _fact(
            row[0],
            wording.text(session, deployment_id, row[0].process_id or own, row[0].element_name),
            row[1] if row[2] else None,
            desk,
        )
        for row in rows[:limit]
    ]
    more = page.mark(items[-1].id) if len(rows) > limit else None
    return Page(items=items, total=total, capped=capped, next=more)


def _named(user: User, desk: bool) -> ColumnElement[bool]:
    """Whether the reader learns who did it: the desks always, others where the task is theirs to look into."""
    if desk:
        return when((Event.id > 0, True), else_=False)
    open_task = and_(Task.id.is_not(None), permissions.tasks_seen_by(user))
    return when((or_(Event.user_id == user.id, Event.kind == "started", open_task), True), else_=False)


def _fact(event: Event, element_name: str, name: str | None, desk: bool) -> HistoryRow:
    # Whoever learns who acted learns in whose place, too.
    behalf = {"on_behalf_of": event.data["on_behalf_of"]} if name and "on_behalf_of" in event.data else {}
    return HistoryRow(
        id=event.id,
        at=event.at,
        kind=event.kind,
        element_id=event.element_id,
        element_name=element_name,
        process_id=event.process_id,
        token=event.token,
        task_id=event.task_id,
        user=name,
        data=event.data if desk or event.kind == "ended" else behalf,
    )


def _place(session: Session, user: User, instance_id: int) -> tuple[int, int, str] | None:
    """The authority, the deployment and the process of a case that the user may see."""
    found = session.execute(
        select(Instance.authority_id, Instance.deployment_id, Instance.process_id).where(
            Instance.id == instance_id, permissions.instances_seen_by(user)
        )
    ).one_or_none()
    return None if found is None else (found[0], found[1], found[2])
