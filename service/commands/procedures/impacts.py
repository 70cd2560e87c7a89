"""What publishing would mean for every running case, before anybody clicks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.engine import compare, impact
from service.models import Deployment, Instance, Role, User

from . import deployments, workshop

CHUNK = 2000
SHOWN = 50
RUNNING = ("active", "incident", "suspended")

Names = Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class Group:
    """Cases of one deployment that rest at the same kind of place and fare alike."""

    key: str
    deployment_id: int
    version: int
    process_id: str
    process_name: str
    at: tuple[str, ...]
    verdict: impact.Verdict
    ids: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.verdict.kind


@dataclass(slots=True)
class Impact:
    """The report: how many cases of each kind, and the groups they form."""

    counts: dict[str, int]
    groups: list[Group]
    total: int

    def of(self, kind: str) -> list[Group]:
        """The groups of a kind, the largest first."""
        return [group for group in self.groups if group.kind == kind]


def words(session: Session) -> compare.Words:
    """The names of roles, for sentences about changes."""
    rows = session.execute(select(Role.code, Role.name_zh, Role.name_en)).all()
    return compare.Words({code: zh for code, zh, _ in rows}, {code: en for code, _, en in rows})


def report(
    session: Session,
    files: Mapping[str, bytes],
    *,
    user: User,
    names: Mapping[int, Names] | None = None,
    only: Collection[int] | None = None,
) -> Impact:
    """Judge every running case against the files. ``names`` says, by deployment, what elements become.

    The files have to be a bundle without errors; ``only`` looks at these deployments alone.
    """
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden()
    new = engine.load_bundle(files)
    groups: dict[tuple[int, str, tuple[Any, ...]], Group] = {}
    judges: dict[int, impact.Judge | None] = {}
    versions = dict(
        session.execute(
            select(Deployment.id, Deployment.version).where(Deployment.authority_id == user.authority_id)
        ).all()
    )
    now, spoken, total = clock.now(), words(session), 0
    for instance_id, number, deployment_id, process_id, state in _running(session, user.authority_id, only):
        total += 1
        if deployment_id not in judges:
            judges[deployment_id] = _judge(session, deployment_id, new, spoken, (names or {}).get(deployment_id))
        judge = judges[deployment_id]
        if judge is None:
            continue
        places = impact.where(state)
        group = groups.get((deployment_id, process_id, places))
        if group is None:
            group = groups[deployment_id, process_id, places] = Group(
                key=_key(deployment_id, process_id, places),
                deployment_id=deployment_id,
                version=versions.get(deployment_id, 0),
                process_id=process_id,
                process_name=judge.old.models[process_id].label,
                at=_labels(judge.old, places),
                verdict=judge.verdict(state, now=now),
            )
        group.ids.append(instance_id)
        if len(group.numbers) < SHOWN:
            group.numbers.append(number)
    found = sorted(groups.values(), key=lambda group: (impact.KINDS.index(group.verdict.kind), -len(group.ids)))
    counts: dict[str, int] = dict.fromkeys(impact.KINDS, 0)
    for group in found:
        counts[group.kind] += len(group.ids)
    return Impact(counts, found, total)


def of_copy(session: Session, copy_id: int, *, user: User, names: Mapping[int, Names] | None = None) -> Impact:
    """The report for a working copy as it is now."""
    copy = workshop.take(session, copy_id, user=user, closed=True)
    return report(session, workshop.files(session, copy), user=user, names=names)


def _running(session: Session, authority_id: int, only: Collection[int] | None) -> Any:
    """The running cases, a chunk at a time, with no more than is looked at."""
    last = 0
    while True:
        query = (
            select(Instance.id, Instance.number, Instance.deployment_id, Instance.process_id, Instance.state)
            .where(Instance.authority_id == authority_id, Instance.status.in_(RUNNING), Instance.id > last)
            .order_by(Instance.id)
            .limit(CHUNK)
        )
        if only is not None:
            query = query.where(Instance.deployment_id.in_(only))
        rows = session.execute(query).all()
        yield from rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]


def _judge(
    session: Session, deployment_id: int, new: engine.Bundle, spoken: compare.Words, names: Names | None
) -> impact.Judge:
    old = deployments.bundle(session, deployment_id)
    return impact.Judge(old, new, compare.compare(old.files, new.files, spoken), dict(names or {}))


def _labels(bundle: engine.Bundle, places: tuple[Any, ...]) -> tuple[str, ...]:
    found = []
    for scope, element_id, listens in places:
        node = bundle.node(scope.partition("#")[0], element_id)
        if node is not None and not listens and node.kind not in ("callActivity", "subProcess"):
            found.append(node.label)
    return tuple(dict.fromkeys(found))


def _key(deployment_id: int, process_id: str, places: tuple[Any, ...]) -> str:
    text = f"{deployment_id}|{process_id}|{places!r}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


__all__ = ["Group", "Impact", "of_copy", "report", "words"]
