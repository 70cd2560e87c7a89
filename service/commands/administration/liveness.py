"""The self-check: states, rows and jobs are held against each other; what is safe is repaired, the rest is reported.

A state is read only when something about its case changed (``models.Watch``), so a check of many quiet cases is a
handful of statements. Every act is a transaction of its own; the worker's upkeep calls them in turn.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service import clock, engine, errors
from service.commands.cases import instances, knowledge, projection
from service.commands.cases.causes import CAUSES, OF_ROWS, OF_STATES, Suspicion, sentence
from service.commands.cases.projection import Acted
from service.commands.cases.putback import put_back
from service.models import (
    CockpitPolicy,
    Deployment,
    DeploymentFile,
    Event,
    Heartbeat,
    Incident,
    Instance,
    Symptom,
    Task,
    Watch,
)
from service.models.liveness import figure

RUNNING = ("active", "incident")
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


def release(session: Session, task_id: int) -> None:
    """Put back the task of somebody who has left; others it is offered to may do it."""
    instances.lock_of_task(session, task_id)
    task = session.get_one(Task, task_id, populate_existing=True)
    if task.status != "open" or task.assignee_id is None:
        return
    put_back(session, task, because="assignee_left")


__all__ = [
    "Examined", "beat", "damaged", "damaged_bundles", "examine", "release", "report", "standing", "to_read",
]  # fmt: skip
