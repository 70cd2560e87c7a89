"""What runs: immutable bundles of diagrams, tables, forms and templates, and the processes in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId


class Deployment(Model):
    """One bundle put into service by one authority. ``version`` counts them."""

    __tablename__ = "deployment"
    __table_args__ = (UniqueConstraint("authority_id", "bundle_hash"), UniqueConstraint("authority_id", "version"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    bundle_hash: Mapped[str]
    version: Mapped[int]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))

    files: Mapped[list[DeploymentFile]] = relationship(
        back_populates="deployment", cascade="all, delete-orphan", order_by="DeploymentFile.path"
    )
    definitions: Mapped[list[ProcessDefinition]] = relationship(
        back_populates="deployment", cascade="all, delete-orphan", order_by="ProcessDefinition.process_id"
    )


class DeploymentFile(Model):
    """One file of a bundle."""

    __tablename__ = "deployment_file"

    deployment_id: Mapped[int] = mapped_column(BigId, ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]

    deployment: Mapped[Deployment] = relationship(back_populates="files")


class ProcessDefinition(Model):
    """One executable process of a deployment.

    ``latest`` marks the version new cases start on, one per process and authority. ``starters`` are the role
    codes that may start it (none: only the platform), ``start_events`` the ways in:
    ``{"element_id", "kind", "form_id", "message_name", "timer"}`` each. ``path`` is the diagram's file.
    """

    __tablename__ = "process_definition"
    __table_args__ = (
        UniqueConstraint("deployment_id", "process_id"),
        UniqueConstraint("authority_id", "process_id", "version"),
        Index(
            "uq_process_definition_latest",
            "authority_id",
            "process_id",
            unique=True,
            postgresql_where=text("latest"),
            sqlite_where=text("latest"),
        ),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    deployment_id: Mapped[int] = mapped_column(BigId, ForeignKey("deployment.id", ondelete="CASCADE"))
    process_id: Mapped[str]
    name: Mapped[str]
    version: Mapped[int]
    latest: Mapped[bool]
    path: Mapped[str]
    version_tag: Mapped[str | None]
    documentation: Mapped[str] = mapped_column(default="")
    starters: Mapped[list[str]] = mapped_column(default=list)
    start_events: Mapped[list[Any]] = mapped_column(default=list)
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)

    deployment: Mapped[Deployment] = relationship(back_populates="definitions")
