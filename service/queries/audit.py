"""Who did what on the platform: accounts, memberships, deployments, and every act on a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from .. import permissions
from ..models import Event, Instance, User
from . import page
from .page import Order, Page


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
