"""The liveness rule, from rows alone: every running case has a live next mover, or an incident that says why not.

Each cause is one statement over all running cases. A next mover is a task that somebody enabled may do, a job that a
living worker will take, or a subscription; what stands in a state but not in the rows is the self-check's business
(``commands/administration/liveness.py``), which reads only states that changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, union_all
from sqlalchemy import case as when
from sqlalchemy.orm import Session, aliased

from .. import clock, permissions
from ..models import (
    Deputy,
    Exclusion,
    Heartbeat,
    Incident,
    Instance,
    Job,
    Membership,
    Organisation,
    Role,
    Subscription,
    Task,
    TaskCandidate,
    User,
    Watch,
)
from ..models.liveness import figure

BEATS = timedelta(seconds=5)
"""How often a worker says that it lives."""
SILENT = timedelta(seconds=30)
"""A worker not heard of for so long is down."""
LATE = timedelta(seconds=30)
"""A job due for so long with no worker alive is stuck."""
BACKLOG = timedelta(minutes=10)
"""... and with workers alive, too."""
SKEW = timedelta(seconds=30)
RUNNING = ("active", "incident")

NOBODY = ("unknown_role", "unknown_party", "unknown_user", "no_candidate", "no_member")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a case cannot go on by itself, or will not without somebody."""

    cause: str
    authority_id: int
    instance_id: int
    token: int | None = None
    task_id: int | None = None
    job_id: int | None = None
    process_id: str | None = None
    element_id: str | None = None
    element_name: str = ""
    since: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict, compare=False)


def findings(session: Session, *, instance_id: int | None = None) -> list[Finding]:
    """Every violation of the rule that rows show, whether or not an incident says so already."""
    now = clock.now()
    only = [Instance.id == instance_id] if instance_id is not None else []
    found = [
        *_failed_jobs(session, only),
        *_late_jobs(session, now, only),
        *_undoable_tasks(session, now, only),
        *_tasks_of_absent_people(session, now, only),
        *_without_mover(session, only),
        *_from_the_future(session, now, only),
    ]
    return sorted(found, key=lambda one: (one.instance_id, one.cause, one.token or 0))


