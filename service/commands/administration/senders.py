"""Messages that nobody can send any more: whose token waits for one, and who might still say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from service import clock, engine
from service.commands.cases import instances
from service.commands.cases.causes import Suspicion
from service.commands.procedures import deployments
from service.engine.model import Node
from service.models import (
    Correlation,
    Incident,
    Instance,
    Job,
    ProcessDefinition,
    PublishedMessage,
    Subscription,
    Task,
)

from .liveness import RUNNING


@dataclass(frozen=True, slots=True)
class Says:
    """What the processes of a bundle throw, with what they call; ``*`` where an expression decides."""

    throws: Mapping[str, frozenset[str]]
    starts: Mapping[str, frozenset[str]]
    asked: Mapping[tuple[str, str], str]


def says(bundle: engine.Bundle) -> Says:
    """Read a bundle for messages, once."""
    return _says(_Hashed(bundle))


class _Hashed:
    """A bundle as a key of the cache."""

    def __init__(self, bundle: engine.Bundle) -> None:
        self.bundle = bundle

    def __hash__(self) -> int:
        return hash(self.bundle.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.bundle.hash == self.bundle.hash


@lru_cache(maxsize=64)
def _says(key: _Hashed) -> Says:
    models = key.bundle.models
    own: dict[str, set[str]] = {}
    calls: dict[str, set[str]] = {}
    starts: dict[str, set[str]] = {}
    asked: dict[tuple[str, str], str] = {}
    for process_id, process in models.items():
        own[process_id], calls[process_id], starts[process_id] = set(), set(), set()
        for scope, node in process.walk():
            if _throws(node) and node.event is not None:
                own[process_id].add(_name(node.event.message))
            elif node.kind == "callActivity":
                called = _name(node.called_process)
                calls[process_id] |= set(models) if called == "*" else {called}
            elif node.kind == "startEvent" and scope is process:
                kind = node.event.kind if node.event else "none"
                starts[process_id].add(_name(node.event.message) if kind == "message" and node.event else kind)
            elif node.kind in ("intermediateCatchEvent", "receiveTask") and "sender" in node.properties:
                asked[(process_id, node.id)] = node.properties["sender"]
    throws = {process_id: frozenset(_closure(process_id, own, calls)) for process_id in models}
    return Says(throws, {p: frozenset(names) for p, names in starts.items()}, asked)


def _throws(node: Node) -> bool:
    return node.kind == "sendTask" or (
        node.kind in ("intermediateThrowEvent", "endEvent") and node.event is not None and node.event.kind == "message"
    )


def _name(value: str | None) -> str:
    return "*" if value is None or value.lstrip().startswith("=") else value


def _closure(process_id: str, own: Mapping[str, set[str]], calls: Mapping[str, set[str]]) -> set[str]:
    todo, seen, found = [process_id], set(), set()
    while todo:
        one = todo.pop()
        if one in seen or one not in own:
            continue
        seen.add(one)
        found |= own[one]
        todo.extend(calls[one])
    return found


def unsendable(
    session: Session, live: Mapping[tuple[int, int, str], int], *, instance_id: int | None = None
) -> list[tuple[int, Suspicion]]:
    """Return (case, why) for each token that waits for a message which nobody can send any more.

    ``live`` counts the cases that are not over by authority, deployment and process.
    """
    waiting = session.execute(
        select(Subscription, Instance.deployment_id, Instance.authority_id)
        .join(Instance, Instance.id == Subscription.instance_id)
        .where(Instance.status.in_(RUNNING), *([Instance.id == instance_id] if instance_id is not None else []))
        .order_by(Subscription.instance_id)
    ).all()
    if not waiting:
        return []
    hall = _Hall(session, live)
    found = []
    for subscription, deployment_id, authority_id in waiting:
        bundle = hall.bundle(deployment_id)
        node = bundle.node(subscription.process_id, subscription.element_id) if bundle else None
        if bundle is None or node is None or node.kind not in ("intermediateCatchEvent", "receiveTask"):
            continue  # at the edge of something else, which has its own mover
        if (subscription.process_id, node.id) in says(bundle).asked:
            continue
        silent = hall.silent(subscription, authority_id)
        if silent is not None and not _otherwise_moved(session, subscription):
            one = Suspicion(
                "no_sender",
                token=subscription.token,
                process_id=subscription.process_id,
                element_id=subscription.element_id,
                element_name=node.name,
                data={"message": subscription.name, "key": subscription.key, **silent},
            )
            found.append((subscription.instance_id or 0, one))
    return found


class _Hall:
    """Who is there to say something."""

    def __init__(self, session: Session, live: Mapping[tuple[int, int, str], int]) -> None:
        self.session, self.live = session, live
        self._bundles: dict[int, engine.Bundle | None] = {}
        self._startable: dict[int, set[str]] = {}

    def bundle(self, deployment_id: int) -> engine.Bundle | None:
        if deployment_id not in self._bundles:
            try:
                self._bundles[deployment_id] = deployments.bundle(self.session, deployment_id)
            except Exception:  # damaged: the self-check says so elsewhere
                self._bundles[deployment_id] = None
        return self._bundles[deployment_id]

    def _says(self, deployment_id: int, process_id: str, name: str) -> bool:
        bundle = self.bundle(deployment_id)
        thrown = says(bundle).throws.get(process_id, frozenset()) if bundle else frozenset({"*"})
        return name in thrown or "*" in thrown

    def silent(self, subscription: Subscription, authority_id: int) -> dict[str, Any] | None:
        """Why nobody can send it; None where somebody can, or it is on its way."""
        name = subscription.name
        if self._on_its_way(subscription, authority_id):
            return None
        partners = self._partners(subscription.instance_id or 0, name)
        if partners:
            alive = [one for one in partners if one.ended_at is None]
            if alive:
                return None
            last = max(partners, key=lambda one: one.ended_at or one.started_at)
            return {"partner": last.number, "ended": last.ended_at.isoformat() if last.ended_at else None}
        for (authority, deployment_id, process_id), count in self.live.items():
            if authority == authority_id and self._says(deployment_id, process_id, name):
                own = self._is(subscription.instance_id or 0, deployment_id, process_id)
                if count > own or (own and self._has_other_branch(subscription)):
                    return None
        if name in self._to_come(authority_id):
            return None
        return {"partner": None, "ended": None}

    def _is(self, instance_id: int, deployment_id: int, process_id: str) -> int:
        instance = self.session.get(Instance, instance_id)
        return int(
            instance is not None and instance.deployment_id == deployment_id and instance.process_id == process_id
        )

    def _has_other_branch(self, subscription: Subscription) -> bool:
        same = Task.instance_id == subscription.instance_id
        others = (
            select(Task.id).where(same, Task.status == "open"),
            select(Job.id).where(
                Job.instance_id == subscription.instance_id,
                Job.status.in_(("queued", "running")),
                Job.token.is_not(None),
            ),
            select(Subscription.id).where(
                Subscription.instance_id == subscription.instance_id, Subscription.id != subscription.id
            ),
            select(Incident.id).where(Incident.instance_id == subscription.instance_id, Incident.resolved_at.is_(None)),
        )
        return any(self.session.scalar(query.limit(1)) is not None for query in others)

    def _on_its_way(self, subscription: Subscription, authority_id: int) -> bool:
        key = subscription.key
        same_key = PublishedMessage.key.is_(None) if key is None else PublishedMessage.key == key
        heard = exists().where(
            Correlation.message_id == PublishedMessage.id, Correlation.process_id == subscription.process_id
        )
        said = select(PublishedMessage.id).where(
            PublishedMessage.authority_id == authority_id,
            PublishedMessage.name == subscription.name,
            same_key,
            PublishedMessage.expires_at > clock.now(),
            ~heard,
        )
        if self.session.scalar(said.limit(1)) is not None:
            return True
        queued = select(Job.payload).where(
            Job.authority_id == authority_id, Job.kind == "message", Job.status.in_(("queued", "running"))
        )
        return any(
            (payload.get("throw") or {}).get("name") == subscription.name for payload in self.session.scalars(queued)
        )

    def _partners(self, instance_id: int, name: str) -> list[Instance]:
        """The cases it has exchanged messages with, or began or was begun by, that could say this."""
        told = (
            select(Correlation.instance_id)
            .join(PublishedMessage, PublishedMessage.id == Correlation.message_id)
            .where(PublishedMessage.from_instance_id == instance_id)
        )
        heard = (
            select(PublishedMessage.from_instance_id)
            .join(Correlation, Correlation.message_id == PublishedMessage.id)
            .where(Correlation.instance_id == instance_id, PublishedMessage.from_instance_id.is_not(None))
        )
        parent = select(Instance.parent_instance_id).where(Instance.id == instance_id)
        others = self.session.scalars(
            select(Instance).where(
                or_(
                    Instance.id.in_(told),
                    Instance.id.in_(heard),
                    Instance.id.in_(parent),
                    Instance.parent_instance_id == instance_id,
                ),
                Instance.id != instance_id,
            )
        )
        return [one for one in others if self._says(one.deployment_id, one.process_id, name)]

    def _to_come(self, authority_id: int) -> set[str]:
        """The messages of processes that somebody, a timer, or one of them could start anew."""
        if authority_id not in self._startable:
            self._startable[authority_id] = self._startable_throws(authority_id)
        return self._startable[authority_id]

    def _startable_throws(self, authority_id: int) -> set[str]:
        latest = self.session.execute(
            select(ProcessDefinition.deployment_id, ProcessDefinition.process_id).where(
                ProcessDefinition.authority_id == authority_id, ProcessDefinition.latest
            )
        ).all()
        kinds: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        for deployment_id, process_id in latest:
            bundle = self.bundle(deployment_id)
            if bundle is not None and process_id in bundle.models:
                said = says(bundle)
                kinds[process_id] = (said.starts[process_id], said.throws[process_id])
        spoken: set[str] = set()
        started: set[str] = set()
        while True:
            fresh = {
                process_id
                for process_id, (starts, _) in kinds.items()
                if process_id not in started and (starts & {"none", "timer"} or starts & spoken or "*" in starts)
            }
            if not fresh:
                return spoken
            started |= fresh
            for process_id in fresh:
                spoken |= kinds[process_id][1]


def _otherwise_moved(session: Session, subscription: Subscription) -> bool:
    """True where a timer or another event would take the token on, too."""
    instance = session.get(Instance, subscription.instance_id)
    if instance is None:
        return True
    try:
        run = instances.load(session, instance)
        resting = {one.wait.token: one for one in engine.resting(run)}
    except engine.EngineError:
        return True
    at = resting.get(subscription.token or 0)
    if at is None:
        return True
    timers = {wait.token for wait in run.waits() if isinstance(wait, engine.TimerWait)}
    return bool(timers & set(at.others))
