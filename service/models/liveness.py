"""What the self-check knows: workers that live, what each case should have as rows, and what looks odd."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, RowId


class Heartbeat(Model):
    """A worker that lives, and how far its clock is from that of the database (seconds)."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    skew: Mapped[float] = mapped_column(default=0.0)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


def figure(token: Any) -> Any:
    """A row in a sum of rows: one for itself, and its token, so that a lost row does not make up for a stray one.

    Takes a number or a column.
    """
    return token * 4096 + 1


class Watch(Model):
    """What the state of a case said when it was last read: which rows of each kind there should be.

    ``tasks``, ``jobs``, ``subscriptions`` and ``incidents`` are the sums of ``figure`` over the tokens that have such a
    row. They hold while the case is at ``version`` and its state has ``checksum``; so a lost row, one too many, or a
    damaged state is found by comparing numbers, and only cases that changed are read again.
    """

    __tablename__ = "watch"

    instance_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("instance.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int]
    checksum: Mapped[int]
    tasks: Mapped[int]
    jobs: Mapped[int]
    subscriptions: Mapped[int]
    incidents: Mapped[int]
    checked_at: Mapped[datetime]


class Symptom(Model):
    """Something about a running case that an administrator may want to look at, though it can go on.

    kind: ``overdue`` | ``slow`` | ``untouched`` | ``looping`` | ``orphan`` | ``leaver`` | ``single`` | ``forecast``.
    """

    __tablename__ = "symptom"
    __table_args__ = (Index(None, "authority_id", "kind", "since", "id"), Index(None, "instance_id"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"))
    kind: Mapped[str]
    process_id: Mapped[str | None]
    element_id: Mapped[str | None]
    element_name: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StepNorm(Model):
    """How long a step usually takes, learned from the tasks that were handed in (seconds)."""

    __tablename__ = "step_norm"

    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id", ondelete="CASCADE"), primary_key=True)
    process_id: Mapped[str] = mapped_column(primary_key=True)
    element_id: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    median: Mapped[float]
    p95: Mapped[float]
    learned_at: Mapped[datetime]
