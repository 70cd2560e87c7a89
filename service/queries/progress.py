"""Where a case stands on its diagrams: what is done, what is going on, which way it came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import permissions, wording
from ..models import DeploymentFile, Event, Incident, Instance, ProcessDefinition, User

State = Literal["active", "done", "cancelled", "incident"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a case stands on one diagram: the state of each element seen so far, and how often flows were taken."""

    process_id: str
    name: str
    elements: dict[str, State]
    counts: dict[str, int]
    flows: dict[str, int]


def progress(session: Session, user: User, instance_id: int) -> list[Progress] | None:
    """Return where a case stands on each of its diagrams, its own first; None where the user may not see it."""
    found = session.execute(
        select(Instance.process_id, Instance.deployment_id).where(
            Instance.id == instance_id, permissions.instances_seen_by(user)
        )
    ).one_or_none()
    if found is None:
        return None
    own, deployment_id = found
    seen: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    counting = (
        select(Event.process_id, Event.element_id, Event.kind, func.count())
        .where(Event.instance_id == instance_id, Event.kind.in_(("entered", "left", "cancelled", "flow")))
        .group_by(Event.process_id, Event.element_id, Event.kind)
    )
    for process_id, element_id, kind, count in session.execute(counting):
        seen[process_id or own][element_id or ""][kind] += count
    for process_id, element_id in _troubled(session, instance_id):
        seen[process_id][element_id]["incident"] += 1
    names = {
        process_id: wording.text(session, deployment_id, process_id, name)
        for process_id, name in _names(session, deployment_id, {own, *seen})
    }
    diagrams = sorted(seen, key=lambda process_id: (process_id != own, process_id))
    return [_progress(process_id, names.get(process_id, process_id), seen[process_id]) for process_id in diagrams]


def _troubled(session: Session, instance_id: int) -> Sequence[Any]:
    query = select(Incident.process_id, Incident.element_id).where(
        Incident.instance_id == instance_id, Incident.resolved_at.is_(None), Incident.element_id.is_not(None)
    )
    return session.execute(query).all()


def _names(session: Session, deployment_id: int, process_ids: Collection[str]) -> Sequence[Any]:
    query = select(ProcessDefinition.process_id, ProcessDefinition.name).where(
        ProcessDefinition.deployment_id == deployment_id, ProcessDefinition.process_id.in_(sorted(process_ids))
    )
    return session.execute(query).all()


def _progress(process_id: str, name: str, seen: dict[str, dict[str, int]]) -> Progress:
    elements: dict[str, State] = {}
    counts: dict[str, int] = {}
    flows: dict[str, int] = {}
    for element_id, times in seen.items():
        if times["flow"]:
            flows[element_id] = times["flow"]
            continue
        counts[element_id] = times["entered"]
        if times["incident"]:
            elements[element_id] = "incident"
        elif times["entered"] > times["left"] + times["cancelled"]:
            elements[element_id] = "active"
        else:
            elements[element_id] = "done" if times["left"] else "cancelled"
    return Progress(process_id=process_id, name=name, elements=elements, counts=counts, flows=flows)


def diagram(session: Session, user: User, instance_id: int, process_id: str) -> bytes | None:
    """Return the diagram of a process as this case runs it: of its own bundle, not of the newest."""
    query = (
        select(DeploymentFile.content)
        .join(ProcessDefinition, ProcessDefinition.deployment_id == DeploymentFile.deployment_id)
        .join(Instance, Instance.deployment_id == ProcessDefinition.deployment_id)
        .where(
            Instance.id == instance_id,
            ProcessDefinition.process_id == process_id,
            DeploymentFile.path == ProcessDefinition.path,
            permissions.instances_seen_by(user),
        )
    )
    return session.scalar(query)
