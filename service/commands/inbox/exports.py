"""Long exports: asked for, written by a worker part by part, told, and thrown away after a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, errors
from service.commands.cases import jobs
from service.commands.people import telling
from service.models import Export, Job, User

AT_ONCE = 3
"""So many files may be on their way for one person."""


def begin(
    session: Session,
    user: User,
    *,
    name: str,
    form: str,
    title: str,
    asked: Mapping[str, Any],
    columns: list[str],
    words: Mapping[str, Any],
    keep: timedelta,
) -> Export:
    """Ask a worker for a list as a file. Raises Conflict where too many are on their way already."""
    running = session.scalar(
        select(func.count()).select_from(Export).where(Export.user_id == user.id, Export.status == "running")
    )
    if (running or 0) >= AT_ONCE:
        raise errors.Conflict(
            f"您已有 {AT_ONCE} 个导出正在生成，请等其中一个完成后再试。",
            f"{AT_ONCE} exports of yours are being written; wait until one of them is done.",
            code="exports_running",
        )
    now = clock.now()
    made = Export(
        authority_id=user.authority_id,
        user_id=user.id,
        name=name,
        form=form,
        title=title,
        asked=dict(asked),
        columns=list(columns),
        words=dict(words),
        status="running",
        rows=0,
        written=0,
        created_at=now,
        expires_at=now + keep,
    )
    session.add(made)
    session.flush()
    go_on(session, made)
    return made


def go_on(session: Session, export: Export) -> None:
    """Have the next part written, after whatever else is due: a long list holds nothing up."""
    export.job_id = jobs.add(
        session, "service", authority_id=export.authority_id, topic="export", payload={"export": export.id}
    )
    session.flush()


def finish(session: Session, export: Export, *, key: str, size: int, base_url: str = "") -> None:
    """Say that the file is there, and how long it stays."""
    export.status, export.file_key, export.size, export.finished_at = "done", key, size, clock.now()
    kept = export.expires_at - export.created_at
    export.expires_at = export.finished_at + kept
    until = clock.today(export.expires_at).isoformat()
    telling.tell(
        session,
        export.user,
        "export",
        f"“{export.title}”已导出，共 {export.rows} 行，保留到 {until}。",
        f"“{export.title}” is exported: {export.rows} rows, kept until {until}.",
        path="/exports",
        base_url=base_url,
    )
    session.flush()


def remove(session: Session, export_id: int, *, user: User) -> str | None:
    """Take back or throw away one's export; returns the key of the file to delete, if there is one."""
    found = session.get(Export, export_id)
    if found is None or found.user_id != user.id:
        raise errors.NotFound()
    key = found.file_key
    session.delete(found)
    session.flush()
    return key


def expire(session: Session) -> list[tuple[int, str | None]]:
    """Forget files whose time is over: id and key of each. Also those that no worker can finish any more."""
    now = clock.now()
    for broken in session.scalars(
        select(Export)
        .join(Job, Job.id == Export.job_id)
        .where(Export.status == "running", Job.status.in_(("failed", "cancelled")))
    ):
        broken.status, broken.finished_at = "failed", now
    over = session.scalars(select(Export).where(Export.expires_at < now).limit(200)).all()
    gone = [(one.id, one.file_key) for one in over]
    for one in over:
        session.delete(one)
    session.flush()
    return gone


__all__ = ["begin", "expire", "finish", "go_on", "remove"]
