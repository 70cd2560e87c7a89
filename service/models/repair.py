"""Repairs: what an administrator did to a case, what it was before, and who had to agree."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User
from .instance import Instance

RepairStatus = Literal["proposed", "done", "rejected", "undone"]


class Repair(Model):
    """One repair of one case.

    ``expected_version`` is the version its preview was made of; ``former`` and ``rows`` are the snapshot that an
    undo brings back, possible while the case is still at ``version``. ``preview`` is what was shown.
    """

    __tablename__ = "repair"
    __table_args__ = (Index(None, "instance_id", "id"), Index(None, "authority_id", "status", "id"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    batch_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("batch.id", ondelete="SET NULL"))
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str]
    status: Mapped[RepairStatus] = mapped_column(
        Enum(*get_args(RepairStatus), native_enum=False, length=10, name="status")
    )
    preview: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expected_version: Mapped[int]
    former: Mapped[bytes | None]
    rows: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int | None]
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    decision_note: Mapped[str] = mapped_column(default="")
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))

    instance: Mapped[Instance] = relationship()
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])


class CockpitPolicy(Model):
    """What an authority asks of its administrators.

    ``second_approver`` lists the kinds of repair that somebody else has to agree to. ``untouched_days``, ``loops``
    and ``overload`` are from when on the stuck page speaks up; ``retention_days`` after its end a case is
    anonymised (none: never).
    """

    __tablename__ = "cockpit_policy"

    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id", ondelete="CASCADE"), primary_key=True)
    second_approver: Mapped[list[str]] = mapped_column(default=list)
    untouched_days: Mapped[int] = mapped_column(default=30)
    loops: Mapped[int] = mapped_column(default=8)
    overload: Mapped[int] = mapped_column(default=30)
    retention_days: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
