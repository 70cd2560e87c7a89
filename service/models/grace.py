"""Completions that can be taken back for a few seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, RowId


class Grace(Model):
    """The moment before a task was handed in: the state of its case and its open rows.

    It can be brought back by ``user_id`` until ``until``, while the case is still at ``version``.
    """

    __tablename__ = "grace"
    __table_args__ = (Index(None, "until"),)

    id: Mapped[RowId]
    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"), index=True)
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    former: Mapped[bytes]
    rows: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int]
    until: Mapped[datetime]
