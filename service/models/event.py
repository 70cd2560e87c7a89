"""History: what happened, in order, never changed afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User


class Event(Model):
    """One fact of a case, or (without ``instance_id``) of the platform: a deployment, a change of a membership.

    ``kind`` of engine facts is that of ``engine.Happened``; people's acts are named after the command
    (``started``, ``claimed``, ``released``, ``assigned``, ``completed``, ``retried``, ``deployed``, ...).
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "instance_id", "id"),
        Index(None, "authority_id", "id"),
        Index(None, "user_id", "id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str]
    process_id: Mapped[str | None]
    element_id: Mapped[str | None]
    element_name: Mapped[str] = mapped_column(default="")
    token: Mapped[int | None]
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="SET NULL"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)

    user: Mapped[User | None] = relationship()
