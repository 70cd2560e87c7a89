"""What people have been told: mark it as read."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from service import clock
from service.models import Notification, User


def read_all(session: Session, *, user: User) -> None:
    """Mark everything the user was told as read."""
    unread = update(Notification).where(Notification.user_id == user.id, Notification.read_at.is_(None))
    session.execute(unread.values(read_at=clock.now()), execution_options={"synchronize_session": False})
