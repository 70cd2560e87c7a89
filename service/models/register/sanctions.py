"""Notices, violations, sanctions and bans."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import BigId, Model, RowId
from .documents import Document


class Notice(Model):
    """A public reprimand (通报) after three failed years in a row; at most one for a base and year (A4)."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("base_id", "year"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    year: Mapped[int]
    issued_on: Mapped[date]
    lifted_on: Mapped[date | None]
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    document: Mapped[Document | None] = relationship()


class Violation(Model):
    """A finding of 违纪违规 against a base; whether it is serious a person decided (A7)."""

    __tablename__ = "violation"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    category: Mapped[str]
    serious: Mapped[bool]
    committed_on: Mapped[date | None]
    found_on: Mapped[date]
    facts: Mapped[str]
    outcome: Mapped[str] = mapped_column(default="recorded")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class Sanction(Model):
    """The revocation of a base's qualification (取消资格), or another measure against it."""

    __tablename__ = "sanction"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    kind: Mapped[str]
    decided_on: Mapped[date]
    reason: Mapped[str]
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    document: Mapped[Document | None] = relationship()


class Ban(Model):
    """A legal entity may not apply for any type of base until ``last_on`` is over (article 13, A8–A11)."""

    __tablename__ = "ban"
    __table_args__ = (
        Index(None, "authority_id", "uscc", "last_on"),
        CheckConstraint("last_on >= start_on", name="period"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    uscc: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    start_on: Mapped[date]
    last_on: Mapped[date]
    released_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
