"""Rows of cases without an engine behind them, for tests of what is read from rows."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.commands.cases import search
from service.models import (
    CaseParty,
    Deployment,
    DeploymentFile,
    Event,
    Incident,
    Instance,
    Organisation,
    ProcessDefinition,
    Task,
    TaskCandidate,
    User,
)

_numbers = itertools.count(1)


def definition(session: Session, authority_id: int, process_id: str = "demo", **facts: Any) -> ProcessDefinition:
    """A process in service."""
    number = next(_numbers)
    deployment = Deployment(
        authority_id=authority_id, bundle_hash=f"hash-{number}", version=number, created_at=clock.now()
    )
    path = f"{process_id}.bpmn"
    deployment.files = [DeploymentFile(path=path, content=f"<bpmn {process_id}>".encode())]
    facts = {"version": 1, "latest": True, "name": process_id.title(), **facts}
    made = ProcessDefinition(authority_id=authority_id, process_id=process_id, path=path, **facts)
    deployment.definitions = [made]
    session.add(deployment)
    session.flush()
    return made


def instance(
    session: Session, of: ProcessDefinition, parties: dict[str, Organisation] | None = None, **facts: Any
) -> Instance:
    """A case with its parties."""
    now = clock.now()
    number = next(_numbers)
    facts = {"number": f"T-{number:06}", "title": f"Case {number}", "started_at": now, "updated_at": now, **facts}
    made = Instance(
        authority_id=of.authority_id,
        definition_id=of.id,
        deployment_id=of.deployment_id,
        process_id=of.process_id,
        parties=[CaseParty(party=party, organisation_id=one.id) for party, one in (parties or {}).items()],
        **facts,
    )
    session.add(made)
    session.flush()
    return made


def task(
    session: Session,
    case: Instance,
    *,
    groups: list[tuple[Organisation, str]] | None = None,
    users: list[User] | None = None,
    due_at: datetime | None = None,
    **facts: Any,
) -> Task:
    """A task offered to roles in organisations and to people, as the projection writes it."""
    groups, users = groups or [], users or []
    number = next(_numbers)
    facts = {"element_id": f"step_{number}", "name": f"Step {number}", "created_at": clock.now(), **facts}
    made = Task(
        authority_id=case.authority_id,
        instance_id=case.id,
        process_id=case.process_id,
        token=number,
        due_at=due_at,
        organisation_id=groups[0][0].id if groups else None,
        role=groups[0][1] if groups else None,
        **facts,
    )
    if made.status in (None, "open"):
        offers = [{"organisation_id": one.id, "role": role} for one, role in groups] + [
            {"user_id": one.id} for one in users
        ]
        made.candidates = [
            TaskCandidate(**offer, claimed=made.assignee_id is not None, due_sort=made.due_sort) for offer in offers
        ]
    session.add(made)
    session.flush()
    found = search.Found(made.id, made.element_id, made.process_id, made.name, made.submitted)
    search.follow(session, case, [found], {}, whole=False)
    return made


def event(session: Session, case: Instance, kind: str, element_id: str | None = None, **facts: Any) -> Event:
    """A line of history."""
    facts = {"process_id": case.process_id, "at": clock.now(), **facts}
    made = Event(authority_id=case.authority_id, instance_id=case.id, kind=kind, element_id=element_id, **facts)
    session.add(made)
    session.flush()
    return made


def incident(session: Session, case: Instance, cause: str = "job_failed", **facts: Any) -> Incident:
    """Something nobody moves."""
    facts = {"message_zh": "出错了。", "message_en": "Broken.", "created_at": clock.now(), **facts}
    made = Incident(authority_id=case.authority_id, instance_id=case.id, cause=cause, **facts)
    session.add(made)
    session.flush()
    return made
