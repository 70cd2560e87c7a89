"""The bases of the register: what they are, who is behind them, how they came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import BigId, Model, RowId
from ..identity import Organisation
from .documents import Document

TYPES = {"IP": "国际创新园", "JC": "国际联合研究中心", "TT": "国际技术转移中心", "DB": "示范型国际科技合作基地"}
"""The four types of article 2; the list is open, so it is a name table and not a constraint of the database."""

FIELDS = {
    "energy": "能源资源开发利用",
    "materials": "新材料与先进制造",
    "information": "信息网络",
    "agriculture": "现代农业",
    "health": "生物与健康",
    "environment": "生态环境保护",
    "space": "空间和海洋",
    "safety": "公共安全",
}
"""The eight fields of article 15."""


class Base(Model):
    """A base (国合基地): accredited, reprimanded perhaps, revoked or left – but never deleted."""

    __tablename__ = "base"
    __table_args__ = (
        UniqueConstraint("authority_id", "number"),
        CheckConstraint("status in ('active', 'revoked', 'exited')", name="status"),
        Index(None, "authority_id", "type", "status", "region"),
        Index(None, "host_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    number: Mapped[str]
    name: Mapped[str]
    type: Mapped[str]
    status: Mapped[str] = mapped_column(default="active")
    host_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    zone_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    region: Mapped[str]
    accredited_on: Mapped[date]
    accredited_under: Mapped[str]
    ended_on: Mapped[date | None]
    summary: Mapped[str] = mapped_column(default="")
    director: Mapped[str] = mapped_column(default="")

    host: Mapped[Organisation] = relationship(foreign_keys=[host_id])
    zone: Mapped[Organisation | None] = relationship(foreign_keys=[zone_id])
    fields: Mapped[list[BaseField]] = relationship(cascade="all, delete-orphan", order_by="BaseField.code")
    recommenders: Mapped[list[RecommenderLink]] = relationship(order_by="RecommenderLink.since")


class BaseField(Model):
    """A base works in one of the eight fields (article 15)."""

    __tablename__ = "base_field"

    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))


class RecommenderLink(Model):
    """Which department is the base's 推荐部门, since when and until when (article 11)."""

    __tablename__ = "recommender_link"
    __table_args__ = (
        CheckConstraint("relation in ('affiliation', 'territory')", name="relation"),
        Index(None, "base_id", "since"),
        Index(None, "organisation_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    relation: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    organisation: Mapped[Organisation] = relationship()


class ImplementationPlan(Model):
    """One version of a base's 实施方案; article 12 lets bases differ within it."""

    __tablename__ = "implementation_plan"
    __table_args__ = (UniqueConstraint("base_id", "version"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    version: Mapped[int]
    effective_on: Mapped[date]
    goals: Mapped[str] = mapped_column(default="")
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class Accreditation(Model):
    """The act that made a base: under which rules, by which document, caused by which case."""

    __tablename__ = "accreditation"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    type: Mapped[str]
    decided_on: Mapped[date]
    rule_set: Mapped[str]
    document_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("document.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))

    document: Mapped[Document | None] = relationship()


class Plaque(Model):
    """The plaque given to a base (授牌), and whether it was taken back."""

    __tablename__ = "plaque"
    __table_args__ = (Index(None, "base_id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int] = mapped_column(BigId, ForeignKey("base.id"))
    inscription: Mapped[str]
    given_on: Mapped[date]
    withdrawn_on: Mapped[date | None]
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))


class RegisterEvent(Model):
    """One line of the register's history: what changed, when, and the case and person that caused it."""

    __tablename__ = "register_event"
    __table_args__ = (
        Index(None, "base_id", "at"),
        Index(None, "authority_id", "at"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    text_zh: Mapped[str]
    text_en: Mapped[str] = mapped_column(default="")
    public: Mapped[bool] = mapped_column(default=False)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
