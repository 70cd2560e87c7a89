"""Yearly reports, assessments and what follows from a good one."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..base import BigId, Model, RowId

GRADES = {"excellent": "优秀", "good": "良好", "qualified": "合格", "failed": "不合格", "excused": "不符合评估条件"}
"""Grades of the yearly assessment (A24); the last one is no grade."""


class AnnualReport(Model):
    """The work plan and summary of one base and year (article 14), once accepted or overdue."""

    __tablename__ = "annual_report"
    __table_args__ = (
        UniqueConstraint("base_id", "year"),
        CheckConstraint("status in ('accepted', 'overdue', 'late')", name="status"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    year: Mapped[int]
    status: Mapped[str]
    filed_on: Mapped[date | None]
    opinion: Mapped[str] = mapped_column(default="")
    signatory: Mapped[str] = mapped_column(default="")
    signed_on: Mapped[date | None]
    accepted_on: Mapped[date | None]
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class AnnualResult(Model):
    """The result of one base's yearly assessment (article 13); the streak rule reads pass and fail only (A24)."""

    __tablename__ = "annual_result"
    __table_args__ = (
        UniqueConstraint("base_id", "year"),
        CheckConstraint("result in ('pass', 'fail', 'excused')", name="result"),
        Index(None, "authority_id", "year"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    year: Mapped[int]
    grade: Mapped[str]
    result: Mapped[str]
    confirmed_on: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class Commendation(Model):
    """A base commended by the ministry because all three tests of article 13 were found met."""

    __tablename__ = "commendation"
    __table_args__ = (UniqueConstraint("base_id", "year"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    year: Mapped[int]
    reason: Mapped[str]
    decided_on: Mapped[date]
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
