"""What somebody sees of a rehearsal: where it stands, what can be done by whom, what came of it – as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, engine, permissions
from service.commands.cases import instances, messages
from service.commands.inbox import task_forms
from service.commands.procedures import deployments
from service.models import (
    Event,
    Incident,
    Instance,
    Job,
    Membership,
    Model,
    Notification,
    Organisation,
    ProcessDefinition,
    Role,
    Subscription,
    Task,
    User,
)
from service.models.register import Base, Document
from service.queries import progress

from . import cast
from .outcomes import Failed
from .playing import Play

MOST = 200
"""So many of a kind are shown."""
LARGEST = 400_000
"""Bytes of variables that are shown; a case that knows more is shown by its names."""


def look(play: Play, log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole of it."""
    with play.transaction() as session:
        eyes = _Eyes(session)
        cases = session.scalars(select(Instance).order_by(Instance.id).limit(MOST)).all()
        return {
            "now": clock.now().isoformat(),
            "profile": play.scenario.profile,
            "cases": [_case(session, eyes, one) for one in cases],
            "tasks": _tasks(play, session, eyes),
            "timers": _timers(session, eyes),
            "messages": [one for case in cases for one in _messages(session, eyes, case)],
            "incidents": _incidents(session, eyes),
            "starts": _starts(session, eyes, play.scenario.process),
            "effects": _effects(play, session, eyes),
            "log": list(log),
        }


class _Eyes:
    """Names for what rows refer to."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.admin = session.scalars(select(User).where(User.username == cast.ADMIN)).one()
        self.roles = {one.code: one for one in session.scalars(select(Role))}
        self.users = {one.id: one for one in session.scalars(select(User))}
        self._bundles: dict[int, engine.Bundle] = {}

    def person(self, user: User) -> dict[str, Any]:
        """Who it is: the name to act under, the person's name, and where they sit."""
        held = permissions.held(user)
        first = held[0] if held else None
        role = self.roles.get(first.role) if first else None
        return {
            "username": user.username,
            "name": user.name,
            "organisation": first.organisation.name if first else "",
            "role_zh": role.name_zh if role else user.name,
            "role_en": role.name_en if role else user.name,
        }

    def node(self, instance: Instance, process_id: str | None, element_id: str | None) -> engine.model.Node | None:
        """The element a row is about."""
        if instance.deployment_id not in self._bundles:
            self._bundles[instance.deployment_id] = deployments.bundle(self.session, instance.deployment_id)
        bundle = self._bundles[instance.deployment_id]
        return bundle.node(process_id or instance.process_id, element_id or "")

    def label(self, instance: Instance, process_id: str | None, element_id: str | None) -> str:
        """What the diagram calls it."""
        node = self.node(instance, process_id, element_id)
        return node.label if node else (element_id or "")


def _case(session: Session, eyes: _Eyes, case: Instance) -> dict[str, Any]:
    end = eyes.node(case, None, case.end_event) if case.end_event else None
    known = engine.visible(instances.load(session, case))
    if len(orjson.dumps(known, default=str)) > LARGEST:
        known = dict.fromkeys(known, "…")
    return {
        "id": case.id,
        "process": case.process_id,
        "name": case.definition.name,
        "number": case.number,
        "title": case.title,
        "status": case.status,
        "ended": case.ended_at.isoformat() if case.ended_at else None,
        "end_event": case.end_event,
        "end_label": end.label if end else "",
        "end_text": end.documentation if end else "",
        "variables": known,
        "diagrams": [
            {"process": one.process_id, "name": one.name, "marks": _marks(one)}
            for one in progress.progress(session, eyes.admin, case.id) or []
        ],
    }


def _marks(step: progress.Progress) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    for element, state in step.elements.items():
        marks["incidents" if state == "incident" else state].append(element)
    marks["flows"] = list(step.flows)
    return marks


