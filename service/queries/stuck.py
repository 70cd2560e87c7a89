"""What cannot go on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, literal, null, select
from sqlalchemy import case as when
from sqlalchemy.orm import Session, aliased

from .. import clock, permissions, wording
from ..models import (
    Incident,
    Instance,
    Job,
    Membership,
    Organisation,
    Role,
    SavedView,
    Symptom,
    Task,
    User,
)
from . import page
from .page import COUNTED, AnySelect, Order, Page

_resolver = aliased(User, name="resolver")
_NEWEST = Order((Incident.id,), (int,), down=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """A token nobody and nothing moves, and why."""

    id: int
    instance_id: int
    number: str
    title: str
    process_id: str | None
    element_id: str | None
    element_name: str
    token: int | None
    job_id: int | None
    task_id: int | None
    cause: str
    message_zh: str
    message_en: str
    details: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None


def incidents(
    session: Session,
    user: User,
    *,
    open_only: bool = True,
    cause: str | None = None,
    instance: int | None = None,
    process: str | None = None,
    after: str | None = None,
    limit: int = 25,
) -> Page[IncidentRow]:
    """Return a page of the incidents of the authorities the user administers, newest first."""
    limit = page.size(limit)
    mine = [one.organisation.authority_id for one in permissions.held(user) if one.role == permissions.ADMIN]
    wanted: list[ColumnElement[bool]] = [Incident.authority_id.in_(sorted(set(mine))) if mine else false()]
    if open_only:
        wanted.append(Incident.resolved_at.is_(None))
    if cause:
        wanted.append(Incident.cause == cause)
    if instance is not None:
        wanted.append(Incident.instance_id == instance)
    if process:
        wanted.append(Incident.process_id == process)
    total, capped = page.counted(session, select(Incident.id).where(*wanted))
    rows = session.execute(_NEWEST.apply(_rows().where(*wanted), after, limit)).all()
    items = wording.said(session, [IncidentRow(**row._mapping) for row in rows[:limit]], "title", "element_name")
    return Page(items=items, total=total, capped=capped, next=page.mark(items[-1].id) if len(rows) > limit else None)


def _rows() -> AnySelect:
    own = (
        "id",
        "instance_id",
        "process_id",
        "element_id",
        "element_name",
        "token",
        "job_id",
        "task_id",
        "cause",
        "message_zh",
        "message_en",
        "details",
        "created_at",
        "resolved_at",
    )
    columns = [getattr(Incident, name) for name in own]
    query = select(*columns, Instance.number, Instance.title, _resolver.name.label("resolved_by"))
    query = query.select_from(Incident).join(Instance, Instance.id == Incident.instance_id)
    return query.outerjoin(_resolver, _resolver.id == Incident.resolved_by_id)


def job_counts(session: Session, authority_id: int) -> dict[str, int]:
    """Return how many jobs stand in each state that is not over."""
    query = (
        select(Job.status, func.count())
        .where(Job.authority_id == authority_id, Job.status.in_(("queued", "running", "failed")))
        .group_by(Job.status)
    )
    return {row[0]: row[1] for row in session.execute(query)}


# What an administrator may want to look at

SYMPTOMS = ("overdue", "slow", "forecast", "untouched", "looping", "orphan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many cases with the same trouble, the oldest since when. ``kind``: ``cause`` | ``symptom`` | ``live``."""

    kind: str
    code: str
    count: int
    oldest: datetime | None
    capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckRow:
    """One line of the stuck page."""

    id: int
    instance_id: int
    number: str
    title: str
    process_id: str | None
    element_id: str | None
    element_name: str
    token: int | None
    code: str
    zh: str
    en: str
    since: datetime
    data: dict[str, Any]


def administered(user: User) -> list[int]:
    """The authorities whose cases the user repairs."""
    return sorted({one.organisation.authority_id for one in permissions.held(user) if one.role == permissions.ADMIN})


def groups(session: Session, user: User) -> list[Group]:
    """Count open incidents by cause and symptoms by kind, the largest trouble first."""
    mine = administered(user)
    causes = session.execute(
        select(Incident.cause, func.count(), func.min(Incident.created_at))
        .where(Incident.authority_id.in_(mine), Incident.resolved_at.is_(None))
        .group_by(Incident.cause)
    ).all()
    symptoms = session.execute(
        select(Symptom.kind, func.count(), func.min(Symptom.since))
        .where(Symptom.authority_id.in_(mine))
        .group_by(Symptom.kind)
    ).all()
    found = [Group(kind="cause", code=row[0], count=row[1], oldest=row[2]) for row in causes]
    found.sort(key=lambda one: -one.count)
    noted = {row[0]: Group(kind="symptom", code=row[0], count=row[1], oldest=row[2]) for row in symptoms}
    return found + [noted[kind] for kind in SYMPTOMS if kind in noted]


