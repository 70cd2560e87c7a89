"""The deadlines of one person, as their calendar program asks for them."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import clock, ical, wording
from ..models import CalendarFeed, Task, User
from . import inbox

MOST = 100


def feed(session: Session, user: User) -> CalendarFeed | None:
    """The user's address, if they made one."""
    return session.get(CalendarFeed, user.id)


def owner(session: Session, secret: str) -> User | None:
    """Whose deadlines a secret opens; nobody's where it was revoked or the account is closed."""
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
    return session.scalar(
        select(User)
        .join(CalendarFeed, CalendarFeed.user_id == User.id)
        .where(CalendarFeed.token_hash == digest, User.active)
    )


def calendar(session: Session, user: User, *, base_url: str) -> bytes:
    """The tasks in the user's hands and those they could take, each at its due time."""
    wording.read_in(session, user.locale)
    lines = [line for box in ("mine", "group") for line in inbox.tasks(session, user, box=box, limit=MOST).items]
    versions = select(Task.id, Task.version).where(Task.id.in_([line.id for line in lines]))
    changed = {row.id: row.version for row in session.execute(versions)}
    host = base_url.partition("//")[2].partition("/")[0].partition(":")[0] or "guohe"
    english = user.locale == "en"
    entries = [
        ical.Entry(
            uid=f"task-{line.id}@{host}",
            sequence=changed.get(line.id, 0),
            at=line.due_at,
            changed_at=line.claimed_at or line.created_at,
            summary=f"{line.name} ({line.number})" if english else f"{line.name}（{line.number}）",
            description=f"{line.title}\n{line.process_name}",
            url=f"{base_url}/tasks/{line.id}",
        )
        for line in lines
        if line.due_at is not None
    ]
    return ical.calendar("Guohe deadlines" if english else "国合平台期限", entries, now=clock.now())
