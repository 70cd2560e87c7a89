"""Try-outs of drafts, and what came of their scenarios."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User
from .workshop import WorkingCopy

RunStatus = Literal["queued", "running", "done", "failed"]


class DryRun(Model):
    """Somebody plays a revision of a working copy through. Kept are the steps; what they lead to is played up again.

    ``head`` and ``steps`` are a scenario as JSON (docs/reference/scenarios.md). ``path`` is the scenario file it was
    opened from, if it was.
    """

    __tablename__ = "dry_run"
    __table_args__ = (Index(None, "user_id", "used_at"), Index(None, "working_copy_id"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    working_copy_id: Mapped[int] = mapped_column(BigId, ForeignKey("working_copy.id", ondelete="CASCADE"))
    revision: Mapped[int]
    process_id: Mapped[str]
    path: Mapped[str | None]
    # Not JSONB: what was recorded keeps the order in which a person would write it.
    head: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    steps: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    working_copy: Mapped[WorkingCopy] = relationship()
    user: Mapped[User] = relationship()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class ScenarioRun(Model):
    """The scenarios of a working copy being played in the background, and what came of each.

    ``files_hash`` names the files they were played on, scenarios included; ``whole`` says that all scenarios were.
    ``results`` maps paths to outcomes, ``coverage`` processes to what was touched. One that has not beaten for a
    minute has died with its server.
    """

    __tablename__ = "scenario_run"
    __table_args__ = (Index(None, "working_copy_id", "id"), Index(None, "authority_id", "files_hash"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    working_copy_id: Mapped[int] = mapped_column(BigId, ForeignKey("working_copy.id", ondelete="CASCADE"))
    revision: Mapped[int]
    files_hash: Mapped[str]
    whole: Mapped[bool]
    status: Mapped[RunStatus] = mapped_column(
        Enum(*get_args(RunStatus), native_enum=False, length=10, name="status"), default="queued"
    )
    paths: Mapped[list[Any]] = mapped_column(default=list)
    results: Mapped[dict[str, Any]] = mapped_column(default=dict)
    coverage: Mapped[dict[str, Any]] = mapped_column(default=dict)
    failure: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    started_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    beat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User] = relationship()
