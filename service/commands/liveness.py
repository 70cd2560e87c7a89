"""The self-check: states, rows and jobs are held against each other; what is safe is repaired, the rest is reported.

A state is read only when something about its case changed (``models.Watch``), so a check of many quiet cases is a
handful of statements. Every act is a transaction of its own; the worker's upkeep calls them in turn.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from service import clock, engine, errors
from service.engine.model import Node
from service.models import (
    CockpitPolicy,
    Correlation,
    Deployment,
    DeploymentFile,
    Event,
    Heartbeat,
    Incident,
    Instance,
    Job,
    ProcessDefinition,
    PublishedMessage,
    StepNorm,
    Subscription,
    Symptom,
    Task,
    TaskCandidate,
    Watch,
)
from service.models.liveness import figure

from . import deployments, instances, knowledge, projection
from .causes import CAUSES, OF_ROWS, OF_STATES, Suspicion, sentence
from .difference import table_of
from .projection import Acted

RUNNING = ("active", "incident")
ENOUGH = 20
"""So many tasks of a step have to be done before "usually" means anything."""
_BLIND = {"synchronize_session": False}


# Workers


def beat(session: Session, name: str, *, started_at: datetime, facts: Mapping[str, Any] | None = None) -> float:
    """Say that a worker lives; return how far its clock is ahead of the database's, in seconds."""
    now = clock.now()
    skew = (now - _database_time(session, now)).total_seconds()
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"name": name, "started_at": started_at, "seen_at": now, "skew": skew, "facts": dict(facts or {})}
    session.execute(
        make(Heartbeat)
        .values(row)
        .on_conflict_do_update(
            index_elements=[Heartbeat.name], set_={"seen_at": now, "skew": skew, "facts": row["facts"]}
        )
    )
    session.execute(delete(Heartbeat).where(Heartbeat.seen_at < now - timedelta(days=7)), execution_options=_BLIND)
    return skew


def _database_time(session: Session, now: datetime) -> datetime:
    """The clock of a database server; SQLite lives on ours."""
    if session.get_bind().dialect.name != "postgresql":
        return now
    found: datetime = session.scalars(select(func.clock_timestamp())).one()
    return found


# One case


@dataclass(slots=True)
class Examined:
    """What came of reading a case: what was wrong, and what has been put right."""

    instance_id: int
    healed: list[Suspicion] = field(default_factory=list)
    reported: list[Suspicion] = field(default_factory=list)


def examine(session: Session, instance_id: int, *, damaged: Collection[int] = ()) -> Examined:
    """Read the state of a case, recreate the rows that are gone, and report what nobody but a person can mend.

    ``damaged`` are deployments whose files are not what they were.
    """
    instance = instances.lock(session, instance_id)
    result = Examined(instance_id)
    if instance.status not in RUNNING:
        return result
    now = clock.now()
    try:
        if instance.deployment_id in damaged:
            raise errors.Conflict("文件与部署时不一致。", "its files are not those that were deployed.")
        run = instances.load(session, instance)
        waits = run.waits()
    except engine.UnreadableState as error:
        _settle(session, instance, [Suspicion("corrupt_state", zh=error.zh, en=error.en)], result, now)
        _watch(session, instance, [], now)
        return result
    except Exception as error:  # whatever a damaged file makes a parser say
        zh, en = getattr(error, "zh", str(error)), getattr(error, "en", str(error))
        _settle(session, instance, [Suspicion("missing_bundle", zh=zh, en=en)], result, now)
        _watch(session, instance, [], now)
        return result
    lost = _lost(session, instance, waits, now)
    if lost:
        _heal(session, instance, run, waits, lost, now)
        result.healed = lost
    _settle(session, instance, [*_dead_joins(session, instance, run), *_missing_forms(run, waits)], result, now)
    _count_rounds(session, instance, now)
    _watch(session, instance, waits, now)
    return result