def _failed_jobs(session: Session, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Jobs that are given up: an incident should speak of each."""
    query = _of_jobs().where(Job.status == "failed", *only)
    return [_of_job("job_failed", row) for row in session.execute(query)]


def _late_jobs(session: Session, now: datetime, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Jobs that should have been done: nobody works, or too much waits."""
    alive = workers_alive(session, now)
    cause, patience = ("job_late", BACKLOG) if alive else ("worker_down", LATE)
    late = or_(
        and_(Job.status == "queued", Job.due_at < now - patience),
        and_(Job.status == "running", Job.lease_until < now - patience),
    )
    query = _of_jobs().where(late, *only)
    return [_of_job(cause, row) for row in session.execute(query)]


def _of_jobs() -> Any:
    return (
        select(
            Job.id,
            Job.authority_id,
            Job.instance_id,
            Job.token,
            Job.process_id,
            Job.element_id,
            Job.due_at,
            Job.kind,
            Job.topic,
            Job.error,
        )
        .join(Instance, Instance.id == Job.instance_id)
        .where(Instance.status.in_(RUNNING))
    )


def _of_job(cause: str, row: Any) -> Finding:
    return Finding(
        cause=cause,
        authority_id=row.authority_id,
        instance_id=row.instance_id,
        token=row.token,
        job_id=row.id,
        process_id=row.process_id,
        element_id=row.element_id,
        since=row.due_at,
        data={"kind": row.kind, "topic": row.topic, "error": row.error or ""},
    )


def enabled(today: Any) -> list[Any]:
    """Conditions on User, Organisation and Membership that make somebody an enabled holder of a role."""
    return [
        User.active,
        Organisation.active,
        or_(Membership.since.is_(None), Membership.since <= today),
        or_(Membership.until.is_(None), Membership.until > today),
    ]


def staffed(task_id: Any, now: datetime, *, allowed: bool = True, present: bool = False) -> list[ColumnElement[bool]]:
    """Each a way in which somebody enabled may do a task: by a role, or by name.

    ``allowed`` leaves out whoever must keep away from it, ``present`` whoever is absent and has a deputy; without that,
    they count as well.
    """
    free = [~kept_away(task_id)] if allowed else []
    if present:
        free.append(~exists().where(Deputy.principal_id == User.id, *_in_force(clock.today(now))))
    by_role = (
        select(TaskCandidate.id)
        .join(
            Membership,
            and_(Membership.organisation_id == TaskCandidate.organisation_id, Membership.role == TaskCandidate.role),
        )
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(TaskCandidate.task_id == task_id, *enabled(clock.today(now)), *free)
        .exists()
    )
    by_name = (
        select(TaskCandidate.id)
        .join(User, User.id == TaskCandidate.user_id)
        .where(TaskCandidate.task_id == task_id, User.active, *free)
        .exists()
    )
    return [by_role, by_name]


def kept_away(task_id: Any) -> ColumnElement[bool]:
    """True where the ``User`` at hand must keep away from a task: in person, or with all of an organisation."""
    with_them = aliased(Membership)
    today = clock.today()
    # Person and task stand two selects further out, where nothing correlates by itself.
    places = (
        select(with_them.organisation_id)
        .where(
            with_them.user_id == User.id,
            or_(with_them.since.is_(None), with_them.since <= today),
            or_(with_them.until.is_(None), with_them.until > today),
        )
        .correlate_except(with_them)
    )
    hit = or_(Exclusion.user_id == User.id, Exclusion.organisation_id.in_(places.scalar_subquery()))
    return select(Exclusion.id).where(Exclusion.task_id == task_id, hit).correlate_except(Exclusion).exists()


def _undoable_tasks(session: Session, now: datetime, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Open tasks that nobody enabled may do: an empty role, a leaver who holds on to it."""
    holder = aliased(User)
    holds = (
        select(TaskCandidate.id)
        .join(
            Membership,
            and_(Membership.organisation_id == TaskCandidate.organisation_id, Membership.role == TaskCandidate.role),
        )
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(TaskCandidate.task_id == Task.id, User.id == Task.assignee_id, *enabled(clock.today(now)))
        .exists()
    )
    named = exists().where(TaskCandidate.task_id == Task.id, TaskCandidate.user_id == Task.assignee_id)
    left = and_(Task.assignee_id.is_not(None), or_(~holder.active, and_(~holds, ~named)))
    empty = and_(Task.assignee_id.is_(None), ~or_(*staffed(Task.id, now)))
    query = (
        select(
            Task.id,
            Task.authority_id,
            Task.instance_id,
            Task.token,
            Task.process_id,
            Task.element_id,
            Task.name,
            func.coalesce(Role.name_zh, Task.role).label("role"),
            Task.created_at,
            holder.name.label("holder"),
            when((or_(*staffed(Task.id, now)), True), else_=False).label("others"),
            when((or_(*staffed(Task.id, now, allowed=False)), True), else_=False).label("excluded"),
        )
        .join(Instance, Instance.id == Task.instance_id)
        .outerjoin(holder, holder.id == Task.assignee_id)
        .outerjoin(Role, Role.code == Task.role)
        .where(Task.status == "open", Instance.status.in_(RUNNING), or_(left, empty), *(only or [_doubtful(now)]))
    )
    return [
        Finding(
            cause="assignee_left" if row.holder is not None else "all_excluded" if row.excluded else "no_member",
            authority_id=row.authority_id,
            instance_id=row.instance_id,
            token=row.token,
            task_id=row.id,
            process_id=row.process_id,
            element_id=row.element_id,
            element_name=row.name,
            since=row.created_at,
            data={"role": row.role, "holder": row.holder, "others": bool(row.others)},
        )
        for row in session.execute(query)
    ]


def _doubtful(now: datetime) -> ColumnElement[bool]:
    """Leave out the tasks that somebody may do beyond doubt: as sets, that is one look at all tasks together."""
    holding = and_(Membership.organisation_id == TaskCandidate.organisation_id, Membership.role == TaskCandidate.role)
    groups = (
        select(Membership.organisation_id, Membership.role)
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(*enabled(clock.today(now)))
        .distinct()
        .cte("staffed_groups")
    )
    of_group = and_(groups.c.organisation_id == TaskCandidate.organisation_id, groups.c.role == TaskCandidate.role)
    free = union_all(
        select(TaskCandidate.task_id).join(groups, of_group).where(TaskCandidate.claimed.is_(False)),
        select(TaskCandidate.task_id).join(User, User.id == TaskCandidate.user_id).where(User.active),
    ).cte("free_to_somebody")
    held = (
        select(Task.id.label("task_id"))
        .join(TaskCandidate, TaskCandidate.task_id == Task.id)
        .join(Membership, and_(holding, Membership.user_id == Task.assignee_id))
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Task.status == "open", *enabled(clock.today(now)))
        .cte("held_by_a_holder")
    )
    open_ = select(Task.id).where(Task.status == "open")
    doubtful = union_all(
        open_.outerjoin(free, free.c.task_id == Task.id).where(Task.assignee_id.is_(None), free.c.task_id.is_(None)),
        open_.outerjoin(held, held.c.task_id == Task.id).where(Task.assignee_id.is_not(None), held.c.task_id.is_(None)),
        select(Exclusion.task_id),
    )
    return Task.id.in_(doubtful)


def _in_force(today: Any) -> list[ColumnElement[bool]]:
    return [Deputy.revoked_at.is_(None), Deputy.first_day <= today, Deputy.last_day >= today]


def _tasks_of_absent_people(session: Session, now: datetime, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Open tasks whose every doer is absent, by an appointment that does not lend this task to anybody."""
    today = clock.today(now)
    standing_in = session.scalars(select(Deputy).where(*_in_force(today))).all()
    if not standing_in:
        return []
    holder = aliased(User)
    away = exists().where(Deputy.principal_id == Task.assignee_id, *_in_force(today))
    held = and_(Task.assignee_id.is_not(None), holder.active, away)
    free = and_(Task.assignee_id.is_(None), or_(*staffed(Task.id, now)), ~or_(*staffed(Task.id, now, present=True)))
    query = (
        select(Task)
        .join(Instance, Instance.id == Task.instance_id)
        .outerjoin(holder, holder.id == Task.assignee_id)
        .where(Task.status == "open", Instance.status.in_(RUNNING), or_(held, free), *only)
    )
    return [
        Finding(
            cause="all_absent",
            authority_id=task.authority_id,
            instance_id=task.instance_id,
            token=task.token,
            task_id=task.id,
            process_id=task.process_id,
            element_id=task.element_id,
            element_name=task.name,
            since=task.created_at,
            data={"role": task.role},
        )
        for task in session.scalars(query)
        if not any(permissions.appointment(one.deputy, task, task.candidates) for one in standing_in)
    ]


def _without_mover(session: Session, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Running cases with no row at all that could move them, and no incident."""
    movers = (
        exists().where(Task.instance_id == Instance.id, Task.status == "open"),
        exists().where(Job.instance_id == Instance.id, Job.status.in_(("queued", "running", "failed"))),
        exists().where(Subscription.instance_id == Instance.id),
        exists().where(
            Incident.instance_id == Instance.id, Incident.resolved_at.is_(None), Incident.cause != "stalled"
        ),
    )
    query = select(Instance.id, Instance.authority_id, Instance.process_id, Instance.updated_at).where(
        Instance.status.in_(RUNNING), *(~mover for mover in movers), *only
    )
    return [
        Finding(
            cause="stalled",
            authority_id=row.authority_id,
            instance_id=row.id,
            process_id=row.process_id,
            since=row.updated_at,
        )
        for row in session.execute(query)
    ]


def _from_the_future(session: Session, now: datetime, only: Sequence[ColumnElement[bool]]) -> list[Finding]:
    """Cases last changed at a time that has not come yet: a clock was set back, and their timers run late."""
    query = select(Instance.id, Instance.authority_id, Instance.process_id, Instance.updated_at).where(
        Instance.status.in_(RUNNING), Instance.updated_at > now + SKEW, *only
    )
    return [
        Finding(
            cause="clock_skew",
            authority_id=row.authority_id,
            instance_id=row.id,
            process_id=row.process_id,
            since=row.updated_at,
        )
        for row in session.execute(query)
    ]


# Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """A worker as it last spoke."""

    name: str
    started_at: datetime
    seen_at: datetime
    skew: float
    alive: bool
    facts: dict[str, Any]


def workers(session: Session) -> list[WorkerRow]:
    """The workers heard of in the last day, the latest first."""
    now = clock.now()
    rows = session.scalars(
        select(Heartbeat).where(Heartbeat.seen_at > now - timedelta(days=1)).order_by(Heartbeat.seen_at.desc())
    )
    return [
        WorkerRow(
            name=row.name,
            started_at=row.started_at,
            seen_at=row.seen_at,
            skew=row.skew,
            alive=row.seen_at > now - SILENT,
            facts=row.facts,
        )
        for row in rows
    ]


def workers_alive(session: Session, now: datetime | None = None) -> int:
    """How many workers have been heard of lately."""
    moment = now or clock.now()
    return session.scalar(select(func.count()).where(Heartbeat.seen_at > moment - SILENT)) or 0


# What the self-check compares


def suspects(session: Session) -> list[int]:
    """Running cases whose rows are not those their state asked for when it was last read, or that changed since."""
    counts = {
        "tasks": _counted(Task, Task.status == "open"),
        "jobs": _counted(Job, Job.token.is_not(None), Job.status.in_(("queued", "running", "failed"))),
        "subscriptions": _counted(Subscription, Subscription.instance_id.is_not(None)),
        "incidents": _counted(Incident, Incident.resolved_at.is_(None), Incident.cause.not_in(_NOT_OF_STATES)),
    }
    query = select(Instance.id).outerjoin(Watch, Watch.instance_id == Instance.id)
    unlike: list[ColumnElement[bool]] = [Watch.instance_id.is_(None), Watch.version != Instance.version]
    for name, counted in counts.items():
        query = query.outerjoin(counted, counted.c.instance_id == Instance.id)
        unlike.append(getattr(Watch, name) != func.coalesce(counted.c.n, 0))
    return list(session.scalars(query.where(Instance.status.in_(RUNNING), or_(*unlike)).order_by(Instance.id)))


_NOT_OF_STATES = (
    *NOBODY,
    "job_failed",
    "stalled",
    "all_excluded",
    "all_absent",
    "assignee_left",
    "job_late",
    "worker_down",
    "clock_skew",
    "corrupt_state",
    "missing_bundle",
    "dead_join",
    "no_sender",
    "missing_form",
)
"""Causes of incidents that are not tokens the engine has parked."""


def _counted(model: Any, *wanted: ColumnElement[bool]) -> Any:
    found = func.sum(figure(func.coalesce(model.token, 0))).label("n")
    return select(model.instance_id, found).where(*wanted).group_by(model.instance_id).subquery()


def states(session: Session, after: int, limit: int) -> list[tuple[int, bytes, int]]:
    """States of running cases in the order of their numbers, with the checksum they had when last read."""
    rows = session.execute(
        select(Instance.id, Instance.state, Watch.checksum)
        .join(Watch, and_(Watch.instance_id == Instance.id, Watch.version == Instance.version))
        .where(Instance.status.in_(RUNNING), Instance.id > after)
        .order_by(Instance.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def live_processes(session: Session) -> dict[tuple[int, int, str], int]:
    """How many cases are not over, by authority, deployment and process."""
    query = (
        select(Instance.authority_id, Instance.deployment_id, Instance.process_id, func.count())
        .where(Instance.ended_at.is_(None))
        .group_by(Instance.authority_id, Instance.deployment_id, Instance.process_id)
    )
    return {(row[0], row[1], row[2]): row[3] for row in session.execute(query)}


def running(session: Session) -> int:
    """How many cases run."""
    return session.scalar(select(func.count(literal(1))).where(Instance.status.in_(RUNNING))) or 0
