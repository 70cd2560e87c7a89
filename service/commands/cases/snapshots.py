"""The rows of a case as they are, so that an undo can bring them back as they were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarResult, delete, insert, select, update
from sqlalchemy.orm import Session

from service.models import Draft, Incident, Instance, Job, Model, Subscription, Task, TaskCandidate
from service.models.base import UtcDateTime

from .difference import table_of

_BLIND = {"synchronize_session": False}
_INSTANCE = ("status", "ended_at", "end_event", "title", "deployment_id", "definition_id")
_OPEN: dict[str, tuple[type[Model], tuple[str, ...]]] = {
    "tasks": (
        Task,
        ("status", "assignee_id", "claimed_at", "due_at", "due_sort", "completed_at", "completed_by_id", "submitted",
         "on_behalf_of_id", "organisation_id", "role", "element_id", "name", "form_id"),
    ),
    "jobs": (
        Job,
        ("status", "due_at", "attempts", "retries", "error", "payload", "finished_at", "element_id", "process_id"),
    ),
    "incidents": (Incident, ("resolved_at", "resolved_by_id")),
}  # fmt: skip


def take(session: Session, instance: Instance) -> dict[str, Any]:
    """Write down every open row of the case."""
    session.flush()
    rows: dict[str, Any] = {"instance": {name: _plain(getattr(instance, name)) for name in _INSTANCE}}
    for kind, (model, names) in _OPEN.items():
        rows[kind] = _all(session, model, *_open(model, instance), only=("id", *names))
    tasks = [row["id"] for row in rows["tasks"]]
    rows["candidates"] = _all(session, TaskCandidate, TaskCandidate.task_id.in_(tasks), leave={"id"}) if tasks else []
    rows["drafts"] = _all(session, Draft, Draft.task_id.in_(tasks)) if tasks else []
    rows["subscriptions"] = _all(session, Subscription, Subscription.instance_id == instance.id)
    return rows


def _open(model: Any, instance: Instance) -> list[ColumnElement[bool]]:
    of_case = model.instance_id == instance.id
    if model is Task:
        return [of_case, Task.status == "open"]
    if model is Job:
        return [of_case, Job.token.is_not(None), Job.status.in_(("queued", "running", "failed"))]
    return [of_case, Incident.resolved_at.is_(None)]


def _live(session: Session, model: Any, instance: Instance) -> ScalarResult[Any]:
    chosen = select(model).where(*_open(model, instance)).order_by(model.id)
    return session.scalars(chosen.execution_options(populate_existing=True))


def _all(
    session: Session,
    model: Any,
    *wanted: ColumnElement[bool],
    only: Collection[str] = (),
    leave: Collection[str] = (),
) -> list[dict[str, Any]]:
    columns = [
        column for column in model.__table__.columns if column.name not in leave and (not only or column.name in only)
    ]
    query = select(*columns).where(*wanted)
    if "id" in model.__table__.columns:
        query = query.order_by(model.id)
    return [
        {column.name: _plain(value) for column, value in zip(columns, row, strict=True)}
        for row in session.execute(query)
    ]


def bring_back(session: Session, instance: Instance, rows: dict[str, Any], now: datetime) -> None:
    """Make the open rows of the case what they were; what is new is closed."""
    for kind, (model, _) in _OPEN.items():
        kept = {row["id"] for row in rows[kind]}
        for row in _live(session, model, instance):
            if row.id not in kept:
                _close(row, now)
        session.flush()
        for row in rows[kind]:
            values = {name: _moment(model, name, value) for name, value in row.items() if name != "id"}
            session.execute(update(model).where(model.id == row["id"]).values(**values), execution_options=_BLIND)  # type: ignore[attr-defined]
    tasks = [row["id"] for row in rows["tasks"]]
    live = select(Task.id).where(Task.instance_id == instance.id)
    session.execute(delete(TaskCandidate).where(TaskCandidate.task_id.in_(live)), execution_options=_BLIND)
    session.execute(delete(Draft).where(Draft.task_id.in_(tasks)), execution_options=_BLIND)
    session.execute(delete(Subscription).where(Subscription.instance_id == instance.id), execution_options=_BLIND)
    for model, name in ((TaskCandidate, "candidates"), (Draft, "drafts"), (Subscription, "subscriptions")):
        made = [{key: _moment(model, key, value) for key, value in row.items()} for row in rows[name]]
        if made:
            session.execute(insert(table_of(model)), made)
    for name, value in rows["instance"].items():
        setattr(instance, name, _moment(Instance, name, value))
    session.flush()
    session.expire_all()
    session.refresh(instance)


def close_all(session: Session, instance: Instance, now: datetime) -> None:
    """Close every open row of the case."""
    for model, _ in _OPEN.values():
        for row in _live(session, model, instance):
            _close(row, now)
    session.execute(delete(Subscription).where(Subscription.instance_id == instance.id), execution_options=_BLIND)
    session.flush()


def _close(row: Any, now: datetime) -> None:
    if isinstance(row, Task):
        row.status, row.completed_at = "cancelled", now
    elif isinstance(row, Job):
        row.status, row.finished_at, row.lease_until = "cancelled", now, None
    else:
        row.resolved_at = now


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(model: Any, name: str, value: Any) -> Any:
    if isinstance(value, str) and isinstance(model.__table__.columns[name].type, UtcDateTime):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value