def _lost(session: Session, instance: Instance, waits: Sequence[engine.Wait], now: datetime) -> list[Suspicion]:
    """Waits without their row, and rows without their wait."""
    known = knowledge.of_case(session, instance, [], {}, now)
    have = {(row.kind, row.token) for row in known if not (row.kind == "incident" and row.a in CAUSES)}
    rows: dict[type[engine.Wait], tuple[str, str]] = {
        engine.UserWait: ("task", "lost_task"),
        engine.JobWait: ("job", "lost_job"),
        engine.TimerWait: ("job", "lost_timer"),
        engine.MessageWait: ("subscription", "lost_subscription"),
        engine.IncidentWait: ("incident", "lost_incident"),
    }
    found, wanted = [], set()
    for wait in waits:
        if type(wait) not in rows:
            continue
        kind, cause = rows[type(wait)]
        wanted.add((kind, wait.token))
        if (kind, wait.token) not in have:
            found.append(Suspicion.at(cause, wait))
    for row in known:
        if row.kind in ("task", "job", "subscription") and (row.kind, row.token) not in wanted:
            found.append(Suspicion("stray_row", token=row.token, element_id=row.b or row.a))
    return found


def _heal(
    session: Session,
    instance: Instance,
    run: engine.Run,
    waits: list[engine.Wait],
    lost: Sequence[Suspicion],
    now: datetime,
) -> None:
    """Let the rows follow the state again, as after any step."""
    facts = [
        instances.fact(
            "healed",
            one.process_id or instance.process_id,
            one.element_id or instance.process_id,
            one.element_name,
            {"cause": one.cause, "zh": sentence(one)[0], "en": sentence(one)[1]},
            token=one.token,
        )
        for one in lost
    ]
    projection.save(session, instance, engine.Step(run, waits, []), acted=Acted(facts=facts), now=now)


def _dead_joins(session: Session, instance: Instance, run: engine.Run) -> list[Suspicion]:
    found = []
    for join in engine.dead_joins(run):
        process_id = join.wait.process_id
        node = run.bundle.node(process_id, join.sources[0])
        last = session.execute(
            select(Event.kind, Event.at)
            .where(
                Event.instance_id == instance.id,
                Event.element_id.in_(join.sources),
                Event.kind.in_(("left", "cancelled", "completed")),
            )
            .order_by(Event.id.desc())
            .limit(1)
        ).first()
        one = Suspicion.at("dead_join", join.wait)
        one.data = {
            "branch": node.label if node else join.sources[0],
            "flows": list(join.flows),
            "sources": list(join.sources),
            "ended": last.at.isoformat() if last else None,
            "how": last.kind if last else None,
        }
        found.append(one)
    return found


def _missing_forms(run: engine.Run, waits: Iterable[engine.Wait]) -> list[Suspicion]:
    found = []
    for wait in waits:
        if isinstance(wait, engine.UserWait) and wait.form_id and wait.form_id not in run.bundle.forms:
            one = Suspicion.at("missing_form", wait)
            one.data = {"form": wait.form_id}
            found.append(one)
    return found


def _watch(session: Session, instance: Instance, waits: Sequence[engine.Wait], now: datetime) -> None:
    session.flush()
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    kinds: dict[str, Any] = {
        "tasks": engine.UserWait,
        "jobs": engine.JobWait | engine.TimerWait,
        "subscriptions": engine.MessageWait,
        "incidents": engine.IncidentWait,
    }
    counted = {
        name: sum(figure(wait.token) for wait in waits if isinstance(wait, kind)) for name, kind in kinds.items()
    }
    row = {"version": instance.version, "checksum": zlib.crc32(instance.state), "checked_at": now, **counted}
    session.execute(
        make(Watch)
        .values(instance_id=instance.id, **row)
        .on_conflict_do_update(index_elements=[Watch.instance_id], set_=row)
    )


def _count_rounds(session: Session, instance: Instance, now: datetime) -> None:
    """Note elements the case has come to again and again."""
    policy = session.get(CockpitPolicy, instance.authority_id)
    most = policy.loops if policy else 8
    rounds = session.execute(
        select(Event.process_id, Event.element_id, func.max(Event.element_name), func.count(), func.max(Event.at))
        .join(Task, (Task.instance_id == Event.instance_id) & (Task.token == Event.token))
        .where(Event.instance_id == instance.id, Event.kind == "entered")
        .group_by(Event.process_id, Event.element_id)
        .having(func.count() > most)
    ).all()
    session.execute(
        delete(Symptom).where(Symptom.instance_id == instance.id, Symptom.kind == "looping"), execution_options=_BLIND
    )
    for process_id, element_id, name, count, at in rounds:
        session.add(
            Symptom(
                authority_id=instance.authority_id,
                instance_id=instance.id,
                kind="looping",
                process_id=process_id,
                element_id=element_id,
                element_name=name or "",
                since=at or now,
                data={"rounds": count},
            )
        )
    session.flush()


