"""Incidents: why an instance cannot go on by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .instance import Instance


class Incident(Model):
    """A token that nobody and nothing will move until somebody looks at it. Open while ``resolved_at`` is empty."""

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "ix_incident_open",
            "authority_id",
            "id",
            postgresql_where=text("resolved_at IS NULL"),
            sqlite_where=text("resolved_at IS NULL"),
        ),
        Index(None, "instance_id", "resolved_at"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    token: Mapped[int | None]
    job_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("job.id", ondelete="SET NULL"))
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="SET NULL"))
    element_id: Mapped[str | None]
    element_name: Mapped[str] = mapped_column(default="")
    process_id: Mapped[str | None]
    cause: Mapped[str]
    message_zh: Mapped[str]
    message_en: Mapped[str]
    details: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))

    instance: Mapped[Instance] = relationship()
