"""Cases: one row per instance with its whole live state, and the organisations that are party to it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .deployment import Deployment, ProcessDefinition
from .identity import Organisation, User

InstanceStatus = Literal["active", "incident", "suspended", "completed", "terminated"]


class Instance(Model):
    """One run of a process, from its start to its end: the aggregate that a step locks and saves as a whole.

    ``state`` is what the engine dumped last; ``version`` grows with every save, and a save against another
    version fails as a lost race. ``number`` is the case number people quote.
    """

    __tablename__ = "instance"
    __table_args__ = (
        UniqueConstraint("authority_id", "number"),
        Index(None, "authority_id", "id"),
        Index(None, "authority_id", "status", "id"),
        Index(None, "authority_id", "process_id", "id"),
        Index(None, "started_by_id", "id"),
        Index(None, "deployment_id", "status"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    definition_id: Mapped[int] = mapped_column(BigId, ForeignKey("process_definition.id"))
    deployment_id: Mapped[int] = mapped_column(BigId, ForeignKey("deployment.id"))
    process_id: Mapped[str]
    number: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    status: Mapped[InstanceStatus] = mapped_column(
        Enum(*get_args(InstanceStatus), native_enum=False, length=20, name="status"), default="active"
    )
    state: Mapped[bytes] = mapped_column(default=b"")
    version: Mapped[int] = mapped_column()
    started_at: Mapped[datetime]
    started_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_event: Mapped[str | None]
    parent_instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"), index=True)

    definition: Mapped[ProcessDefinition] = relationship()
    deployment: Mapped[Deployment] = relationship()
    started_by: Mapped[User | None] = relationship()
    parties: Mapped[list[CaseParty]] = relationship(back_populates="instance", cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class CaseParty(Model):
    """An organisation's part in one case: it is *the* applicant, *the* recommender, ... of it."""

    __tablename__ = "case_party"
    __table_args__ = (Index(None, "organisation_id", "party", "instance_id"),)

    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"), primary_key=True)
    party: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))

    instance: Mapped[Instance] = relationship(back_populates="parties")
    organisation: Mapped[Organisation] = relationship()


class Counter(Model):
    """The last number given in a series of an authority, such as the case numbers ``DB-2026``."""

    __tablename__ = "counter"

    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
