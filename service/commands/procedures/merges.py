"""What was published since a working copy was begun, and taking it over into the copy, file by file."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine, errors
from service.models import Deployment, DeploymentFile, ProcessDefinition, User, WorkingCopy

from . import workshop


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge took over, and the files that both sides had changed (ours were kept)."""

    taken: list[str]
    conflicts: list[str]
    version: int


def merge(session: Session, copy_id: int, *, user: User) -> Merged:
    """Take over into a working copy what was published since it was begun, file by file."""
    copy = workshop.take(session, copy_id, user=user)
    newer = overtaken_by(session, copy)
    if newer is None:
        raise errors.Conflict(
            "没有更新的版本可以合并。", "There is no newer version to merge.", code="nothing_to_merge"
        )
    base = _files_of(session, copy.deployment_id)
    theirs, ours = _files_of(session, newer.id), workshop.files(session, copy)
    merged, taken, conflicts = dict(ours), [], []
    for path in sorted(set(base) | set(theirs)):
        if theirs.get(path) == base.get(path) or theirs.get(path) == ours.get(path):
            continue
        if ours.get(path) != base.get(path):
            conflicts.append(path)
            continue
        taken.append(path)
        if path in theirs:
            merged[path] = theirs[path]
        else:
            merged.pop(path, None)
    copy.deployment_id = newer.id
    workshop.replace_all(session, copy_id, merged, user=user, comment=f"合并第 {newer.version} 版", kind="merge")
    return Merged(taken, conflicts, newer.version)


def _files_of(session: Session, deployment_id: int | None) -> dict[str, bytes]:
    if deployment_id is None:
        return {}
    rows = session.execute(
        select(DeploymentFile.path, DeploymentFile.content).where(DeploymentFile.deployment_id == deployment_id)
    )
    return dict(rows.all())


def overtaken_by(session: Session, copy: WorkingCopy) -> Deployment | None:
    """The deployment that came into force since the working copy was begun, if there is one."""
    query = (
        select(Deployment)
        .join(ProcessDefinition, ProcessDefinition.deployment_id == Deployment.id)
        .where(Deployment.authority_id == copy.authority_id, ProcessDefinition.latest)
        .order_by(Deployment.version.desc())
        .limit(1)
    )
    if copy.deployment_id is not None:
        known = select(ProcessDefinition.process_id).where(ProcessDefinition.deployment_id == copy.deployment_id)
        query = query.where(Deployment.id != copy.deployment_id, ProcessDefinition.process_id.in_(known))
    else:
        processes = list(engine.read_contents(workshop.files(session, copy)).processes)
        query = query.where(Deployment.created_at > copy.created_at, ProcessDefinition.process_id.in_(processes))
    return session.scalar(query)
