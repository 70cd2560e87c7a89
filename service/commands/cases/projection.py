"""Rows follow the step: whatever people, workers and senders look at is written in the transaction of the step.

``save`` compares the waits that a step leaves with the rows that are there and writes only the difference. One
statement reads all that the database knows; after it comes at most one statement for each kind of row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service import engine
from service.engine import feel
from service.models import FIXED_PARTIES, CaseParty, Correlation, Event, Instance, PublishedMessage, Task

from . import duties, jobrows, jobs, knowledge, related, search
from .difference import NOBODY, Acted, Difference, separated, table_of
from .knowledge import Known
from .offers import Directory


def save(session: Session, instance: Instance, step: engine.Step, *, acted: Acted, now: datetime) -> None:
    """Write what the step changed. The instance must be locked; its version grows by one."""
    parties = _named_parties(step.events)
    people = [wait for wait in step.waits if isinstance(wait, engine.UserWait)]
    known = knowledge.of_case(session, instance, people, parties, now)
    if acted.task is not None:
        _hand_in(acted.task, acted, now)
        session.flush()
    directory = Directory(known)
    _join_parties(session, instance, parties, directory)
    difference = Difference(session, instance, acted, known, now, _to_offer_again(known, acted, parties))
    difference.close(step)
    facts = [*acted.facts, *step.events, *difference.open(step, directory)]
    renamed = related.follow(session, instance, step, facts, now)
    if renamed or any(separated(step.run.bundle, wait) is not None for wait in people):
        duties.refresh(session, instance.id)
        duties.withdraw(session, instance)
    _record(session, instance, facts, acted, now)
    instance.status = _status(step, difference.troubled)
    if step.ended:
        _end(session, instance, step, now)
    title, instance.title = instance.title, _title(instance, step, now)
    found = [*difference.opened, *_found(acted)]
    search.follow(session, instance, found, step.run.instance.data, whole=bool(parties) or title != instance.title)
    instance.state = engine.dump(step.run)
    instance.updated_at = now
    session.flush()


def _hand_in(task: Task, acted: Acted, now: datetime) -> None:
    task.status = "completed"
    if task.assignee_id is None:
        task.assignee_id, task.claimed_at = acted.user_id, now
    task.completed_at = now
    task.completed_by_id = acted.user_id
    task.submitted = dict(acted.values or {})


def _found(acted: Acted) -> list[search.Found]:
    task = acted.task
    return [search.Found(task.id, task.element_id, task.process_id, task.name, task.submitted)] if task else []


def _to_offer_again(known: Iterable[Known], acted: Acted, parties: Mapping[str, str]) -> set[int]:
    """The tokens whose tasks somebody asked to offer anew, or that waited for a party that now has a name."""
    again = {acted.offer_again} if acted.offer_again is not None else set()
    if parties:
        again |= {row.token for row in known if row.kind == "incident" and row.a in NOBODY and row.token is not None}
    return again


def _named_parties(events: Iterable[engine.Happened]) -> dict[str, str]:
    """The organisations (codes) that a step has named as parties of the case."""
    named: dict[str, str] = {}
    for happened in events:
        parties = happened.data.get("parties") if happened.kind == "variables" else None
        if isinstance(parties, Mapping):
            named.update({party: code for party, code in parties.items() if isinstance(code, str) and code})
    return named


def _join_parties(session: Session, instance: Instance, parties: Mapping[str, str], directory: Directory) -> None:
    """Make the organisations that the step has named parties of the case, so that they see it."""
    for party, code in parties.items():
        organisation_id = directory.organisations.get(code)
        if party in FIXED_PARTIES or organisation_id is None or directory.parties.get(party) == organisation_id:
            continue
        session.merge(CaseParty(instance_id=instance.id, party=party, organisation_id=organisation_id))
        directory.parties[party] = organisation_id


def _record(
    session: Session, instance: Instance, facts: Sequence[engine.Happened], acted: Acted, now: datetime
) -> None:
    """Append to the history, in the order in which it came about."""
    people = {id(fact) for fact in acted.facts}
    # A worker knows its element by its id; the engine, which leaves it in the same step, knows its name.
    names = {(fact.process_id, fact.element_id): fact.element_name for fact in facts if fact.element_name}
    rows = [
        {
            "authority_id": instance.authority_id,
            "instance_id": instance.id,
            "at": now,
            "kind": fact.kind,
            "process_id": fact.process_id,
            "element_id": fact.element_id,
            "element_name": fact.element_name or names.get((fact.process_id, fact.element_id), ""),
            "token": fact.token,
            "task_id": acted.task.id if acted.task is not None and id(fact) in people else None,
            "user_id": acted.user_id if id(fact) in people else None,
            "data": {**fact.data, "path": list(fact.path)} if fact.path else dict(fact.data),
        }
        for fact in facts
    ]
    if rows:
        session.execute(insert(table_of(Event)), rows)


def _status(step: engine.Step, troubled: bool) -> Any:
    if step.ended:
        ended = _ending(step)
        return "terminated" if ended is not None and ended.data.get("cancelled") else "completed"
    return "incident" if troubled else "active"


def _ending(step: engine.Step) -> engine.Happened | None:
    """How the case itself ended, not a process it called."""
    return next((fact for fact in reversed(step.events) if fact.kind == "ended" and not fact.path), None)


def _end(session: Session, instance: Instance, step: engine.Step, now: datetime) -> None:
    instance.ended_at = now
    ended = _ending(step)
    instance.end_event = ended.data.get("end_event") if ended is not None else None
    _next_in_line(session, instance, now)


def _next_in_line(session: Session, instance: Instance, now: datetime) -> None:
    """A case that a keyed message had started makes room: the next message of that key may start one."""
    if instance.definition.start_events and not any(s["kind"] == "message" for s in instance.definition.start_events):
        return
    began = (
        select(PublishedMessage.name, PublishedMessage.key)
        .join(Correlation, Correlation.message_id == PublishedMessage.id)
        .where(Correlation.instance_id == instance.id, Correlation.token.is_(None), PublishedMessage.key.is_not(None))
        .subquery()
    )
    waiting = session.scalars(
        select(PublishedMessage.id)
        .join(began, (began.c.name == PublishedMessage.name) & (began.c.key == PublishedMessage.key))
        .where(
            PublishedMessage.authority_id == instance.authority_id,
            PublishedMessage.expires_at > now,
            ~select(Correlation.message_id)
            .where(Correlation.message_id == PublishedMessage.id, Correlation.process_id == instance.process_id)
            .exists(),
        )
        .order_by(PublishedMessage.id)
    ).all()
    if waiting:
        jobs.enqueue(session, [jobrows.for_published(instance, message_id, now) for message_id in waiting])


def _title(instance: Instance, step: engine.Step, now: datetime) -> str:
    """What people call the case: the ``title`` of the process, followed as its variables change."""
    expression = instance.definition.properties.get("title")
    if not expression:
        return instance.title or instance.definition.name
    text = expression.strip().removeprefix("=")
    names = feel.names(text)
    changed = {name for fact in step.events if fact.kind == "variables" for name in fact.data}
    if instance.title and not (names & changed):
        return instance.title
    seen = engine.visible(step.run)
    try:
        title = feel.evaluate(text, {name: seen[name] for name in names if name in seen}, now=now)
    except feel.FeelError:
        title = None
    return title if isinstance(title, str) and title else (instance.title or instance.definition.name)


__all__ = ["NOBODY", "Acted", "save"]
