"""The long exports of a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Export, User


def exports(session: Session, user: User) -> Sequence[Export]:
    """Return one's exports, newest first."""
    return session.scalars(select(Export).where(Export.user_id == user.id).order_by(Export.id.desc()).limit(100)).all()


def one(session: Session, user: User, export_id: int) -> Export | None:
    """Return one's export by its id."""
    return session.scalar(select(Export).where(Export.id == export_id, Export.user_id == user.id))
