"""What cannot go on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session, aliased

from .. import permissions
from ..models import Incident, Instance, Job, User
from . import page
from .page import AnySelect, Order, Page

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
    items = [IncidentRow(**row._mapping) for row in rows[:limit]]
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
