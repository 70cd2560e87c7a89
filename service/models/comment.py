"""Comments on cases: what people say to one another beside the forms, and who is named in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User

Audience = Literal["internal", "recommender", "applicant"]
"""Who reads a comment: the desks; these and the recommending side; all parties of the case."""


class Comment(Model):
    """Plain text that somebody wrote on a case; never changed, withdrawn at most."""

    __tablename__ = "comment"
    __table_args__ = (Index(None, "instance_id", "id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="SET NULL"), index=True)
    author_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    audience: Mapped[Audience] = mapped_column(Enum(*get_args(Audience), native_enum=False, length=20, name="audience"))
    text: Mapped[str]
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    author: Mapped[User] = relationship()
