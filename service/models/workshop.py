"""The process owners' workbench: working copies of a bundle, their history, and how one goes into service."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .deployment import Deployment
from .identity import User

Gate = Literal["error", "warning", "info"]
PublicationStatus = Literal["proposed", "scheduled", "published", "failed", "rejected", "withdrawn"]


class WorkingCopy(Model):
    """A bundle somebody is editing. Nothing that runs is touched by it.

    ``revision`` is the newest of its history; ``version`` guards the row against two writers. ``deployment_id``
    is the bundle it was made from.
    """

    __tablename__ = "working_copy"
    __table_args__ = (Index(None, "authority_id", "updated_at"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    name: Mapped[str]
    deployment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("deployment.id", ondelete="SET NULL"))
    revision: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    updated_at: Mapped[datetime]
    updated_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    closed_at: Mapped[datetime | None]

    deployment: Mapped[Deployment | None] = relationship()
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    updated_by: Mapped[User] = relationship(foreign_keys=[updated_by_id])
    files: Mapped[list[WorkingFile]] = relationship(
        back_populates="working_copy", cascade="all, delete-orphan", passive_deletes=True
    )
    revisions: Mapped[list[Revision]] = relationship(
        back_populates="working_copy",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="Revision.number",
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class WorkingFile(Model):
    """The content of one file from a revision on (``since``) and before another (``until``; none: still).

    ``title`` is what people call it: the name of the process, the first heading of the form.
    """

    __tablename__ = "working_file"
    __table_args__ = (Index(None, "working_copy_id", "path"),)

    id: Mapped[RowId]
    working_copy_id: Mapped[int] = mapped_column(BigId, ForeignKey("working_copy.id", ondelete="CASCADE"))
    path: Mapped[str]
    content: Mapped[bytes]
    sha256: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    since: Mapped[int]
    until: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))

    working_copy: Mapped[WorkingCopy] = relationship(back_populates="files")
    changed_by: Mapped[User] = relationship()


class Revision(Model):
    """One step of the history of a working copy.

    kind: ``start`` | ``autosave`` | ``save`` | ``import`` | ``restore`` | ``merge``. ``changes`` maps the paths it
    touched to ``added``, ``changed`` or ``removed``.
    """

    __tablename__ = "revision"

    working_copy_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("working_copy.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    kind: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)

    working_copy: Mapped[WorkingCopy] = relationship(back_populates="revisions")
    user: Mapped[User] = relationship()


class PublishingPolicy(Model):
    """What an authority asks for before a working copy goes into service.

    ``gate`` is the least severity that stops it, ``second_approver`` asks somebody else to agree, and
    ``scenarios`` that all scenarios pass.
    """

    __tablename__ = "publishing_policy"

    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id", ondelete="CASCADE"), primary_key=True)
    gate: Mapped[Gate] = mapped_column(Enum(*get_args(Gate), native_enum=False, length=10, name="gate"))
    second_approver: Mapped[bool] = mapped_column(default=False)
    scenarios: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))


class Publication(Model):
    """A revision of a working copy on its way into service: proposed, agreed to, put into force, taken back.

    ``former`` holds the deployments that were in force before, so that new cases can go back to them.
    ``moves`` are the running cases chosen to come along: for each deployment they are on, their ids and what becomes
    of elements without a counterpart; ``batches`` are the batches that move them.
    """

    __tablename__ = "publication"
    __table_args__ = (Index(None, "authority_id", "id"), Index(None, "working_copy_id", "id"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    working_copy_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("working_copy.id", ondelete="SET NULL"))
    revision: Mapped[int]
    bundle_hash: Mapped[str]
    status: Mapped[PublicationStatus] = mapped_column(
        Enum(*get_args(PublicationStatus), native_enum=False, length=12, name="status")
    )
    note: Mapped[str] = mapped_column(default="")
    version_tag: Mapped[str | None]
    effective_at: Mapped[datetime | None]
    needs_approval: Mapped[bool] = mapped_column(default=False)
    proposed_at: Mapped[datetime]
    proposed_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    decision_note: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    deployment_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("deployment.id"))
    former: Mapped[list[Any]] = mapped_column(default=list)
    moves: Mapped[list[Any]] = mapped_column(default=list)
    batches: Mapped[list[Any]] = mapped_column(default=list)
    overwrites: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str] = mapped_column(default="")

    working_copy: Mapped[WorkingCopy | None] = relationship()
    deployment: Mapped[Deployment | None] = relationship()
    proposed_by: Mapped[User] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