def rows(
    session: Session,
    user: User,
    *,
    cause: str | None = None,
    symptom: str | None = None,
    process: str | None = None,
    text: str | None = None,
    after: str | None = None,
    limit: int = 50,
    up_to: int | None = COUNTED,
) -> Page[StuckRow]:
    """Return a page of incidents (of a cause), or of one symptom, the longest standing first, counted ``up_to``."""
    limit = page.size(limit)
    model: Any = Symptom if symptom else Incident
    since = Symptom.since if symptom else Incident.created_at
    wanted: list[ColumnElement[bool]] = [model.authority_id.in_(administered(user))]
    if symptom:
        wanted.append(Symptom.kind == symptom)
    else:
        wanted.append(Incident.resolved_at.is_(None))
        if cause:
            wanted.append(Incident.cause == cause)
    if process:
        wanted.append(Instance.process_id == process)
    if words := (text or "").replace("\x00", "").strip():
        wanted.append(
            Instance.number.icontains(words, autoescape=True) | Instance.title.icontains(words, autoescape=True)
        )
    said: list[Any] = (
        [
            Symptom.kind.label("code"),
            literal("").label("zh"),
            literal("").label("en"),
            Symptom.data,
            null().label("token"),
        ]
        if symptom
        else [
            Incident.cause.label("code"),
            Incident.message_zh.label("zh"),
            Incident.message_en.label("en"),
            null().label("data"),
            Incident.token,
        ]
    )
    query = (
        select(
            model.id,
            model.instance_id,
            Instance.number,
            Instance.title,
            model.process_id,
            model.element_id,
            model.element_name,
            since.label("since"),
            *said,
        )
        .join(Instance, Instance.id == model.instance_id)
        .where(*wanted)
    )
    every = select(model.id).join(Instance, Instance.id == model.instance_id).where(*wanted)
    total, capped = page.counted(session, every, up_to=up_to)
    found = session.execute(Order((since, model.id), (datetime, int)).apply(query, after, limit)).all()
    items = [StuckRow(**{**row._mapping, "data": row.data or {}}) for row in found[:limit]]
    items = wording.said(session, items, "title", "element_name")
    following = page.mark(items[-1].since, items[-1].id) if len(found) > limit else None
    return Page(items=items, total=total, capped=capped, next=following)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much somebody has to do."""

    user_id: int
    name: str
    username: str
    open: int
    overdue: int
    active: bool


def loads(session: Session, user: User, *, limit: int = 20) -> list[Load]:
    """Who has taken most, leavers first."""
    now = clock.now()
    late = func.sum(when((Task.due_at < now, 1), else_=0))
    query = (
        select(User.id, User.name, User.username, func.count().label("open"), late.label("late"), User.active)
        .join(Task, Task.assignee_id == User.id)
        .where(Task.status == "open", Task.authority_id.in_(administered(user)))
        .group_by(User.id, User.name, User.username, User.active)
        .order_by(User.active, func.count().desc(), User.id)
        .limit(limit)
    )
    return [
        Load(user_id=row[0], name=row[1], username=row[2], open=row[3], overdue=int(row[4] or 0), active=row[5])
        for row in session.execute(query)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinRole:
    """A role with open tasks that one person alone, or nobody, holds."""

    organisation: str
    role: str
    role_name: str
    members: int
    open: int
    person: str | None


def thin_roles(session: Session, user: User, *, limit: int = 20) -> list[ThinRole]:
    """Roles whose work stops when one person is away."""
    today = clock.today()
    held = (
        select(
            Membership.organisation_id,
            Membership.role,
            func.count().label("members"),
            func.min(User.name).label("person"),
        )
        .join(User, User.id == Membership.user_id)
        .where(
            User.active,
            Membership.since.is_(None) | (Membership.since <= today),
            Membership.until.is_(None) | (Membership.until > today),
        )
        .group_by(Membership.organisation_id, Membership.role)
        .subquery()
    )
    work = (
        select(Task.organisation_id, Task.role, func.count().label("open"))
        .where(Task.status == "open", Task.authority_id.in_(administered(user)), Task.role.is_not(None))
        .group_by(Task.organisation_id, Task.role)
        .subquery()
    )
    members = func.coalesce(held.c.members, 0)
    query = (
        select(
            Organisation.name,
            work.c.role,
            wording.of_two(session, Role.name_zh, Role.name_en),
            members,
            work.c.open,
            held.c.person,
        )
        .select_from(work)
        .join(Organisation, Organisation.id == work.c.organisation_id)
        .join(Role, Role.code == work.c.role)
        .outerjoin(held, and_(held.c.organisation_id == work.c.organisation_id, held.c.role == work.c.role))
        .where(members <= 1)
        .order_by(members, work.c.open.desc())
        .limit(limit)
    )
    return [
        ThinRole(organisation=row[0], role=row[1], role_name=row[2], members=row[3], open=row[4], person=row[5])
        for row in session.execute(query)
    ]


def views(session: Session, user: User) -> list[SavedView]:
    """The user's saved views."""
    return list(session.scalars(select(SavedView).where(SavedView.user_id == user.id).order_by(SavedView.name)))
