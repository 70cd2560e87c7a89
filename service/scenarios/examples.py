"""Expectations by example: what happened, written as a scenario would expect it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from service import clock, engine
from service.commands.cases import instances
from service.models import CaseParty, Incident, Instance, Model, Notification, Organisation, Task, User
from service.models.register import Base, Document

from .checks import at_path
from .playing import Play

Example = Callable[[Session, Instance, Any], Any]


def example(play: Play, keys: Sequence[str], like: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for the scenario's own case now. ``like`` says how detailed: the variables and columns named there."""
    case = play.own()
    with play.transaction() as session:
        instance = session.get(Instance, case) if case else None
        if instance is None:
            return {}
        made: dict[str, Any] = {}
        for key in keys:
            if key in EXAMPLES:
                value = EXAMPLES[key](session, instance, like.get(key))
                if value is not None:
                    made[key] = value
        return made


def _tasks(session: Session, case: Instance, _like: Any) -> list[str] | None:
    if case.ended_at is not None:
        return None
    query = select(Task.element_id).where(Task.instance_id == case.id, Task.status == "open").order_by(Task.element_id)
    return list(session.scalars(query))


def _ended(_session: Session, case: Instance, _like: Any) -> Any:
    return case.end_event if case.ended_at is not None else False


def _status(_session: Session, case: Instance, _like: Any) -> str:
    return case.status


def _done(session: Session, case: Instance, like: Any) -> dict[str, int]:
    found = Counter(
        session.scalars(select(Task.element_id).where(Task.instance_id == case.id, Task.status == "completed"))
    )
    names = like if isinstance(like, Mapping) else sorted(found)
    return {name: found[name] for name in names}


def _due(session: Session, case: Instance, _like: Any) -> dict[str, str] | None:
    rows = session.execute(
        select(Task.element_id, Task.due_at)
        .where(Task.instance_id == case.id, Task.status == "open", Task.due_at.is_not(None))
        .order_by(Task.id.desc())
    )
    return {element: clock.today(due).isoformat() for element, due in rows} or None


def _variables(session: Session, case: Instance, like: Any) -> dict[str, Any] | None:
    known = engine.visible(instances.load(session, case))
    if not isinstance(like, Mapping):
        return None
    return {str(path): _as(wanted, at_path(known, str(path))) for path, wanted in like.items()}


def _as(wanted: Any, found: Any) -> Any:
    """As much of a value as was expected of it before."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return {name: _as(value, found.get(name)) for name, value in wanted.items()}
    return found


def _incidents(session: Session, case: Instance, _like: Any) -> list[str]:
    query = select(Incident.element_id).where(Incident.instance_id == case.id, Incident.resolved_at.is_(None))
    return sorted(str(one) for one in session.scalars(query))


def _parties(session: Session, case: Instance, _like: Any) -> dict[str, str]:
    query = select(CaseParty.party, Organisation.code).join(Organisation).where(CaseParty.instance_id == case.id)
    return dict(session.execute(query.order_by(CaseParty.party)).all())


def _documents(session: Session, case: Instance, like: Any) -> list[dict[str, Any]]:
    rows = session.scalars(select(Document).where(Document.instance_id == case.id).order_by(Document.id)).all()
    return _columns(rows, like, ("kind", "title"))


def _bases(session: Session, _case: Instance, like: Any) -> list[dict[str, Any]]:
    return _columns(session.scalars(select(Base).order_by(Base.id)).all(), like, ("name", "type", "status"))


def _columns(rows: Sequence[Any], like: Any, usual: Sequence[str]) -> list[dict[str, Any]]:
    named = {name for one in like or () if isinstance(one, Mapping) for name in one}
    return [
        {
            column.key: getattr(row, column.key)
            for column in inspect(type(row)).columns
            if column.key in (named or usual)
        }
        for row in rows
    ]


def _notifications(session: Session, case: Instance, _like: Any) -> list[dict[str, str]]:
    rows = session.execute(
        select(User.username, Notification.text_zh)
        .join(User, User.id == Notification.user_id)
        .where(Notification.instance_id == case.id)
        .order_by(Notification.id)
    )
    return [{"to": username, "text": text} for username, text in rows]


def _rows(session: Session, _case: Instance, like: Any) -> dict[str, int] | None:
    tables = Model.metadata.tables
    if not isinstance(like, Mapping):
        return None
    return {
        name: session.scalar(select(func.count()).select_from(tables[name])) or 0 for name in like if name in tables
    }


EXAMPLES: dict[str, Example] = {
    "ended": _ended,
    "status": _status,
    "tasks": _tasks,
    "done": _done,
    "due": _due,
    "variables": _variables,
    "incidents": _incidents,
    "parties": _parties,
    "title": lambda _session, case, _like: case.title,
    "number": lambda _session, case, _like: case.number,
    "documents": _documents,
    "bases": _bases,
    "notifications": _notifications,
    "rows": _rows,
}