def _settle(session: Session, instance: Instance, wrong: Sequence[Suspicion], result: Examined, now: datetime) -> None:
    """Open an incident for each thing that is wrong with the state, and close those that no longer hold."""
    result.reported = list(wrong)
    _keep(session, instance, wrong, OF_STATES, now)


def _keep(
    session: Session, instance: Instance, wrong: Sequence[Suspicion], causes: frozenset[str], now: datetime
) -> tuple[int, int]:
    """Make the open incidents of these causes exactly what is wrong now."""
    standing = session.scalars(
        select(Incident).where(
            Incident.instance_id == instance.id, Incident.resolved_at.is_(None), Incident.cause.in_(causes)
        )
    ).all()
    have = {(one.cause, one.token) for one in standing}
    holds = {(one.cause, one.token) for one in wrong}
    nobody = session.scalars(
        select(Incident.token).where(
            Incident.instance_id == instance.id, Incident.resolved_at.is_(None), Incident.cause.in_(projection.NOBODY)
        )
    ).all()
    opened = [
        one
        for one in wrong
        if (one.cause, one.token) not in have and not (one.cause == "no_member" and one.token in nobody)
    ]
    for one in opened:
        _open(session, instance, one, now)
    over = [one for one in standing if (one.cause, one.token) not in holds]
    if any(one.cause == "dead_join" for one in wrong):
        # The exact reason takes the place of "nothing moves it".
        over += session.scalars(
            select(Incident).where(
                Incident.instance_id == instance.id, Incident.resolved_at.is_(None), Incident.cause == "stalled"
            )
        ).all()
    for incident in over:
        incident.resolved_at = now
    session.flush()
    _restate(session, instance)
    return len(opened), len(over)


def _open(session: Session, instance: Instance, one: Suspicion, now: datetime) -> None:
    zh, en = sentence(one)
    session.add(
        Incident(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            token=one.token,
            task_id=one.task_id,
            job_id=one.job_id,
            element_id=one.element_id,
            element_name=one.element_name,
            process_id=one.process_id or instance.process_id,
            cause=one.cause,
            message_zh=zh,
            message_en=en,
            details=one.details,
            created_at=now,
        )
    )
    session.add(
        Event(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            at=now,
            kind="incident",
            process_id=one.process_id or instance.process_id,
            element_id=one.element_id,
            element_name=one.element_name,
            token=one.token,
            data={"code": one.cause, "zh": zh, "en": en, "found": "self-check", **one.data},
        )
    )


def _restate(session: Session, instance: Instance) -> None:
    """The status follows the open incidents."""
    if instance.status not in RUNNING:
        return
    trouble = session.scalar(
        select(Incident.id).where(Incident.instance_id == instance.id, Incident.resolved_at.is_(None)).limit(1)
    )
    wanted = "active" if trouble is None else "incident"
    if instance.status != wanted:
        instance.status = wanted  # type: ignore[assignment]
        session.flush()


# All cases


def damaged(states: Iterable[tuple[int, bytes, int]]) -> list[int]:
    """Return the cases whose state is not the one that had this checksum: damaged bytes."""
    return [instance_id for instance_id, state, checksum in states if zlib.crc32(state) != checksum]


def damaged_bundles(session: Session) -> set[int]:
    """Return the deployments with running cases that no longer have the files they were deployed with."""
    used = select(Instance.deployment_id).where(Instance.status.in_(RUNNING)).distinct()
    found = set()
    for deployment in session.scalars(select(Deployment).where(Deployment.id.in_(used))):
        files = session.execute(
            select(DeploymentFile.path, DeploymentFile.content).where(DeploymentFile.deployment_id == deployment.id)
        ).all()
        if engine.content_hash({row[0]: row[1] for row in files}) != deployment.bundle_hash:
            found.add(deployment.id)
    return found


