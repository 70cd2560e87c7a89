"""Batches: one repair for many cases, chosen once and worked through one transaction each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User

BatchStatus = Literal["running", "paused", "cancelled", "done"]
ItemStatus = Literal["pending", "done", "failed", "skipped"]


class Batch(Model):
    """A repair for a frozen list of cases. ``canary``: so many first, then it pauses until somebody looks."""

    __tablename__ = "batch"
    __table_args__ = (Index(None, "authority_id", "id"), Index(None, "status", "id"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str]
    status: Mapped[BatchStatus] = mapped_column(
        Enum(*get_args(BatchStatus), native_enum=False, length=10, name="status"), default="running"
    )
    total: Mapped[int]
    canary: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    finished_at: Mapped[datetime | None]

    created_by: Mapped[User] = relationship()


class BatchItem(Model):
    """One case of a batch, and how it went."""

    __tablename__ = "batch_item"
    __table_args__ = (UniqueConstraint("batch_id", "instance_id"), Index(None, "batch_id", "status", "id"))

    id: Mapped[RowId]
    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("batch.id", ondelete="CASCADE"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"), index=True)
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[ItemStatus] = mapped_column(
        Enum(*get_args(ItemStatus), native_enum=False, length=10, name="status"), default="pending"
    )
    repair_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("repair.id", ondelete="SET NULL"))
    at: Mapped[datetime | None]
    zh: Mapped[str] = mapped_column(default="")
    en: Mapped[str] = mapped_column(default="")


class SavedView(Model):
    """A choice of the stuck page somebody keeps under a name."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[RowId]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