def _tasks(play: Play, session: Session, eyes: _Eyes) -> list[dict[str, Any]]:
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    rows = session.scalars(select(Task).where(Task.status == "open").order_by(Task.id).limit(MOST))
    for task in rows:
        try:
            person = play.performer(session, task, None)
        except Failed:
            continue
        key = (task.instance_id, task.element_id, person.username)
        if key in found:
            # The scenario's step names element and person; of two alike the first is meant.
            found[key]["count"] += 1
            continue
        role = eyes.roles.get(task.role or "")
        found[key] = {
            "id": task.id,
            "element": task.element_id,
            "name": task.name,
            "process": task.process_id,
            "case": task.instance.process_id,
            "instance": task.instance_id,
            "documentation": task.documentation,
            "form": task.form_id,
            "due": task.due_at.isoformat() if task.due_at else None,
            "count": 1,
            "by": eyes.person(person),
            "role": task.role,
            "role_zh": role.name_zh if role else eyes.person(person)["role_zh"],
            "role_en": role.name_en if role else eyes.person(person)["role_en"],
        }
    return list(found.values())


def _timers(session: Session, eyes: _Eyes) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Job)
        .where(Job.status == "queued", Job.kind.in_(("timer", "start")), Job.due_at > clock.now())
        .order_by(Job.due_at, Job.id)
        .limit(MOST)
    )
    return [
        {
            "due": job.due_at.isoformat(),
            "element": job.element_id,
            "label": eyes.label(job.instance, job.process_id, job.element_id) if job.instance else "",
            "process": job.process_id,
        }
        for job in rows
    ]


def _messages(session: Session, eyes: _Eyes, case: Instance) -> list[dict[str, Any]]:
    """What the case waits to hear: who may say it with which form, or that a program says it."""
    awaited = session.scalars(select(Subscription).where(Subscription.instance_id == case.id).limit(MOST)).all()
    if not awaited or case.ended_at is not None:
        return []
    offered: dict[str, dict[str, Any]] = {}
    for user in [*eyes.users.values(), None]:
        for name, label, form_id in messages.sendable(session, case, user):
            one = offered.setdefault(name, {"name": name, "label": label, "form": form_id, "by": []})
            if user is not None:
                one["by"].append(eyes.person(user))
            elif not one["by"]:
                one["by"].append({"username": messages.PUBLIC, "name": "公众", "role_zh": "公众", "role_en": "public"})
    found = [{**one, "case": case.process_id, "key": None} for one in offered.values()]
    for heard in awaited:
        if heard.name not in offered:
            label = eyes.label(case, heard.process_id, heard.element_id)
            found.append(
                {"name": heard.name, "label": label, "form": None, "by": [], "key": heard.key, "case": case.process_id}
            )
    return found


def _incidents(session: Session, eyes: _Eyes) -> list[dict[str, Any]]:
    rows = session.scalars(select(Incident).where(Incident.resolved_at.is_(None)).order_by(Incident.id).limit(MOST))
    return [
        {
            "element": one.element_id,
            "label": eyes.label(one.instance, one.process_id, one.element_id),
            "process": one.process_id,
            "case": one.instance.process_id,
            "cause": one.cause,
            "zh": one.message_zh,
            "en": one.message_en,
        }
        for one in rows
    ]


def _starts(session: Session, eyes: _Eyes, process_id: str) -> list[dict[str, Any]]:
    """The ways into the process itself."""
    definition = session.scalar(
        select(ProcessDefinition).where(ProcessDefinition.process_id == process_id, ProcessDefinition.latest)
    )
    if definition is None:
        return []
    people = list(
        session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.role.in_(definition.starters or [cast.ADMIN]))
            .distinct()
            .order_by(User.id)
            .limit(20)
        )
    )
    return [
        {
            "kind": start["kind"],
            "form": start.get("form_id"),
            "message": start.get("message_name"),
            "name": definition.name,
            "documentation": definition.documentation,
            "by": [eyes.person(one) for one in people],
        }
        for start in definition.start_events
    ]


