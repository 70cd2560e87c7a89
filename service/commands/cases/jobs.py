"""Jobs: what a worker does for a case – service tasks, timers, messages, mail.

The job row is the truth. It is written in the transaction of the step that needs it, and a worker *takes* it:
``running`` until its lease ends, after which another may. ``attempts`` numbers the takes and fences them: who
records a result must still hold the attempt that was taken. On PostgreSQL a procrastinate job, deferred on the
session's own connection, wakes a worker for it; on SQLite a bell in the process does.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, func, insert, literal_column, or_, select, update
from sqlalchemy.orm import Session

from service import clock
from service.models import Event, Incident, Instance, Job

from . import wakeups
from .jobrows import queued

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
    row = queued(
        authority_id,
        now,
        kind=kind,
        topic=topic,
        payload=dict(payload or {}),
        instance_id=instance_id,
        due_at=due_at or now,
        retries=retries,
    )
    return enqueue(session, [row])[0]


def enqueue(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write job rows and have workers woken for them once this transaction is committed."""
    if not rows:
        return []
    made = session.execute(
        insert(cast(Table, Job.__table__)).returning(Job.id, sort_by_parameter_order=True), [dict(row) for row in rows]
    ).scalars()
    ids = list(made)
    wakeups.wake(session, [(job_id, row["due_at"]) for job_id, row in zip(ids, rows, strict=True)])
    return ids


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
        wakeups.wake(session, [(job.id, job.due_at)])
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
    wakeups.wake(session, [(job_id, now) for job_id in again])
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
    wakeups.wake(session, [(job_id, now)])


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
