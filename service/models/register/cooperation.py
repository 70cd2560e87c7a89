"""What bases do with partners abroad: projects, funds, visits, plaques, talents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import BigId, Model, RowId
from ..identity import Organisation


class Project(Model):
    """An international project of a host institution, and of its base where it has one (article 3)."""

    __tablename__ = "project"
    __table_args__ = (
        UniqueConstraint("authority_id", "number"),
        CheckConstraint("level in ('national', 'provincial', 'other')", name="level"),
        CheckConstraint("status in ('ongoing', 'completed', 'terminated')", name="status"),
        Index(None, "organisation_id"),
        Index(None, "base_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    number: Mapped[str]
    name: Mapped[str]
    programme: Mapped[str]
    """``special`` 国家国际科技合作专项 | ``intergovernmental`` 政府间科技合作项目 | ``provincial`` | ``other``"""
    level: Mapped[str]
    status: Mapped[str] = mapped_column(default="ongoing")
    special: Mapped[bool] = mapped_column(default=False)
    """Listed in the 专项: only then does article 16 ask the recommender to match funds."""
    partner: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    funding: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    organisation: Mapped[Organisation] = relationship()


class MatchingFund(Model):
    """What a recommender promised and paid for a 专项 project of a base (article 16); no ratio is asked (A31)."""

    __tablename__ = "matching_fund"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    project_id: Mapped[int] = mapped_column(BigId, ForeignKey("project.id"))
    recommender_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    promised: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    due_on: Mapped[date | None]
    paid: Mapped[Decimal] = mapped_column(Numeric(14, 2), default=Decimal(0))
    paid_on: Mapped[date | None]
    proof: Mapped[list[Any]] = mapped_column(default=list)
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    project: Mapped[Project] = relationship()
    recommender: Mapped[Organisation] = relationship()


class Inspection(Model):
    """A check by the recommender on a project or base it supervises (article 11, item 3)."""

    __tablename__ = "inspection"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    project_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("project.id"))
    recommender_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    due_on: Mapped[date | None]
    inspected_on: Mapped[date | None]
    findings: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class Partner(Model):
    """A foreign partner institution of a base."""

    __tablename__ = "partner"
    __table_args__ = (UniqueConstraint("base_id", "name"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    country: Mapped[str]
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class ForeignPlaque(Model):
    """How far recognition abroad and the plaque at one partner have come (article 6(2)4)."""

    __tablename__ = "foreign_plaque"
    __table_args__ = (
        CheckConstraint(
            "status in ('requested', 'recognised', 'refused', 'confirmed', 'placed', 'ended')",
            name="status",
        ),
        Index(None, "base_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    partner_id: Mapped[int] = mapped_column(BigId, ForeignKey("partner.id"))
    status: Mapped[str] = mapped_column(default="requested")
    foreign_authority: Mapped[str] = mapped_column(default="")
    mechanism: Mapped[str] = mapped_column(default="")
    recognised_on: Mapped[date | None]
    confirmed_on: Mapped[date | None]
    placed_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    remarks: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    partner: Mapped[Partner] = relationship()


class Talent(Model):
    """A person whom a base brings in or nominates for the 国家引智计划 (article 17)."""

    __tablename__ = "talent"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    name: Mapped[str]
    country: Mapped[str] = mapped_column(default="")
    field: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="nominated")
    """``nominated`` | ``supported`` | ``declined``"""
    nominated_on: Mapped[date]
    decided_on: Mapped[date | None]
    remarks: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