def to_read(session: Session, damaged: Collection[int]) -> list[int]:
    """Return the running cases of damaged deployments, and those whose state was found wrong before."""
    wrong = select(Incident.instance_id).where(Incident.resolved_at.is_(None), Incident.cause.in_(OF_STATES))
    return list(
        session.scalars(
            select(Instance.id).where(
                Instance.status.in_(RUNNING), or_(Instance.deployment_id.in_(damaged), Instance.id.in_(wrong))
            )
        )
    )


def report(
    session: Session, instance_id: int, wrong: Sequence[Suspicion], causes: frozenset[str] = OF_ROWS
) -> tuple[int, int]:
    """Make the open incidents of a case say what its rows say; how many were opened and closed."""
    instance = instances.lock(session, instance_id)
    if instance.status not in RUNNING:
        return 0, 0
    return _keep(session, instance, wrong, causes, clock.now())


def standing(session: Session) -> set[int]:
    """Return the cases with an open incident that the self-check has opened because of rows."""
    return set(
        session.scalars(select(Incident.instance_id).where(Incident.resolved_at.is_(None), Incident.cause.in_(OF_ROWS)))
    )


# Messages nobody can send


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


# What an administrator may want to look at


def learn(session: Session) -> int:
    """Learn how long steps take from the tasks handed in during the last year; how many steps are known."""
    now = clock.now()
    postgres = session.get_bind().dialect.name == "postgresql"
    seconds = (
        func.extract("epoch", Task.completed_at - Task.created_at)
        if postgres
        else (func.julianday(Task.completed_at) - func.julianday(Task.created_at)) * 86400
    )
    done = (
        select(Task.authority_id, Task.process_id, Task.element_id, seconds.label("seconds"))
        .where(Task.status == "completed", Task.completed_at > now - timedelta(days=365))
        .subquery()
    )
    group = (done.c.authority_id, done.c.process_id, done.c.element_id)
    ranked = select(
        *group,
        done.c.seconds,
        func.row_number().over(partition_by=group, order_by=done.c.seconds).label("rank"),
        func.count().over(partition_by=group).label("n"),
    ).subquery()
    half, most = (ranked.c.n + 1) / 2, (ranked.c.n * 19 + 19) / 20
    rows = session.execute(
        select(
            ranked.c.authority_id,
            ranked.c.process_id,
            ranked.c.element_id,
            func.max(ranked.c.n),
            func.max(ranked.c.seconds).filter(ranked.c.rank <= half),
            func.max(ranked.c.seconds).filter(ranked.c.rank <= most),
        )
        .where(ranked.c.n >= ENOUGH)
        .group_by(ranked.c.authority_id, ranked.c.process_id, ranked.c.element_id)
    ).all()
    session.execute(delete(StepNorm), execution_options=_BLIND)
    if rows:
        session.execute(
            insert(table_of(StepNorm)),
            [
                {
                    "authority_id": row[0],
                    "process_id": row[1],
                    "element_id": row[2],
                    "count": row[3],
                    "median": float(row[4] or 0),
                    "p95": float(row[5] or 0),
                    "learned_at": now,
                }
                for row in rows
            ],
        )
    return len(rows)


def diagnose(session: Session) -> int:
    """Note what is overdue, slow, untouched, an orphan or bound to be late; how many notes there are now."""
    now = clock.now()
    wanted: dict[tuple[str, int, int | None], dict[str, Any]] = {}
    for rows in (_overdue(session, now), _slow(session, now), _untouched(session, now), _orphans(session)):
        for row in rows:
            wanted[(row["kind"], row["instance_id"], row["task_id"])] = row
    standing = {
        (kind, instance_id, task_id): row_id
        for row_id, kind, instance_id, task_id in session.execute(
            select(Symptom.id, Symptom.kind, Symptom.instance_id, Symptom.task_id).where(Symptom.kind != "looping")
        )
    }
    over = [row_id for key, row_id in standing.items() if key not in wanted]
    for start in range(0, len(over), 500):
        session.execute(delete(Symptom).where(Symptom.id.in_(over[start : start + 500])), execution_options=_BLIND)
    new = [row for key, row in wanted.items() if key not in standing]
    if new:
        session.execute(insert(table_of(Symptom)), new)
    gone = select(Instance.id).where(Instance.status.not_in(RUNNING))
    session.execute(
        delete(Symptom).where(Symptom.kind == "looping", Symptom.instance_id.in_(gone)), execution_options=_BLIND
    )
    return len(wanted)


