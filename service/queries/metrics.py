"""Numbers about the whole: for the monitoring page, Prometheus and the doctor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import case as when
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import clock
from ..models import Event, Incident, Instance, Job, StepNorm, Symptom, Task

AGES = (("day", timedelta(days=1)), ("week", timedelta(days=7)), ("month", timedelta(days=30)))


@dataclass(slots=True, kw_only=True)
class Numbers:
    """How things stand, for some authorities or for all."""

    instances: dict[str, int] = field(default_factory=dict)
    open_tasks: list[tuple[str, str, str, int, int, float]] = field(default_factory=list)
    """Process, element, name, open, overdue, age of the oldest in seconds."""
    incidents: dict[str, int] = field(default_factory=dict)
    symptoms: dict[str, int] = field(default_factory=dict)
    jobs: dict[tuple[str, str], int] = field(default_factory=dict)
    job_lag: float = 0.0
    steps: list[tuple[str, str, float, float, int]] = field(default_factory=list)
    """Process, element, median and 95th percentile in seconds, how often."""


def numbers(session: Session, authorities: Sequence[int] | None = None) -> Numbers:
    """Count everything that is counted."""
    now = clock.now()
    found = Numbers()

    def of(column: object) -> list[object]:
        return [] if authorities is None else [column.in_(authorities)]  # type: ignore[attr-defined]

    found.instances = _counts(
        session,
        select(Instance.status, func.count()).where(*of(Instance.authority_id)).group_by(Instance.status),  # type: ignore[arg-type]
    )
    late = func.sum(when((Task.due_at < now, 1), else_=0))
    found.open_tasks = [
        (row[0], row[1], row[2], row[3], int(row[4] or 0), (now - row[5]).total_seconds())
        for row in session.execute(
            select(Task.process_id, Task.element_id, func.max(Task.name), func.count(), late, func.min(Task.created_at))
            .where(Task.status == "open", *of(Task.authority_id))  # type: ignore[arg-type]
            .group_by(Task.process_id, Task.element_id)
            .order_by(func.count().desc())
        )
    ]
    found.incidents = _counts(
        session,
        select(Incident.cause, func.count())
        .where(Incident.resolved_at.is_(None), *of(Incident.authority_id))  # type: ignore[arg-type]
        .group_by(Incident.cause),
    )
    found.symptoms = _counts(
        session,
        select(Symptom.kind, func.count()).where(*of(Symptom.authority_id)).group_by(Symptom.kind),  # type: ignore[arg-type]
    )
    for kind, status, count in session.execute(
        select(Job.kind, Job.status, func.count())
        .where(Job.status.in_(("queued", "running", "failed")), *of(Job.authority_id))  # type: ignore[arg-type]
        .group_by(Job.kind, Job.status)
    ):
        found.jobs[(kind, status)] = count
    oldest = session.scalar(
        select(func.min(Job.due_at)).where(Job.status == "queued", Job.due_at < now, *of(Job.authority_id))  # type: ignore[arg-type]
    )
    found.job_lag = (now - oldest).total_seconds() if oldest else 0.0
    found.steps = [
        (one.process_id, one.element_id, one.median, one.p95, one.count)
        for one in session.scalars(select(StepNorm).where(*of(StepNorm.authority_id)))  # type: ignore[arg-type]
    ]
    return found


def _counts(session: Session, query: object) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(query)}  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What came in and went out on one day."""

    day: date
    started: int
    ended: int
    completed: int
    incidents: int


def throughput(session: Session, authorities: Sequence[int], *, days: int = 30) -> list[Day]:
    """Cases started and ended, tasks handed in and incidents opened, day by day in China."""
    today = clock.today()
    since = clock.now() - timedelta(days=days)
    seen: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    counted = (
        ("started", Instance.started_at, Instance.authority_id),
        ("ended", Instance.ended_at, Instance.authority_id),
        ("completed", Task.completed_at, Task.authority_id),
        ("incidents", Incident.created_at, Incident.authority_id),
    )
    for name, column, authority in counted:
        wanted = [authority.in_(authorities), column > since]
        if name == "completed":
            wanted.append(Task.status == "completed")
        for at in session.scalars(select(column).where(*wanted)):
            seen[name][clock.today(at)] += 1
    return [
        Day(
            day=one,
            started=seen["started"][one],
            ended=seen["ended"][one],
            completed=seen["completed"][one],
            incidents=seen["incidents"][one],
        )
        for one in (today - timedelta(days=days - 1 - number) for number in range(days))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Open tasks by when they are due."""

    overdue: int
    today: int
    week: int
    later: int
    never: int


def deadlines(session: Session, authorities: Sequence[int]) -> Deadlines:
    """Count open tasks by their deadlines."""
    now = clock.now()
    tonight = datetime.combine(clock.today() + timedelta(days=1), datetime.min.time(), clock.CHINA)
    kind = when(
        (Task.due_at.is_(None), "never"),
        (Task.due_at < now, "overdue"),
        (Task.due_at < tonight, "today"),
        (Task.due_at < tonight + timedelta(days=7), "week"),
        else_="later",
    )
    query = select(kind, func.count()).where(Task.status == "open", Task.authority_id.in_(authorities)).group_by(kind)
    rows: dict[str, int] = {row[0]: row[1] for row in session.execute(query)}
    return Deadlines(**{name: rows.get(name, 0) for name in ("overdue", "today", "week", "later", "never")})


def healed(session: Session, authorities: Sequence[int], *, days: int = 30) -> int:
    """How often the self-check has put something right lately."""
    return (
        session.scalar(
            select(func.count()).where(
                Event.kind == "healed",
                Event.authority_id.in_(authorities),
                Event.at > clock.now() - timedelta(days=days),
            )
        )
        or 0
    )
