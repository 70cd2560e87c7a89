"""Files that people attach to forms and that the platform issues."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User
from .instance import Instance
from .task import Task


class Attachment(Model):
    """A stored file. ``task_id`` is the task whose form it was attached to; a file the platform issued has none."""

    __tablename__ = "attachment"

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"), index=True)
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="SET NULL"), index=True)
    uploaded_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"), index=True)
    name: Mapped[str]
    size: Mapped[int]
    media_type: Mapped[str]
    sha256: Mapped[str]
    storage_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]

    instance: Mapped[Instance | None] = relationship()
    task: Mapped[Task | None] = relationship()
    uploaded_by: Mapped[User | None] = relationship()
