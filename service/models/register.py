"""The register of bases: what the ministry knows about every base, and which case made it so.

Every row belongs to one authority (article 21): a base that a province keeps for itself never stands in the
national register. Rows that a case wrote carry its ``instance_id``; ``RegisterEvent`` is the history of all of them.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import Organisation, User

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

GRADES = {"excellent": "优秀", "good": "良好", "qualified": "合格", "failed": "不合格", "excused": "不符合评估条件"}
"""Grades of the yearly assessment (A24); the last one is no grade."""


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


class Document(Model):
    """An official document as it was issued: its number, its bytes in the store, and who issued it."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("authority_id", "number"),
        UniqueConstraint("job_key"),
        Index(None, "base_id"),
        Index(None, "instance_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    kind: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    issued_on: Mapped[date]
    public: Mapped[bool] = mapped_column(default=False)
    file_name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
    job_key: Mapped[str | None]

    issuers: Mapped[list[DocumentIssuer]] = relationship(
        cascade="all, delete-orphan", order_by="DocumentIssuer.position"
    )


class DocumentIssuer(Model):
    """An organisation that issued a document; a joint document (article 7) has two."""

    __tablename__ = "document_issuer"

    document_id: Mapped[int] = mapped_column(BigId, ForeignKey("document.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)

    organisation: Mapped[Organisation] = relationship()


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
