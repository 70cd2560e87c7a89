"""Jobs: everything a worker does outside a person's step."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .instance import Instance

JobKind = Literal["service", "timer", "message", "mail", "start"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(Model):
    """Work for a worker, not before ``due_at``. Its id is the idempotency key of what it does outside.

    ``running`` holds until ``lease_until``; after that another worker may take it over. ``retries`` is how
    many attempts are left before it fails and becomes an incident.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "ix_job_queued",
            "due_at",
            "id",
            postgresql_where=text("status = 'queued'"),
            sqlite_where=text("status = 'queued'"),
        ),
        Index(
            "ix_job_running",
            "lease_until",
            postgresql_where=text("status = 'running'"),
            sqlite_where=text("status = 'running'"),
        ),
        # What still waits in a case is found without reading the jobs that are over.
        Index(
            "ix_job_live",
            "instance_id",
            postgresql_where=text("status IN ('queued', 'running', 'failed')"),
            sqlite_where=text("status IN ('queued', 'running', 'failed')"),
        ),
        Index("ix_job_status", "status", "due_at"),
        Index(None, "instance_id", "token"),
        Index(
            "ix_job_definition",
            "definition_id",
            postgresql_where=text("definition_id IS NOT NULL"),
            sqlite_where=text("definition_id IS NOT NULL"),
        ),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    definition_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("process_definition.id", ondelete="CASCADE"))
    token: Mapped[int | None]
    element_id: Mapped[str | None]
    process_id: Mapped[str | None]
    kind: Mapped[JobKind] = mapped_column(Enum(*get_args(JobKind), native_enum=False, length=20, name="kind"))
    topic: Mapped[str] = mapped_column(default="")
    status: Mapped[JobStatus] = mapped_column(
        Enum(*get_args(JobStatus), native_enum=False, length=20, name="status"), default="queued"
    )
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=3)
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    error: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    instance: Mapped[Instance | None] = relationship()
