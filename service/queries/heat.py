"""Diagrams in colour: where cases stand and for how long, which steps fail, and how one case went."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import clock, permissions, wording
from ..models import DeploymentFile, Event, Incident, Instance, ProcessDefinition, StepNorm, Task, User
from .stuck import administered

MEASURES = ("count", "age", "duration", "failure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """One element's value, and what to write beside it."""

    element_id: str
    value: float
    count: int


def heat(session: Session, user: User, process_id: str, measure: str, *, days: int = 90) -> list[Heat]:
    """Return the values of a diagram's elements: open cases, their mean age, usual duration, failures."""
    mine, now = administered(user), clock.now()
    if measure in ("count", "age"):
        rows = session.execute(
            select(Task.element_id, func.count(), func.min(Task.created_at))
            .where(Task.authority_id.in_(mine), Task.status == "open", Task.process_id == process_id)
            .group_by(Task.element_id)
        ).all()
        stuck = session.execute(
            select(Incident.element_id, func.count(), func.min(Incident.created_at))
            .where(
                Incident.authority_id.in_(mine),
                Incident.resolved_at.is_(None),
                Incident.process_id == process_id,
                Incident.task_id.is_(None),
                Incident.element_id.is_not(None),
            )
            .group_by(Incident.element_id)
        ).all()
        found: dict[str, Heat] = {}
        for row in [*rows, *stuck]:
            element, count, oldest = row[0] or "", row[1], row[2]
            before = found.get(element)
            total = count + (before.count if before else 0)
            age = (now - oldest).total_seconds()
            value = float(total) if measure == "count" else max(age, before.value if before else 0.0)
            found[element] = Heat(element_id=element, value=value, count=total)
        return sorted(found.values(), key=lambda one: -one.value)
    if measure == "duration":
        norms = session.execute(
            select(StepNorm.element_id, func.max(StepNorm.median), func.sum(StepNorm.count))
            .where(StepNorm.authority_id.in_(mine), StepNorm.process_id == process_id)
            .group_by(StepNorm.element_id)
            .order_by(func.max(StepNorm.median).desc())
        )
        return [Heat(element_id=row[0], value=float(row[1]), count=int(row[2])) for row in norms]
    failures = session.execute(
        select(Incident.element_id, func.count())
        .where(
            Incident.authority_id.in_(mine),
            Incident.process_id == process_id,
            Incident.element_id.is_not(None),
            Incident.created_at > now - timedelta(days=days),
        )
        .group_by(Incident.element_id)
        .order_by(func.count().desc())
    )
    return [Heat(element_id=row[0] or "", value=float(row[1]), count=row[1]) for row in failures]


def diagram(session: Session, user: User, process_id: str, deployment_id: int | None = None) -> bytes | None:
    """The diagram of a process: of its latest version, or of a certain deployment."""
    query = (
        select(DeploymentFile.content)
        .join(ProcessDefinition, ProcessDefinition.deployment_id == DeploymentFile.deployment_id)
        .where(
            ProcessDefinition.process_id == process_id,
            DeploymentFile.path == ProcessDefinition.path,
            ProcessDefinition.authority_id.in_(administered(user)),
        )
    )
    chosen = ProcessDefinition.deployment_id == deployment_id if deployment_id else ProcessDefinition.latest
    return session.scalar(query.where(chosen).limit(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step of a replay: when, which elements were entered, left or failed, and which flows were taken."""

    at: datetime
    label: str
    entered: list[str]
    left: list[str]
    failed: list[str]
    flows: list[str]


def replay(session: Session, user: User, instance_id: int, process_id: str, *, limit: int = 5000) -> list[Move] | None:
    """Return how a case went on one of its diagrams, transaction by transaction."""
    seen = select(Instance.deployment_id).where(Instance.id == instance_id, permissions.instances_seen_by(user))
    deployment_id = session.scalar(seen)
    if deployment_id is None:
        return None
    rows = session.execute(
        select(Event.at, Event.kind, Event.element_id, Event.element_name)
        .where(
            Event.instance_id == instance_id,
            Event.process_id == process_id,
            Event.kind.in_(("entered", "left", "cancelled", "flow", "incident")),
        )
        .order_by(Event.id)
        .limit(limit)
    ).all()
    steps: dict[datetime, dict[str, Any]] = defaultdict(lambda: defaultdict(list))
    kinds = {"entered": "entered", "left": "left", "cancelled": "left", "incident": "failed", "flow": "flows"}
    for at, kind, element, name in rows:
        steps[at][kinds[kind]].append(element)
        if name and kind == "entered":
            steps[at]["names"].append(wording.text(session, deployment_id, process_id, name))
    return [
        Move(
            at=at,
            label=(", " if wording.is_english(session) else "、").join(dict.fromkeys(step["names"])),
            entered=step["entered"],
            left=step["left"],
            failed=step["failed"],
            flows=step["flows"],
        )
        for at, step in steps.items()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A case that began this one, or that this one began."""

    id: int
    number: str
    title: str
    status: str
    process_id: str
    is_parent: bool


def relatives(session: Session, user: User, instance_id: int, *, limit: int = 50) -> list[Relative]:
    """Return the caller of a case and the cases it has begun."""
    parent = select(Instance.parent_instance_id).where(Instance.id == instance_id).scalar_subquery()
    rows = session.execute(
        select(Instance)
        .where(
            (Instance.id == parent) | (Instance.parent_instance_id == instance_id), permissions.instances_seen_by(user)
        )
        .order_by(Instance.id)
        .limit(limit)
    ).scalars()
    found = [
        Relative(
            id=one.id,
            number=one.number,
            title=one.title,
            status=one.status,
            process_id=one.process_id,
            is_parent=one.parent_instance_id != instance_id,
        )
        for one in rows
    ]
    return wording.said(session, found, "title", case="id")
