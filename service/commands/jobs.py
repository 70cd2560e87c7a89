"""Jobs: what a worker does for a case – service tasks, timers, messages, mail.

The job row is the truth. It is written in the transaction of the step that needs it, and a worker *takes* it:
``running`` until its lease ends, after which another may. ``attempts`` numbers the takes and fences them: who
records a result must still hold the attempt that was taken. On PostgreSQL a procrastinate job, deferred on the
session's own connection, wakes a worker for it; on SQLite a bell in the process does.
"""

from __future__ import annotations

import functools
import threading
import traceback
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Engine, Table, and_, event, func, insert, literal_column, or_, select, update
from sqlalchemy.orm import Session

from service import clock, engine
from service.engine import feel
from service.engine.timers import BadTimer, parse_cycle, parse_date, parse_duration
from service.models import Event, Incident, Instance, Job, ProcessDefinition

QUEUE = "guohe"
WAKE_UP = "guohe.run_job"
LEASE = timedelta(seconds=30)
MAX_CRASHES = 20
"""A job whose worker dies this often is not tried again: it may be what kills it."""
SKEW = timedelta(seconds=2)
"""How far the clocks of database and program may differ when one wakes the other."""
EARLY = timedelta(0)

# Written out, not bound: the indexes of queued and of running jobs serve only a query that names them in its text.
_QUEUED: Any = literal_column("'queued'")
_RUNNING: Any = literal_column("'running'")
_BLIND = {"synchronize_session": False}
_bells: weakref.WeakKeyDictionary[Engine, threading.Event] = weakref.WeakKeyDictionary()
_bells_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job in the hands of a worker."""

    id: int
    attempt: int
    kind: str
    topic: str
    due_at: datetime
    payload: Mapping[str, Any]
    authority_id: int
    instance_id: int | None
    definition_id: int | None
    token: int | None
    process_id: str | None
    element_id: str | None

    @property
    def key(self) -> str:
        """The idempotency key of what the job does outside: the same at every attempt."""
        return f"job-{self.id}"


def for_wait(instance: Instance, wait: engine.JobWait | engine.TimerWait, *, now: datetime) -> dict[str, Any]:
    """The row of a service task or a timer that a token has come to."""
    row = _row(instance, now, token=wait.token, element_id=wait.element_id, process_id=wait.process_id)
    if isinstance(wait, engine.TimerWait):
        return {**row, "kind": "timer", "due_at": wait.due}
    return {
        **row,
        "kind": "service",
        "topic": wait.topic,
        "retries": max(wait.retries, 1),
        "payload": {"headers": dict(wait.headers)},
    }


def for_message(instance: Instance, thrown: engine.Happened, *, now: datetime) -> dict[str, Any]:
    """The row that publishes a message an instance has thrown, after the throwing step is safe."""
    return {
        **_row(instance, now, element_id=thrown.element_id, process_id=thrown.process_id),
        "kind": "message",
        "payload": {"throw": dict(thrown.data)},
    }


def for_published(instance: Instance, message_id: int, now: datetime) -> dict[str, Any]:
    """The row that brings a message to listeners that came after it."""
    return {**_row(instance, now), "kind": "message", "payload": {"published": message_id}}


def _row(instance: Instance, now: datetime, **columns: Any) -> dict[str, Any]:
    return {
        "authority_id": instance.authority_id,
        "instance_id": instance.id,
        "definition_id": None,
        "token": None,
        "element_id": None,
        "process_id": None,
        "topic": "",
        "status": "queued",
        "due_at": now,
        "attempts": 0,
        "retries": 3,
        "payload": {},
        "created_at": now,
        **columns,
    }


def start_timer(definition: ProcessDefinition, start: Mapping[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    """The row that starts a case when the timer of a start event is due; none where that time is past."""
    kind, expression = start["timer"]
    due, payload = _first(kind, expression, now)
    if due is None:
        return []
    return [_start_row(definition, start["element_id"], due, payload, now)]


def next_start(definition: ProcessDefinition, taken: Taken, *, now: datetime) -> list[dict[str, Any]]:
    """The next round of a start event's cycle, counted from the due time and not from a late worker."""
    cycle, left = taken.payload.get("cycle"), taken.payload.get("left")
    if cycle is None or left == 1:
        return []
    due = parse_cycle(cycle).every.after(taken.due_at)
    payload = {"cycle": cycle, "left": None if left is None else left - 1}
    return [_start_row(definition, taken.payload["element_id"], due, payload, now)]


