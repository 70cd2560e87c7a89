"""What a scenario expects, held against what is there. Every check says what it found instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from service import clock, engine
from service.commands import instances
from service.models import CaseParty, Incident, Instance, Model, Notification, Organisation, Task, User
from service.models.register import Base, Document

Check = Callable[[Session, Any, Instance, list[EmailMessage]], Iterator[str]]


def check(session: Session, expected: Mapping[str, Any], case: int, mails: list[EmailMessage]) -> Iterator[str]:
    """Say everything that is not as expected."""
    instance = session.get_one(Instance, case) if case else Instance()
    for name, value in expected.items():
        yield from CHECKS[name](session, value, instance, mails)


def _differs(what: str, expected: Any, found: Any) -> Iterator[str]:
    if expected != found:
        yield f"{what}: 应为 / expected {_shown(expected)}, 实为 / found {_shown(found)}"


def _tasks(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = session.scalars(select(Task.element_id).where(Task.instance_id == instance.id, Task.status == "open")).all()
    yield from _differs("tasks", sorted(expected or []), sorted(found))


def _done(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = Counter(
        session.scalars(select(Task.element_id).where(Task.instance_id == instance.id, Task.status == "completed"))
    )
    for element_id, times in expected.items():
        yield from _differs(f"done.{element_id}", times, found[element_id])


def _status(_session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    yield from _differs("status", expected, instance.status)


def _ended(_session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = instance.end_event if instance.ended_at is not None else False
    yield from _differs("ended", expected, found)


def _variables(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = engine.visible(instances.load(session, instance))
    for path, value in expected.items():
        yield from _matches(f"variables.{path}", value, at_path(found, str(path)))


def _incidents(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = session.execute(
        select(Incident.element_id, Incident.cause, Incident.message_zh).where(
            Incident.instance_id == instance.id, Incident.resolved_at.is_(None)
        )
    ).all()
    named = sorted(str(element_id) for element_id, _, _ in found)
    causes = sorted(cause for _, cause, _ in found)
    if sorted(expected or []) not in (named, causes):
        said = "; ".join(f"{element_id} [{cause}] {sentence}" for element_id, cause, sentence in found)
        yield f"incidents: 应为 / expected {_shown(sorted(expected or []))}, 实为 / found {said or '–'}"


def _parties(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = dict(
        session.execute(
            select(CaseParty.party, Organisation.code).join(Organisation).where(CaseParty.instance_id == instance.id)
        ).all()
    )
    for party, code in expected.items():
        yield from _differs(f"parties.{party}", code, found.get(party))


def _title(_session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    yield from _matches("title", expected, instance.title)


def _number(_session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    yield from _matches("number", expected, instance.number)


def _due(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    """The day in China on which an open task is due."""
    for element_id, day in expected.items():
        task = session.scalars(
            select(Task)
            .where(Task.instance_id == instance.id, Task.status == "open", Task.element_id == element_id)
            .order_by(Task.id)
        ).first()
        found = None if task is None or task.due_at is None else clock.today(task.due_at).isoformat()
        yield from _differs(f"due.{element_id}", _iso(day), found)


def _documents(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = session.scalars(select(Document).where(Document.instance_id == instance.id)).all()
    yield from _among("documents", expected, found)


def _bases(session: Session, expected: Any, _instance: Instance, _mails: Any) -> Iterator[str]:
    yield from _among("bases", expected, session.scalars(select(Base)).all())


def _mails(_session: Session, expected: Any, _instance: Instance, mails: list[EmailMessage]) -> Iterator[str]:
    for wanted in expected or []:
        if not any(_is(wanted, _mail(message)) for message in mails):
            sent = "; ".join(f"{message['To']}: {message['Subject']}" for message in mails)
            yield f"mails: 没有 / none like {_shown(wanted)}; {sent or '–'}"


def _mail(message: EmailMessage) -> dict[str, str]:
    body = message.get_body(("plain",))
    return {
        "to": str(message["To"]),
        "subject": str(message["Subject"]),
        "text": body.get_content() if body is not None else "",
    }


def _notifications(session: Session, expected: Any, instance: Instance, _mails: Any) -> Iterator[str]:
    found = session.execute(
        select(User.username, Notification.text_zh)
        .join(User, User.id == Notification.user_id)
        .where(Notification.instance_id == instance.id)
    ).all()
    for wanted in expected or []:
        if not any(_is(wanted, {"to": username, "text": text}) for username, text in found):
            said = "; ".join(f"{username}: {text}" for username, text in found)
            yield f"notifications: 没有 / none like {_shown(wanted)}; {said or '–'}"


def _rows(session: Session, expected: Any, _instance: Instance, _mails: Any) -> Iterator[str]:
    """How many rows a table holds: ``{ban: 1}``."""
    tables = Model.metadata.tables
    for table, count in expected.items():
        if table not in tables:
            yield f"rows: 没有表 / there is no table {table}"
        else:
            found = session.scalar(select(func.count()).select_from(tables[table]))
            yield from _differs(f"rows.{table}", count, found)


CHECKS: dict[str, Check] = {
    "tasks": _tasks,
    "done": _done,
    "status": _status,
    "ended": _ended,
    "variables": _variables,
    "incidents": _incidents,
    "parties": _parties,
    "title": _title,
    "number": _number,
    "due": _due,
    "documents": _documents,
    "bases": _bases,
    "mails": _mails,
    "notifications": _notifications,
    "rows": _rows,
}


def _among(what: str, expected: Any, rows: Any) -> Iterator[str]:
    """As many rows as are expected, and each expectation met by one."""
    found = [{column.key: getattr(row, column.key) for column in inspect(type(row)).columns} for row in rows]
    if len(expected or []) != len(found):
        yield f"{what}: 应有 / expected {len(expected or [])}, 实有 / found {len(found)}"
    for wanted in expected or []:
        if not any(_is(wanted, row) for row in found):
            yield f"{what}: 没有 / none like {_shown(wanted)}"


def _is(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(not list(_matches(name, value, found.get(name))) for name, value in wanted.items())


def _matches(what: str, expected: Any, found: Any) -> Iterator[str]:
    """Equal – or, for ``~ text``, containing the text; contexts are compared by the names expected."""
    if isinstance(expected, str) and expected.startswith("~"):
        if expected[1:].strip() not in str(found):
            yield f"{what}: 应含 / should contain {_shown(expected[1:].strip())}, 实为 / found {_shown(found)}"
    elif isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            yield from _matches(f"{what}.{name}", value, found.get(name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (value, one) in enumerate(zip(expected, found, strict=True)):
            yield from _matches(f"{what}[{number}]", value, one)
    else:
        yield from _differs(what, _iso(expected), _iso(found))


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def at_path(value: Any, path: str) -> Any:
    """The value at a dotted path; numbers are places in lists; None where there is nothing."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _shown(value: Any) -> str:
    listed = isinstance(value, list) and all(isinstance(one, str) for one in value)
    text = ("、".join(value) or "–") if listed else str(value)
    return text if len(text) <= 300 else text[:300] + "…"