def _effects(play: Play, session: Session, eyes: _Eyes) -> list[dict[str, Any]]:
    """What would have reached people and registers, oldest first. Nothing of it has left the rehearsal."""
    found: list[dict[str, Any]] = []
    notes = session.execute(
        select(Notification.created_at, Notification.user_id, Notification.text_zh, Notification.text_en)
        .order_by(Notification.id.desc())
        .limit(MOST)
    )
    for at, user_id, zh, en in notes:
        found.append({"kind": "notification", "at": at.isoformat(), "to": _name(eyes, user_id), "zh": zh, "en": en})
    for document in session.scalars(select(Document).order_by(Document.id.desc()).limit(MOST)):
        text = f"{document.number} {document.title}".strip()
        moment = f"{document.issued_on.isoformat()}T00:00:00+08:00"
        found.append({"kind": "document", "at": moment, "to": "", "zh": text, "en": text})
    for mail in play.mails()[-MOST:]:
        subject = str(mail["Subject"])
        found.append({"kind": "mail", "at": None, "to": str(mail["To"]), "zh": subject, "en": subject})
    for event in session.scalars(select(Event).where(Event.kind == "worked").order_by(Event.id.desc()).limit(MOST)):
        case = session.get(Instance, event.instance_id)
        text = eyes.label(case, event.process_id, event.element_id) if case else (event.element_id or "")
        topic = event.data.get("topic", "")
        found.append({"kind": "job", "at": event.at.isoformat(), "to": topic, "zh": text, "en": text})
    for table in _register():
        rows = session.scalar(select(func.count()).select_from(table)) or 0
        new = rows - play.rows_before.get(table.name, 0)
        if new:
            found.append({"kind": "row", "at": None, "to": table.name, "zh": f"{new:+d}", "en": f"{new:+d}"})
    return sorted(found, key=lambda one: (one["at"] is None, one["at"] or ""))


def _name(eyes: _Eyes, user_id: int) -> str:
    user = eyes.users.get(user_id)
    return user.name if user is not None else ""


def _register() -> list[Any]:
    """The tables of the register."""
    return [
        mapper.local_table
        for mapper in Model.registry.mappers
        if mapper.class_.__module__ == Base.__module__ and mapper.local_table.name not in ("expert", "document_issuer")  # type: ignore[attr-defined]
    ]


def form_of(play: Play, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form of a task, a start or a message. None: it has none. Raises NotFound."""
    with play.transaction() as session:
        kind = wanted["kind"]
        if kind == "task":
            task = session.get_one(Task, wanted["id"])
            person = play.performer(session, task, wanted.get("by"))
            form = task_forms.of_task(session, task.id, user=person)
        elif kind == "start":
            person = play.person(session, wanted["by"])
            process_id = wanted.get("process") or play.scenario.process
            definition = deployments.latest(session, process_id, authority_id=person.authority_id)
            form = task_forms.of_start(session, definition, user=person)
        else:
            by = wanted["by"]
            if by == messages.PUBLIC:
                return None
            case = session.scalar(select(func.max(Instance.id)).where(Instance.process_id == wanted["case"]))
            _label, form = task_forms.of_message(session, case or 0, wanted["name"], user=play.person(session, by))
    if form is None:
        return None
    return {"id": form.form_id, "schema": form.schema, "values": form.values, "hash": form.hash}


def describe(play: Play, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a step is, in parts: its verb, the name of what it is done to, and who does it."""
    verb = next((name for name in raw if name not in ("in", "note", "by", "data", "each", "key")), "")
    target = raw.get(verb)
    words = str(target) if isinstance(target, str | int | float) else ""
    with play.transaction() as session:
        by = raw.get("by")
        person = session.scalar(select(User).where(User.username == by)) if isinstance(by, str) else None
        who = ""
        if person is not None:
            held = permissions.held(person)
            organisation = session.get(Organisation, held[0].organisation_id) if held else None
            who = f"{organisation.name} · {person.name}" if organisation else person.name
        if verb in ("do", "claim", "release", "retry"):
            name = session.scalar(select(Task.name).where(Task.element_id == words).limit(1))
            words = name or words
        if verb == "begin":
            name = session.scalar(select(ProcessDefinition.name).where(ProcessDefinition.process_id == words).limit(1))
            words = name or words
    return {"verb": verb, "target": words, "by": who or (by if isinstance(by, str) else "")}


__all__ = ["describe", "form_of", "look"]