def _first(kind: str, expression: str, now: datetime) -> tuple[datetime | None, dict[str, Any]]:
    value = expression
    if expression.lstrip().startswith("="):
        value = str(feel.evaluate(expression.strip()[1:], {}, now=now))
    if kind == "date":
        due = parse_date(value)
        return (due if due >= now else None), {}
    if kind == "duration":
        return parse_duration(value).after(now), {}
    cycle = parse_cycle(value)
    due, left = cycle.start or cycle.every.after(now), cycle.times
    while due < now and left != 1:
        due, left = cycle.every.after(due), None if left is None else left - 1
    return (due if due >= now else None), {"cycle": value, "left": left}


def _start_row(
    definition: ProcessDefinition, element_id: str, due: datetime, payload: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "authority_id": definition.authority_id,
        "instance_id": None,
        "definition_id": definition.id,
        "token": None,
        "element_id": element_id,
        "process_id": definition.process_id,
        "topic": "",
        "kind": "start",
        "status": "queued",
        "due_at": due,
        "attempts": 0,
        "retries": 3,
        "payload": {**payload, "element_id": element_id},
        "created_at": now,
    }


def add(
    session: Session,
    kind: str,
    *,
    authority_id: int,
    topic: str = "",
    payload: Mapping[str, Any] | None = None,
    instance_id: int | None = None,
    due_at: datetime | None = None,
    retries: int = 3,
) -> int:
    """Ask a worker for something that belongs to no token, a mail say; return the job's id."""
    now = clock.now()
    row = {
        "authority_id": authority_id,
        "instance_id": instance_id,
        "definition_id": None,
        "token": None,
        "element_id": None,
        "process_id": None,
        "kind": kind,
        "topic": topic,
        "status": "queued",
        "due_at": due_at or now,
        "attempts": 0,
        "retries": retries,
        "payload": dict(payload or {}),
        "created_at": now,
    }
    return enqueue(session, [row])[0]


