"""Around the bases: the alliance, its column, agendas, filing windows, notes and experts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import BigId, Model, RowId
from ..identity import Organisation, User


class AllianceMember(Model):
    """A base in the alliance of bases, whose secretariat sits at 中国科学技术交流中心 (article 18)."""

    __tablename__ = "alliance_member"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    status: Mapped[str] = mapped_column(default="invited")
    """``invited`` | ``member`` | ``declined`` | ``left``"""
    invited_on: Mapped[date | None]
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    working_group: Mapped[str] = mapped_column(default="")
    representative: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class ColumnArticle(Model):
    """An article of the public column (article 19). Only a published one is ever shown outside."""

    __tablename__ = "column_article"
    __table_args__ = (Index(None, "authority_id", "section", "published_at"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    section: Mapped[str]
    """``overview`` 基地概况 | ``notices`` 通知通告 | ``policy`` 政策法规 | ``news`` 基地动态 | ``management`` 基地管理
    | ``cooperation`` 合作信息"""
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class AgendaItem(Model):
    """A subject on one year's consultation between the ministry and a province (部省会商, article 5(2)1)."""

    __tablename__ = "agenda_item"
    __table_args__ = (Index(None, "authority_id", "province_id", "year"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    province_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    year: Mapped[int]
    title: Mapped[str]
    park_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    listed_on: Mapped[date]
    record_number: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class FilingWindow(Model):
    """A period in which applications of a type are taken (practice); a type without one is open all year."""

    __tablename__ = "filing_window"
    __table_args__ = (
        CheckConstraint("closes_on >= opens_on", name="period"),
        Index(None, "authority_id", "type", "closes_on"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    type: Mapped[str]
    title: Mapped[str]
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    """The last day on which an application is taken."""
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class CoordinationNote(Model):
    """An entry of the coordination log: national (article 10.2), or of a region or sector (article 11.2)."""

    __tablename__ = "coordination_note"
    __table_args__ = (Index(None, "authority_id", "noted_on"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    level: Mapped[str]
    noted_on: Mapped[date]
    issue: Mapped[str]
    action: Mapped[str] = mapped_column(default="")
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class Expert(Model):
    """What the expert pool knows of one of its people: where they work, in which fields, with which title."""

    __tablename__ = "expert"
    __table_args__ = (Index(None, "authority_id"),)

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    employer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    employer_name: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    fields: Mapped[list[str]] = mapped_column(default=list)

    user: Mapped[User] = relationship()
    employer: Mapped[Organisation | None] = relationship()
