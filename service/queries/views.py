"""Which views of the inbox somebody has: their own, and those shared with them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .. import permissions
from ..models import InboxView, User


def of(session: Session, user: User) -> Sequence[InboxView]:
    """Return the user's views, and after them those that colleagues share, by name."""
    return session.scalars(
        select(InboxView)
        .where(permissions.views_seen_by(user))
        .options(joinedload(InboxView.owner), joinedload(InboxView.organisation))
        .order_by(InboxView.owner_id != user.id, InboxView.name, InboxView.id)
    ).all()