def enqueue(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write job rows and have workers woken for them once this transaction is committed."""
    if not rows:
        return []
    made = session.execute(
        insert(cast(Table, Job.__table__)).returning(Job.id, sort_by_parameter_order=True), [dict(row) for row in rows]
    ).scalars()
    ids = list(made)
    wake(session, [(job_id, row["due_at"]) for job_id, row in zip(ids, rows, strict=True)])
    return ids


def wake(session: Session, due: Iterable[tuple[int, datetime]]) -> None:
    """Have a worker woken for each job at its time, if and only if this transaction is committed."""
    due = list(due)
    if not due:
        return
    if session.get_bind().dialect.name == "postgresql":
        _defer(session, due)
    elif not session.info.get("will_ring"):
        session.info["will_ring"] = True
        event.listen(session, "after_commit", _ring, once=True)


def _defer(session: Session, due: Sequence[tuple[int, datetime]]) -> None:
    """Write the wake-ups into procrastinate's tables, in this very transaction."""
    from procrastinate.jobs import Job as Deferred

    wake_ups = [
        Deferred(
            queue=QUEUE,
            lock=None,
            queueing_lock=None,
            task_name=WAKE_UP,
            task_kwargs={"job_id": job_id},
            scheduled_at=due_at,
        )
        for job_id, due_at in due
    ]
    _deferrer().batch_defer_jobs(wake_ups, connection=session.connection().connection.driver_connection)


@functools.cache
def _deferrer() -> Any:
    # Only PostgreSQL needs it, and its import takes as long as that of all our own modules.
    from procrastinate import SyncPsycopgConnector
    from procrastinate.manager import JobManager

    return JobManager(SyncPsycopgConnector())


def _ring(session: Session) -> None:
    session.info.pop("will_ring", None)
    bell(cast(Engine, session.get_bind())).set()


def bell(database: Engine) -> threading.Event:
    """Set when a transaction of this process has left a job behind: its worker need not wait for the next round."""
    with _bells_lock:
        return _bells.setdefault(database, threading.Event())


def take(
    session: Session,
    *,
    worker: str,
    now: datetime | None = None,
    limit: int = 1,
    overdue: timedelta = EARLY,
    lease: timedelta = LEASE,
    kinds: Collection[str] | None = None,
) -> list[Taken]:
    """Take the jobs that are due, the longest waiting first. Two workers never take the same one."""
    now = now or clock.now()
    ready = [Job.status == _QUEUED, Job.due_at <= now - overdue, *_runnable()]
    if kinds is not None:
        ready.append(Job.kind.in_(kinds))
    chosen = select(Job.id).where(*ready).order_by(Job.due_at, Job.id).limit(limit).with_for_update(skip_locked=True)
    return _take(session, session.scalars(chosen).all(), worker, now, lease)


def take_one(
    session: Session, job_id: int, *, worker: str, now: datetime | None = None, lease: timedelta = LEASE
) -> Taken | None:
    """Take a certain job, if it is still to be done and due."""
    now = now or clock.now()
    chosen = (
        select(Job.id)
        .where(Job.id == job_id, Job.status == _QUEUED, Job.due_at <= now + SKEW, *_runnable())
        .with_for_update(skip_locked=True)
    )
    taken = _take(session, session.scalars(chosen).all(), worker, now, lease)
    return taken[0] if taken else None


def _runnable() -> list[Any]:
    """A suspended case keeps its jobs, and nobody takes them."""
    suspended = select(Instance.id).where(Instance.id == Job.instance_id, Instance.status == "suspended")
    return [~suspended.exists()]


def _take(session: Session, ids: Sequence[int], worker: str, now: datetime, lease: timedelta) -> list[Taken]:
    if not ids:
        return []
    rows = session.execute(
        update(Job)
        .where(Job.id.in_(ids), Job.status == _QUEUED)
        .values(status="running", worker=worker, attempts=Job.attempts + 1, lease_until=now + lease)
        .returning(
            Job.id,
            Job.attempts.label("attempt"),
            Job.kind,
            Job.topic,
            Job.due_at,
            Job.payload,
            Job.authority_id,
            Job.instance_id,
            Job.definition_id,
            Job.token,
            Job.process_id,
            Job.element_id,
        ),
        execution_options=_BLIND,
    )
    return sorted((Taken(**row) for row in rows.mappings()), key=lambda job: (job.due_at, job.id))


def held(session: Session, taken: Taken) -> bool:
    """True while the result of this attempt still counts: nobody cancelled the job or took it over.

    On PostgreSQL the row stays locked, so that it is still true at the commit.
    """
    found = session.scalar(
        select(Job.id)
        .where(Job.id == taken.id, Job.status == _RUNNING, Job.attempts == taken.attempt)
        .with_for_update()
    )
    return found is not None


def finish(session: Session, taken: Taken, *, now: datetime | None = None) -> None:
    """Close a job that belongs to no token."""
    session.execute(
        update(Job)
        .where(Job.id == taken.id, Job.attempts == taken.attempt)
        .values(status="done", finished_at=now or clock.now(), lease_until=None, error=None),
        execution_options=_BLIND,
    )


def back_off(attempt: int) -> timedelta:
    """How long to wait after the n-th failure: 5 s, 20 s, 80 s, …, an hour at most."""
    return min(timedelta(seconds=5 * 4 ** (attempt - 1)), timedelta(hours=1))


def fail(session: Session, taken: Taken, error: BaseException | str, *, now: datetime | None = None) -> None:
    """Count a failed attempt: queue the job again, later each time – or give up and raise an incident."""
    now = now or clock.now()
    # The case first, then the job: every transaction locks in this order.
    instance = _locked(session, taken.instance_id)
    job = session.scalar(
        select(Job).where(Job.id == taken.id).with_for_update().execution_options(populate_existing=True)
    )
    if job is None or job.status != "running" or job.attempts != taken.attempt:
        return
    job.retries -= 1
    job.error = _text(error)
    job.lease_until = None
    if job.retries > 0:
        job.status, job.due_at = "queued", now + back_off(job.attempts)
        session.flush()
        wake(session, [(job.id, job.due_at)])
    else:
        _give_up(session, job, instance, error, now)


def _give_up(session: Session, job: Job, instance: Instance | None, error: BaseException | str, now: datetime) -> None:
    job.status, job.finished_at = "failed", now
    reason = _sentence(error)
    zh = f"作业“{job.topic or job.kind}”多次失败：{reason[0]}"
    en = f"The job “{job.topic or job.kind}” failed again and again: {reason[1]}"
    session.add(
        Event(
            authority_id=job.authority_id,
            instance_id=job.instance_id,
            at=now,
            kind="incident",
            process_id=job.process_id,
            element_id=job.element_id,
            token=job.token,
            data={"code": "job_failed", "zh": zh, "en": en, "job": job.id},
        )
    )
    if instance is not None and instance.ended_at is None:
        session.add(
            Incident(
                authority_id=job.authority_id,
                instance_id=instance.id,
                token=job.token,
                job_id=job.id,
                element_id=job.element_id,
                process_id=job.process_id,
                cause="job_failed",
                message_zh=zh,
                message_en=en,
                details=job.error or "",
                created_at=now,
            )
        )
        if instance.status == "active":
            instance.status = "incident"
    session.flush()


def _locked(session: Session, instance_id: int | None) -> Instance | None:
    if instance_id is None:
        return None
    return session.scalar(
        select(Instance)
        .where(Instance.id == instance_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def extend(session: Session, taken: Iterable[Taken], *, now: datetime | None = None, lease: timedelta = LEASE) -> None:
    """Hold on to jobs that take longer than their lease: their worker is alive."""
    held = [and_(Job.id == job.id, Job.attempts == job.attempt) for job in taken]
    if held:
        session.execute(
            update(Job).where(Job.status == _RUNNING, or_(*held)).values(lease_until=(now or clock.now()) + lease),
            execution_options=_BLIND,
        )


def rescue(session: Session, *, now: datetime | None = None) -> list[int]:
    """Queue again what a worker took and did not finish before its lease ran out: it has died."""
    now = now or clock.now()
    stranded = session.scalars(
        select(Job)
        .where(Job.status == _RUNNING, Job.lease_until < now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for job in stranded:
        job.lease_until = None
        if job.attempts < MAX_CRASHES:
            job.status, job.due_at = "queued", now
        else:
            reason = f"处理此作业的进程已 {job.attempts} 次中途退出。 Its worker has died {job.attempts} times."
            job.error = reason
            _give_up(session, job, session.get(Instance, job.instance_id) if job.instance_id else None, reason, now)
    session.flush()
    again = [job.id for job in stranded if job.status == "queued"]
    wake(session, [(job_id, now) for job_id in again])
    return again


def requeue(session: Session, job_id: int, *, retries: int = 3, now: datetime | None = None) -> None:
    """Give a failed job another go, at once."""
    now = now or clock.now()
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == "failed")
        .values(status="queued", due_at=now, retries=retries, finished_at=None, lease_until=None),
        execution_options=_BLIND,
    )
    wake(session, [(job_id, now)])


def next_due(session: Session) -> datetime | None:
    """When the next job is due; None where none is queued."""
    return session.scalar(select(func.min(Job.due_at)).where(Job.status == _QUEUED))


def _text(error: BaseException | str) -> str:
    if isinstance(error, str):
        return error
    return "".join(traceback.format_exception(error))[-4000:]


def _sentence(error: BaseException | str) -> tuple[str, str]:
    if isinstance(error, str):
        return error, error
    short = f"{type(error).__name__}: {error}"[:300]
    return getattr(error, "zh", None) or short, getattr(error, "en", None) or short


__all__ = [
    "LEASE", "QUEUE", "WAKE_UP", "BadTimer", "Taken", "add", "back_off", "bell", "enqueue", "extend", "fail",
    "finish", "for_message", "for_published", "for_wait", "held", "next_due", "next_start", "requeue", "rescue",
    "start_timer", "take", "take_one", "wake",
]  # fmt: skip
