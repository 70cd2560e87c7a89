"""Who did what on the platform: accounts, memberships, deployments, and every act on a case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from .. import errors, permissions, wording
from ..models import AuditRecord, Event, Instance, Organisation, Task, User
from . import page
from .page import Order, Page
from .stuck import administered


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One act of a person, or one of the program where ``user`` is empty."""

    id: int
    at: datetime
    kind: str
    user: str | None
    instance_id: int | None
    number: str | None
    element_id: str | None
    data: dict[str, Any]


def acts(
    session: Session,
    user: User,
    *,
    kind: str | None = None,
    actor: str | None = None,
    platform_only: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[AuditRow]:
    """Return a page of the acts in the authorities the user administers, newest first."""
    limit = page.size(limit)
    mine = sorted({one.organisation.authority_id for one in permissions.held(user) if one.role == permissions.ADMIN})
    wanted: list[ColumnElement[bool]] = [Event.authority_id.in_(mine) if mine else false()]
    wanted.append(Event.instance_id.is_(None) if platform_only else Event.instance_id.is_(None) | _by_a_person())
    if kind:
        wanted.append(Event.kind == kind)
    if actor:
        wanted.append(Event.user_id.in_(select(User.id).where(User.username == actor)))
    query = (
        select(
            Event.id,
            Event.at,
            Event.kind,
            User.name.label("user"),
            Event.instance_id,
            Instance.number,
            Event.element_id,
            Event.data,
        )
        .select_from(Event)
        .outerjoin(User, User.id == Event.user_id)
        .outerjoin(Instance, Instance.id == Event.instance_id)
        .where(*wanted)
    )
    total, capped = page.counted(session, select(Event.id).where(*wanted))
    rows = session.execute(Order((Event.id,), (int,), down=True).apply(query, after, limit)).all()
    items = [AuditRow(**row._mapping) for row in rows[:limit]]
    return Page(items=items, total=total, capped=capped, next=page.mark(items[-1].id) if len(rows) > limit else None)


def _by_a_person() -> Any:
    return Event.user_id.is_not(None) & Event.kind.not_in(("entered", "left", "flow", "variables", "decision"))


# The sealed log


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A record of the chain, readable; ``step`` is the step it is about, as the reader calls it."""

    seq: int
    at: datetime
    kind: str
    hash: str
    erased: bool
    said: dict[str, Any]
    instance_id: int | None
    process_id: str | None
    step: str


def sealed(
    session: Session,
    user: User,
    *,
    kind: str | None = None,
    instance: int | None = None,
    actor: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Sealed]:
    """Return a page of the chain, newest first."""
    limit = page.size(limit)
    wanted: list[ColumnElement[bool]] = [AuditRecord.authority_id.in_(administered(user))]
    if kind:
        wanted.append(AuditRecord.kind == kind)
    if instance is not None:
        wanted.append(AuditRecord.instance_id == instance)
    if actor:
        wanted.append(AuditRecord.actor_id.in_(select(User.id).where(User.username == actor)))
    total, capped = page.counted(session, select(AuditRecord.seq).where(*wanted))
    query = select(AuditRecord).where(*wanted)
    rows = session.scalars(Order((AuditRecord.seq,), (int,), down=True).apply(query, after, limit)).all()
    items = [
        Sealed(
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            hash=row.hash,
            erased=row.content is None,
            said=said,
            instance_id=said.get("instance"),
            process_id=said.get("process"),
            step=said.get("element_name") or said.get("element") or "",
        )
        for row, said in ((row, json.loads(row.content) if row.content else {}) for row in rows[:limit])
    ]
    items = wording.said(session, items, "step")
    return Page(items=items, total=total, capped=capped, next=page.mark(items[-1].seq) if len(rows) > limit else None)


def kinds(session: Session, user: User) -> list[str]:
    """The kinds of acts there are in the chain."""
    query = select(AuditRecord.kind).where(AuditRecord.authority_id.in_(administered(user))).distinct()
    return sorted(session.scalars(query))


def chain(session: Session, user: User) -> Iterator[AuditRecord]:
    """The whole chain, in order – only for somebody who administers every authority in it."""
    others = session.scalar(select(AuditRecord.seq).where(AuditRecord.authority_id.not_in(administered(user))).limit(1))
    if others is not None:
        raise errors.Forbidden()
    yield from session.scalars(select(AuditRecord).order_by(AuditRecord.seq).execution_options(yield_per=500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity of a case, for process mining."""

    id: int
    at: datetime
    case: int
    number: str
    title: str
    process_id: str
    activity: str
    kind: str
    element_id: str | None
    task_id: int | None
    person: str | None
    organisation: str | None


ACTIVITIES = ("started", "completed", "worked", "fired", "received", "incident", "retried", "ended", "terminated")


def activities(session: Session, user: User, *, process: str | None = None) -> Iterator[Activity]:
    """What happened in cases, case by case in order, as process-mining tools want it."""
    query = (
        select(
            Event.id,
            Event.at,
            Event.instance_id.label("case"),
            Instance.number,
            Instance.title,
            Instance.process_id,
            Event.element_name,
            Event.kind,
            Event.element_id,
            Event.task_id,
            User.username.label("person"),
            Organisation.name.label("organisation"),
        )
        .join(Instance, Instance.id == Event.instance_id)
        .outerjoin(User, User.id == Event.user_id)
        .outerjoin(Task, Task.id == Event.task_id)
        .outerjoin(Organisation, Organisation.id == Task.organisation_id)
        .where(Event.authority_id.in_(administered(user)), Event.kind.in_(ACTIVITIES))
        .order_by(Event.instance_id, Event.id)
        .execution_options(yield_per=1000)
    )
    if process:
        query = query.where(Instance.process_id == process)
    for row in session.execute(query):
        facts = dict(row._mapping)
        name = facts.pop("element_name")
        yield Activity(**facts, activity=name or facts["element_id"] or facts["kind"])
