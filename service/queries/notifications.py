"""What the platform has told a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Notification, User
from . import page
from .page import Order, Page

_NEWEST = Order((Notification.id,), (int,), down=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRow:
    """One sentence, in both languages."""

    id: int
    instance_id: int | None
    task_id: int | None
    path: str | None
    text_zh: str
    text_en: str
    created_at: datetime
    read_at: datetime | None


def unread(session: Session, user: User) -> int:
    """Return how much the user has not read, up to a limit."""
    query = select(Notification.id).where(Notification.user_id == user.id, Notification.read_at.is_(None))
    return page.counted(session, query)[0]


def notifications(
    session: Session, user: User, *, unread_only: bool = False, after: str | None = None, limit: int = 25
) -> Page[NotificationRow]:
    """Return a page of what the user was told, newest first."""
    limit = page.size(limit)
    wanted = [Notification.user_id == user.id]
    if unread_only:
        wanted.append(Notification.read_at.is_(None))
    total, capped = page.counted(session, select(Notification.id).where(*wanted))
    rows = session.scalars(_NEWEST.apply(select(Notification).where(*wanted), after, limit)).all()
    items = [
        NotificationRow(
            id=row.id,
            instance_id=row.instance_id,
            task_id=row.task_id,
            path=row.path,
            text_zh=row.text_zh,
            text_en=row.text_en,
            created_at=row.created_at,
            read_at=row.read_at,
        )
        for row in rows[:limit]
    ]
    return Page(items=items, total=total, capped=capped, next=page.mark(items[-1].id) if len(rows) > limit else None)