def _open_tasks() -> Any:
    return (
        select(
            Task.id,
            Task.authority_id,
            Task.instance_id,
            Task.process_id,
            Task.element_id,
            Task.name,
            Task.created_at,
            Task.due_at,
        )
        .join(Instance, Instance.id == Task.instance_id)
        .where(Task.status == "open", Instance.status.in_(RUNNING))
    )


def _of_task(kind: str, row: Any, since: datetime, **data: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "authority_id": row.authority_id,
        "instance_id": row.instance_id,
        "task_id": row.id,
        "process_id": row.process_id,
        "element_id": row.element_id,
        "element_name": row.name,
        "since": since,
        "data": data,
    }


def _overdue(session: Session, now: datetime) -> list[dict[str, Any]]:
    rows = session.execute(_open_tasks().where(Task.due_at < now))
    return [_of_task("overdue", row, row.due_at) for row in rows]


def _slow(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Older than nineteen in twenty of its kind – or sure to miss its deadline at the usual pace."""
    norm = StepNorm
    same = (
        (norm.authority_id == Task.authority_id)
        & (norm.process_id == Task.process_id)
        & (norm.element_id == Task.element_id)
    )
    rows = session.execute(_open_tasks().add_columns(norm.median, norm.p95).join(norm, same)).all()
    found = []
    for row in rows:
        age = (now - row.created_at).total_seconds()
        if age > row.p95:
            since = row.created_at + timedelta(seconds=row.p95)
            found.append(_of_task("slow", row, since, p95=row.p95, median=row.median))
        elif row.due_at is not None and row.due_at > now:
            left = (row.due_at - now).total_seconds()
            if left < row.median - age:
                found.append(_of_task("forecast", row, row.due_at, median=row.median))
    return found


def _untouched(session: Session, now: datetime) -> list[dict[str, Any]]:
    days = dict(session.execute(select(CockpitPolicy.authority_id, CockpitPolicy.untouched_days)).all())
    least = min([30, *days.values()])
    rows = session.execute(
        select(Instance.id, Instance.authority_id, Instance.process_id, Instance.updated_at).where(
            Instance.status.in_(RUNNING), Instance.updated_at < now - timedelta(days=least)
        )
    )
    return [
        _of_case("untouched", row, row.updated_at)
        for row in rows
        if row.updated_at < now - timedelta(days=days.get(row.authority_id, 30))
    ]


def _orphans(session: Session) -> list[dict[str, Any]]:
    """Cases another case began that is over and waits for nothing of them any more."""
    parent = aliased(Instance)
    rows = session.execute(
        select(
            Instance.id, Instance.authority_id, Instance.process_id, parent.ended_at.label("updated_at"), parent.number
        )
        .join(parent, parent.id == Instance.parent_instance_id)
        .where(Instance.status.in_(RUNNING), parent.status == "terminated")
    )
    return [_of_case("orphan", row, row.updated_at, parent=row.number) for row in rows]


def _of_case(kind: str, row: Any, since: datetime, **data: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "authority_id": row.authority_id,
        "instance_id": row.id,
        "task_id": None,
        "process_id": row.process_id,
        "element_id": None,
        "element_name": "",
        "since": since,
        "data": data,
    }


def release(session: Session, task_id: int) -> None:
    """Put back the task of somebody who has left; others it is offered to may do it."""
    instance = instances.lock_of_task(session, task_id)
    task = session.get_one(Task, task_id, populate_existing=True)
    if task.status != "open" or task.assignee_id is None:
        return
    before, task.assignee_id, task.claimed_at, task.on_behalf_of_id = task.assignee_id, None, None, None
    session.execute(
        update(TaskCandidate).where(TaskCandidate.task_id == task_id).values(claimed=False), execution_options=_BLIND
    )
    session.add(
        Event(
            authority_id=task.authority_id,
            instance_id=instance.id,
            at=clock.now(),
            kind="released",
            process_id=task.process_id,
            element_id=task.element_id,
            element_name=task.name,
            token=task.token,
            task_id=task.id,
            data={"before": before, "because": "assignee_left"},
        )
    )
    session.flush()


__all__ = [
    "Examined", "beat", "damaged", "damaged_bundles", "diagnose", "examine", "learn", "release",
    "report", "says", "standing", "to_read", "unsendable",
]  # fmt: skip
