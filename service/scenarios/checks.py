"""What a scenario expects, held against what is there. Every check says what it found instead, and at which element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from service import clock, engine
from service.commands.cases import instances
from service.models import CaseParty, Incident, Instance, Model, Notification, Organisation, Task, User
from service.models.register import Base, Document

from .outcomes import Problem
from .wording import LONGEST, STATUSES, Wording, shown

Found = Iterator[Problem]
Check = Callable[[Session, Any, Instance, list[EmailMessage], Wording], Found]


def check(
    session: Session, expected: Mapping[str, Any], case: int, mails: list[EmailMessage], wording: Wording
) -> Found:
    """Say everything that is not as expected."""
    instance = session.get_one(Instance, case) if case else Instance()
    for name, value in expected.items():
        yield from CHECKS[name](session, value, instance, mails, wording)


def _differs(zh: str, en: str, expected: Any, found: Any, element: str | None = None) -> Found:
    if expected != found:
        yield Problem(
            f"{zh}应为“{shown(expected)}”，实际为“{shown(found)}”。",
            f"{en} should be “{shown(expected)}” and is “{shown(found)}”.",
            element,
        )


def _tasks(session: Session, expected: Any, instance: Instance, _mails: Any, wording: Wording) -> Found:
    found = session.scalars(select(Task.element_id).where(Task.instance_id == instance.id, Task.status == "open")).all()
    wanted, there = Counter(str(one) for one in expected or []), Counter(str(one) for one in found)
    if wanted == there:
        return
    surplus, lacking = there - wanted, wanted - there
    where = wording.place(session, instance.id)
    zh, en = [], []
    if lacking:
        names = wording.elements(lacking.elements())
        zh.append(f"应有待办{names}，实际没有" + ("" if surplus else f"；{where[0]}"))
        en.append(f"{names} should be open and is not" + ("" if surplus else f"; {where[1]}"))
    if surplus:
        zh.append(f"多出待办{wording.elements(surplus.elements())}")
        en.append(f"{wording.elements(surplus.elements())} is open and should not be")
    yield Problem("，".join(zh) + "。", "; ".join(en) + ".", next(iter([*surplus, *lacking])))


def _done(session: Session, expected: Any, instance: Instance, _mails: Any, wording: Wording) -> Found:
    found = Counter(
        session.scalars(select(Task.element_id).where(Task.instance_id == instance.id, Task.status == "completed"))
    )
    for element_id, times in expected.items():
        if times != found[element_id]:
            name = wording.element(element_id)
            yield Problem(
                f"“{name}”应已办过 {times} 次，实际办过 {found[element_id]} 次。",
                f"“{name}” should have been done {times} times and was done {found[element_id]} times.",
                element_id,
            )


def _status(_session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    if expected != instance.status:
        wanted, found = (STATUSES.get(one, (str(one), str(one))) for one in (expected, instance.status))
        yield Problem(f"案件应当{wanted[0]}，实际{found[0]}。", f"The case should be {wanted[1]} and is {found[1]}.")


def _ended(session: Session, expected: Any, instance: Instance, _mails: Any, wording: Wording) -> Found:
    found = instance.end_event if instance.ended_at is not None else False
    if expected == found:
        return
    where = wording.place(session, instance.id)
    if expected is False:
        yield Problem(f"案件应仍在办理，实际{where[0]}。", f"The case should still run, but {where[1]}.", str(found))
        return
    end = wording.element(str(expected), instance.process_id)
    yield Problem(
        f"案件应以“{end}”结束，实际{where[0]}。", f"The case should end with “{end}”, but {where[1]}.", str(expected)
    )


def _variables(session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    found = engine.visible(instances.load(session, instance))
    for path, value in expected.items():
        for name, wanted, there in _mismatches(str(path), value, at_path(found, str(path))):
            yield from _differs(f"变量 {name} ", f"The variable {name}", wanted, there)


def _incidents(session: Session, expected: Any, instance: Instance, _mails: Any, wording: Wording) -> Found:
    found = session.execute(
        select(Incident.element_id, Incident.cause, Incident.message_zh, Incident.message_en).where(
            Incident.instance_id == instance.id, Incident.resolved_at.is_(None)
        )
    ).all()
    named = sorted(str(element_id) for element_id, *_ in found)
    causes = sorted(cause for _, cause, *_ in found)
    wanted = sorted(expected or [])
    if wanted in (named, causes):
        return
    if not found:
        yield Problem(
            f"{wording.elements(wanted)}应当出异常，实际没有。",
            f"There should be an incident at {wording.elements(wanted)}, and there is none.",
            str(wanted[0]),
        )
    for element_id, _cause, zh, en in found:
        name = wording.element(element_id)
        yield Problem(
            f"“{name}”出了异常：{zh}请检查这一环节的设置，或它读取的数据。",
            f"There is an incident at “{name}”: {en} Look at its settings and at the data it reads.",
            element_id,
        )


def _parties(session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    found = dict(
        session.execute(
            select(CaseParty.party, Organisation.code).join(Organisation).where(CaseParty.instance_id == instance.id)
        ).all()
    )
    for party, code in expected.items():
        yield from _differs(f"参与方 {party} ", f"The party {party}", code, found.get(party))


def _title(_session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    for _, wanted, found in _mismatches("", expected, instance.title):
        yield from _differs("案件名称", "The title of the case", wanted, found)


def _number(_session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    for _, wanted, found in _mismatches("", expected, instance.number):
        yield from _differs("案号", "The number of the case", wanted, found)


def _due(session: Session, expected: Any, instance: Instance, _mails: Any, wording: Wording) -> Found:
    """The day in China on which an open task is due."""
    for element_id, day in expected.items():
        task = session.scalars(
            select(Task)
            .where(Task.instance_id == instance.id, Task.status == "open", Task.element_id == element_id)
            .order_by(Task.id)
        ).first()
        name, wanted = wording.element(element_id), _iso(day)
        if task is None:
            where = wording.place(session, instance.id)
            yield Problem(
                f"“{name}”应在 {wanted} 到期，实际没有这项待办；{where[0]}。",
                f"“{name}” should be due on {wanted}, but is not open; {where[1]}.",
                element_id,
            )
            continue
        found = None if task.due_at is None else clock.today(task.due_at).isoformat()
        if wanted != found:
            yield Problem(
                f"“{name}”应在 {wanted} 到期，实际{f'在 {found} 到期' if found else '没有期限'}。",
                f"“{name}” should be due on {wanted} and {f'is due on {found}' if found else 'has no deadline'}.",
                element_id,
            )


def _documents(session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    found = session.scalars(select(Document).where(Document.instance_id == instance.id)).all()
    yield from _among(("制发的文件", "documents"), expected, found, ("kind", "number", "title"))


def _bases(session: Session, expected: Any, _instance: Instance, _mails: Any, _wording: Wording) -> Found:
    yield from _among(
        ("名录中的基地", "bases"), expected, session.scalars(select(Base)).all(), ("name", "type", "status")
    )


def _mails(_session: Session, expected: Any, _instance: Instance, mails: list[EmailMessage], _: Any) -> Found:
    sent = [_mail(message) for message in mails]
    yield from _sent(("邮件", "mail"), expected, sent, ("to", "subject"))


def _mail(message: EmailMessage) -> dict[str, str]:
    body = message.get_body(("plain",))
    return {
        "to": str(message["To"]),
        "subject": str(message["Subject"]),
        "text": body.get_content() if body is not None else "",
    }


def _notifications(session: Session, expected: Any, instance: Instance, _mails: Any, _wording: Wording) -> Found:
    found = session.execute(
        select(User.username, Notification.text_zh)
        .join(User, User.id == Notification.user_id)
        .where(Notification.instance_id == instance.id)
    ).all()
    sent = [{"to": username, "text": text} for username, text in found]
    yield from _sent(("通知", "notification"), expected, sent, ("to", "text"))


def _sent(what: tuple[str, str], expected: Any, sent: list[dict[str, str]], names: Sequence[str]) -> Found:
    for wanted in expected or []:
        if not any(_is(wanted, one) for one in sent):
            there = "；".join("：".join(one[name] for name in names) for one in sent) or "（无）"
            there = there if len(there) <= LONGEST else there[:LONGEST] + "…"
            yield Problem(
                f"应发出{what[0]}“{shown(wanted)}”，实际没有；实际发出的是：{there}。",
                f"There should be a {what[1]} “{shown(wanted)}”, and there is none; sent were: {there}.",
            )


def _rows(session: Session, expected: Any, _instance: Instance, _mails: Any, _wording: Wording) -> Found:
    """How many rows a table holds: ``{ban: 1}``."""
    tables = Model.metadata.tables
    for table, count in expected.items():
        if table not in tables:
            yield Problem(f"登记里没有“{table}”表。", f"There is no table “{table}”.")
            continue
        found = session.scalar(select(func.count()).select_from(tables[table]))
        if found != count:
            yield Problem(
                f"登记表“{table}”应有 {count} 行，实际有 {found} 行。",
                f"The table “{table}” should hold {count} rows and holds {found}.",
            )


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


def _among(what: tuple[str, str], expected: Any, rows: Any, names: Sequence[str]) -> Found:
    """As many rows as are expected, and each expectation met by one."""
    found = [{column.key: getattr(row, column.key) for column in inspect(type(row)).columns} for row in rows]
    there = "；".join(" ".join(str(one[name]) for name in names) for one in found) or "（无）"
    if len(expected or []) != len(found):
        yield Problem(
            f"{what[0]}应有 {len(expected or [])} 个，实际有 {len(found)} 个：{there}。",
            f"There should be {len(expected or [])} {what[1]} and there are {len(found)}: {there}.",
        )
    for wanted in expected or []:
        if not any(_is(wanted, row) for row in found):
            yield Problem(
                f"{what[0]}中应有“{shown(wanted)}”，实际没有；实际是：{there}。",
                f"None of the {what[1]} is like “{shown(wanted)}”; there are: {there}.",
            )


def _is(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return all(not list(_mismatches(name, value, found.get(name))) for name, value in wanted.items())


def _mismatches(name: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Where a value differs: equal – or, for ``~ text``, containing the text; contexts by the names expected."""
    if isinstance(expected, str) and expected.startswith("~"):
        if expected[1:].strip() not in str(found):
            yield name, f"…{expected[1:].strip()}…", found
    elif isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key, value in expected.items():
            yield from _mismatches(f"{name}.{key}", value, found.get(key))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (value, one) in enumerate(zip(expected, found, strict=True)):
            yield from _mismatches(f"{name}[{number + 1}]", value, one)
    elif _iso(expected) != _iso(found):
        yield name, _iso(expected), _iso(found)


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
