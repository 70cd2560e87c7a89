"""Choices of the stuck page that somebody keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import errors
from service.models import SavedView, User

MOST = 30


def save(session: Session, name: str, query: Mapping[str, str], *, user: User) -> SavedView:
    """Keep a choice; the same name again replaces it."""
    name = name.replace("\x00", "").strip()[:60]
    if not name:
        raise errors.InvalidInput("请给视图起个名字。", "Give the view a name.", field="name")
    found = session.scalars(select(SavedView).where(SavedView.user_id == user.id, SavedView.name == name)).one_or_none()
    if found is None:
        count = session.scalar(select(func.count()).where(SavedView.user_id == user.id)) or 0
        if count >= MOST:
            raise errors.Conflict(f"最多保存 {MOST} 个视图。", f"There can be {MOST} views at most.")
        found = SavedView(user_id=user.id, name=name)
        session.add(found)
    found.query = {key: value for key, value in query.items() if value}
    session.flush()
    return found


def remove(session: Session, view_id: int, *, user: User) -> None:
    """Forget a view of one's own."""
    found = session.get(SavedView, view_id)
    if found is None or found.user_id != user.id:
        raise errors.NotFound()
    session.delete(found)
    session.flush()
