"""Secret addresses of people's deadlines for their calendar programs."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy.orm import Session

from service import clock
from service.models import CalendarFeed, User


def renew(session: Session, user: User) -> str:
    """Make the user's address, or another one in place of it; its secret is shown this once."""
    revoke(session, user)
    secret = secrets.token_urlsafe(32)
    session.add(
        CalendarFeed(user_id=user.id, token_hash=hashlib.sha256(secret.encode()).digest(), created_at=clock.now())
    )
    session.flush()
    return secret


def revoke(session: Session, user: User) -> None:
    """Make the user's address lead nowhere."""
    found = session.get(CalendarFeed, user.id)
    if found is not None:
        session.delete(found)
        session.flush()
