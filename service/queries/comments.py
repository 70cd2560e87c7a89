"""The comments on a case that a person may read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from .. import permissions
from ..models import Comment, Instance, User

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """One comment; ``text`` is empty where its author took it back."""

    id: int
    author: str
    audience: str
    text: str
    created_at: datetime
    withdrawn: bool
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments:
    """What was said, oldest first, and for whom the reader may write."""

    rows: list[CommentRow]
    audiences: list[str]


def of_case(session: Session, user: User, instance_id: int) -> Comments:
    """Return the newest comments of a case that the user may read."""
    instance = session.scalar(
        select(Instance)
        .where(Instance.id == instance_id, permissions.instances_seen_by(user))
        .options(selectinload(Instance.parties))
    )
    if instance is None:
        return Comments(rows=[], audiences=[])
    audiences = permissions.comment_audiences(user, instance, instance.parties)
    query = (
        select(Comment)
        .where(Comment.instance_id == instance_id, or_(Comment.audience.in_(audiences), Comment.author_id == user.id))
        .options(joinedload(Comment.author))
        .order_by(Comment.id.desc())
        .limit(MOST_SHOWN)
    )
    rows = [
        CommentRow(
            id=one.id,
            author=one.author.name,
            audience=one.audience,
            text="" if one.withdrawn_at else one.text,
            created_at=one.created_at,
            withdrawn=one.withdrawn_at is not None,
            mine=one.author_id == user.id,
        )
        for one in session.scalars(query)
    ]
    return Comments(rows=rows[::-1], audiences=audiences)
