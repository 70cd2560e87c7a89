"""What the platform tells a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, RowId


class Notification(Model):
    """A sentence in somebody's bell. Unread while ``read_at`` is empty; ``digest_at``: the morning that mails it.

    It leads to its task or case, or to ``path``, an address inside the platform.
    """

    __tablename__ = "notification"
    __table_args__ = (Index(None, "user_id", "read_at", "id"),)

    id: Mapped[RowId]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="SET NULL"))
    text_zh: Mapped[str]
    text_en: Mapped[str]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    digest_at: Mapped[datetime | None] = mapped_column(index=True)
    path: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="case", server_default="case")
