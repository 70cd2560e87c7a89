"""Processes: what I may start, what is in service, and its diagrams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from .. import permissions, wording
from ..models import Deployment, DeploymentFile, Instance, Organisation, ProcessDefinition, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Startable:
    """A process the user may start, and in whose name."""

    id: int
    process_id: str
    name: str
    version: int
    documentation: str
    deployment_id: int
    form_id: str | None
    properties: dict[str, Any]
    organisations: list[Organisation]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRow:
    """A version of a process, and how many cases run on it."""

    id: int
    process_id: str
    name: str
    version: int
    latest: bool
    version_tag: str | None
    documentation: str
    deployment_id: int
    deployed_at: datetime
    active: int


def startable(session: Session, user: User) -> list[Startable]:
    """Return the processes the user may start, by name."""
    query = select(ProcessDefinition).where(
        ProcessDefinition.latest, ProcessDefinition.authority_id.in_(sorted(_authorities(user)))
    )
    found = []
    for definition in session.scalars(query.order_by(ProcessDefinition.name, ProcessDefinition.id)):
        organisations = permissions.starting_organisations(user, definition)
        start = plain_start(definition)
        if organisations and start is not None:
            found.append(
                Startable(
                    id=definition.id,
                    process_id=definition.process_id,
                    name=definition.name,
                    version=definition.version,
                    documentation=definition.documentation,
                    deployment_id=definition.deployment_id,
                    form_id=start.get("form_id"),
                    properties=definition.properties,
                    organisations=sorted(organisations, key=lambda one: one.name),
                )
            )
    return wording.said(session, found, "name", "documentation")


def plain_start(definition: ProcessDefinition) -> dict[str, Any] | None:
    """Return the start event that a person uses, if the process has one."""
    return next((start for start in definition.start_events if start["kind"] == "none"), None)


def definitions(
    session: Session, user: User, *, process: str | None = None, latest: bool = True
) -> list[DefinitionRow]:
    """Return the processes in service in the user's authorities, by name; with ``latest=False`` all versions."""
    active = (
        select(func.count())
        .where(Instance.definition_id == ProcessDefinition.id, Instance.status.in_(("active", "incident", "suspended")))
        .scalar_subquery()
    )
    query = (
        select(ProcessDefinition, Deployment.created_at, active)
        .join(Deployment, Deployment.id == ProcessDefinition.deployment_id)
        .where(ProcessDefinition.authority_id.in_(sorted(_authorities(user))))
        .order_by(ProcessDefinition.name, ProcessDefinition.process_id, ProcessDefinition.version.desc())
    )
    if process is not None:
        query = query.where(ProcessDefinition.process_id == process)
    if latest:
        query = query.where(ProcessDefinition.latest)
    found = [
        DefinitionRow(
            id=one.id,
            process_id=one.process_id,
            name=one.name,
            version=one.version,
            latest=one.latest,
            version_tag=one.version_tag,
            documentation=one.documentation,
            deployment_id=one.deployment_id,
            deployed_at=deployed_at,
            active=count,
        )
        for one, deployed_at, count in session.execute(query)
    ]
    return wording.said(session, found, "name", "documentation")


def names(session: Session, user: User) -> list[tuple[str, str]]:
    """Return the ids and names of the processes in service in the user's authorities, for a filter."""
    query = select(ProcessDefinition.process_id, ProcessDefinition.name, ProcessDefinition.deployment_id).where(
        ProcessDefinition.latest, ProcessDefinition.authority_id.in_(sorted(_authorities(user)))
    )
    rows = session.execute(query.order_by(ProcessDefinition.name))
    return [(row[0], wording.text(session, row[2], row[0], row[1])) for row in rows]


def step_names(session: Session, user: User, steps: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of steps (process id, name) as the reader reads them, by the version in service."""
    query = select(ProcessDefinition.process_id, ProcessDefinition.deployment_id).where(
        ProcessDefinition.latest, ProcessDefinition.authority_id.in_(sorted(_authorities(user)))
    )
    deployed = {row[0]: row[1] for row in session.execute(query)}
    return [
        wording.text(session, deployed[process_id], process_id, name) if process_id in deployed else name
        for process_id, name in steps
    ]


def definition(session: Session, user: User, definition_id: int) -> ProcessDefinition | None:
    """Return one version of a process of the user's authorities."""
    query = select(ProcessDefinition).where(
        ProcessDefinition.id == definition_id, ProcessDefinition.authority_id.in_(sorted(_authorities(user)))
    )
    return session.scalar(query)


def latest(session: Session, authority_id: int, process_id: str) -> ProcessDefinition | None:
    """Return the version that new cases start on."""
    return session.scalar(
        select(ProcessDefinition).where(
            ProcessDefinition.authority_id == authority_id,
            ProcessDefinition.process_id == process_id,
            ProcessDefinition.latest,
        )
    )


def diagram(session: Session, user: User, definition_id: int) -> bytes | None:
    """Return the BPMN file of one version of a process."""
    found = definition(session, user, definition_id)
    return None if found is None else file(session, found.deployment_id, found.path)


def file(session: Session, deployment_id: int, path: str) -> bytes | None:
    """Return one file of a bundle."""
    return session.scalar(
        select(DeploymentFile.content).where(DeploymentFile.deployment_id == deployment_id, DeploymentFile.path == path)
    )


def deployments(session: Session, user: User, *, limit: int = 100) -> Sequence[Deployment]:
    """Return what the user's authorities put into service, newest first, with the processes in it."""
    query = (
        select(Deployment)
        .where(Deployment.authority_id.in_(sorted(_authorities(user))))
        .options(joinedload(Deployment.definitions))
        .order_by(Deployment.id.desc())
        .limit(limit)
    )
    return session.scalars(query).unique().all()


def _authorities(user: User) -> set[int]:
    return {one.organisation.authority_id for one in permissions.held(user)}
