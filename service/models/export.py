"""Lists too long to be given away at once: written by a worker, kept for a while for whoever asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User

ExportStatus = Literal["running", "done", "failed", "cancelled"]


class Export(Model):
    """One file on its way, or waiting for its owner until ``expires_at``.

    ``asked`` are the filters, ``columns`` the headings and ``words`` what codes are called, in the language of whoever
    asked. ``after`` marks the page that comes next; the first ``written`` bytes of the part file are safe. ``rows`` of
    ``total`` rows are written, as counted at the beginning (None: not yet, or too dear to count).
    """

    __tablename__ = "export"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "expires_at"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    job_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("job.id", ondelete="SET NULL"))
    name: Mapped[str]
    form: Mapped[str]
    title: Mapped[str]
    asked: Mapped[dict[str, Any]] = mapped_column(default=dict)
    columns: Mapped[list[str]] = mapped_column(default=list)
    words: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[ExportStatus] = mapped_column(
        Enum(*get_args(ExportStatus), native_enum=False, length=20, name="status"), default="running"
    )
    after: Mapped[str | None]
    rows: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    written: Mapped[int] = mapped_column(BigId, default=0)
    file_key: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()
