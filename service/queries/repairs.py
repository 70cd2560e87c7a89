"""What was repaired, what waits for somebody to agree, and how batches stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session, joinedload

from .. import clock, wording
from ..models import (
    Batch,
    BatchItem,
    Deployment,
    Event,
    Incident,
    Instance,
    Job,
    Membership,
    Organisation,
    ProcessDefinition,
    Repair,
    Role,
    Subscription,
    Task,
    TaskCandidate,
    User,
)
from . import page
from .liveness import staffed
from .page import Order, Page
from .stuck import administered


def of_case(session: Session, user: User, instance_id: int, *, limit: int = 50) -> list[Repair]:
    """The repairs of a case, newest first."""
    query = (
        select(Repair)
        .where(Repair.instance_id == instance_id, Repair.authority_id.in_(administered(user)))
        .options(joinedload(Repair.asked_by), joinedload(Repair.decided_by))
        .order_by(Repair.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def repair(session: Session, user: User, repair_id: int) -> Repair | None:
    """One repair."""
    query = select(Repair).where(Repair.id == repair_id, Repair.authority_id.in_(administered(user)))
    return session.scalars(query.options(joinedload(Repair.asked_by), joinedload(Repair.instance))).one_or_none()


def proposed(session: Session, user: User, *, limit: int = 50) -> list[Repair]:
    """The repairs that wait for somebody to agree."""
    query = (
        select(Repair)
        .where(Repair.status == "proposed", Repair.authority_id.in_(administered(user)))
        .options(joinedload(Repair.asked_by), joinedload(Repair.instance))
        .order_by(Repair.id)
        .limit(limit)
    )
    return list(session.scalars(query))


# Where a case rests, from rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A token at rest, as rows tell it, and who or what would move it."""

    token: int | None
    kind: str
    element_id: str
    name: str
    process_id: str
    since: datetime
    due: datetime | None
    live: bool
    data: dict[str, Any]


def rests(session: Session, instance_id: int) -> list[Rest]:
    """Why a case rests: its open tasks, jobs, timers and subscriptions."""
    now = clock.now()
    found = [*_tasks(session, instance_id, now), *_jobs(session, instance_id, now)]
    for one in session.scalars(select(Subscription).where(Subscription.instance_id == instance_id)):
        found.append(
            Rest(
                token=one.token,
                kind="message",
                element_id=one.element_id,
                name=one.element_id,
                process_id=one.process_id,
                since=one.created_at,
                due=None,
                live=True,
                data={"message": one.name, "key": one.key},
            )
        )
    deployment_id = session.scalar(select(Instance.deployment_id).where(Instance.id == instance_id)) or 0
    found = [replace(one, name=wording.text(session, deployment_id, one.process_id, one.name)) for one in found]
    return sorted(found, key=lambda one: (one.token is None, one.token or 0))


def _tasks(session: Session, instance_id: int, now: datetime) -> list[Rest]:
    by_role, by_name = staffed(Task.id, now)
    rows = session.execute(
        select(
            Task,
            Organisation.name,
            wording.of_two(session, Role.name_zh, Role.name_en),
            User.name,
            User.active,
            by_role | by_name,
        )
        .outerjoin(Organisation, Organisation.id == Task.organisation_id)
        .outerjoin(Role, Role.code == Task.role)
        .outerjoin(User, User.id == Task.assignee_id)
        .where(Task.instance_id == instance_id, Task.status == "open")
    ).all()
    return [
        Rest(
            token=task.token,
            kind="task",
            element_id=task.element_id,
            name=task.name,
            process_id=task.process_id,
            since=task.created_at,
            due=task.due_at,
            live=bool(active) if holder else bool(can),
            data={
                "office": office,
                "role": role,
                "holder": holder,
                "task": task.id,
                "overdue": task.due_at is not None and task.due_at < now,
            },
        )
        for task, office, role, holder, active, can in rows
    ]


def _jobs(session: Session, instance_id: int, now: datetime) -> list[Rest]:
    rows = session.scalars(
        select(Job).where(
            Job.instance_id == instance_id,
            Job.status.in_(("queued", "running", "failed")),
        )
    )
    return [
        Rest(
            token=job.token,
            kind="timer" if job.kind == "timer" else "job",
            element_id=job.element_id or "",
            name=job.topic or job.element_id or job.kind,
            process_id=job.process_id or "",
            since=job.created_at,
            due=job.due_at,
            live=job.status != "failed",
            data={
                "job": job.id,
                "status": job.status,
                "attempts": job.attempts,
                "retries": job.retries,
                "error": job.error or "",
                "late": job.status == "queued" and job.due_at < now,
            },
        )
        for job in rows
    ]


def visited(session: Session, instance_id: int) -> list[tuple[str, str, str]]:
    """The tasks a case has been through: (process, element, name), the last first."""
    rows = session.execute(
        select(Event.process_id, Event.element_id, func.max(Event.element_name), func.max(Event.id).label("last"))
        .where(Event.instance_id == instance_id, Event.kind == "completed", Event.element_id.is_not(None))
        .group_by(Event.process_id, Event.element_id)
        .order_by(func.max(Event.id).desc())
    )
    deployment_id = session.scalar(select(Instance.deployment_id).where(Instance.id == instance_id)) or 0
    return [
        (row[0] or "", row[1] or "", wording.text(session, deployment_id, row[0], row[2] or row[1] or ""))
        for row in rows
    ]


def sent(session: Session, instance_id: int, *, limit: int = 30) -> list[Job]:
    """The mails and messages a case has sent."""
    query = (
        select(Job)
        .where(
            Job.instance_id == instance_id,
            Job.token.is_(None),
            Job.kind.in_(("mail", "message")),
            Job.status.in_(("done", "failed")),
        )
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def open_incidents(session: Session, instance_id: int) -> list[Incident]:
    """What is wrong with a case now, the oldest first."""
    query = select(Incident).where(Incident.instance_id == instance_id, Incident.resolved_at.is_(None))
    return list(session.scalars(query.order_by(Incident.id)))


def people(session: Session, user: User, task_id: int, *, limit: int = 60) -> list[tuple[str, str, bool]]:
    """Whom a task could be given: (username, name, offered already), those it is offered to first."""
    today = clock.today()
    offered = (
        select(Membership.user_id)
        .join(
            TaskCandidate,
            (TaskCandidate.organisation_id == Membership.organisation_id) & (TaskCandidate.role == Membership.role),
        )
        .where(
            TaskCandidate.task_id == task_id,
            Membership.since.is_(None) | (Membership.since <= today),
            Membership.until.is_(None) | (Membership.until > today),
        )
    )
    named = select(TaskCandidate.user_id).where(TaskCandidate.task_id == task_id, TaskCandidate.user_id.is_not(None))
    mine = User.id.in_(offered) | User.id.in_(named)
    rows = session.execute(
        select(User.username, User.name, mine)
        .where(User.authority_id.in_(administered(user)), User.active)
        .order_by(mine.desc(), User.name, User.id)
        .limit(limit)
    )
    return [(row[0], row[1], bool(row[2])) for row in rows]


# Batches


def steps(session: Session, user: User, *, limit: int = 200) -> list[tuple[str, str]]:
    """The steps at which cases stand or are stuck now, the fullest first: (element, name)."""
    mine = administered(user)
    stand = union_all(
        select(Task.element_id, Task.name).where(Task.status == "open", Task.authority_id.in_(mine)),
        select(Incident.element_id, Incident.element_name).where(
            Incident.resolved_at.is_(None), Incident.element_id.is_not(None), Incident.authority_id.in_(mine)
        ),
    ).subquery()
    rows = session.execute(
        select(stand.c.element_id, func.max(stand.c.name))
        .group_by(stand.c.element_id)
        .order_by(func.count().desc(), stand.c.element_id)
        .limit(limit)
    )
    return [(row[0], row[1] or row[0]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A batch and how far it is."""

    batch: Batch
    pending: int
    done: int
    failed: int
    skipped: int

    @property
    def percent(self) -> int:
        """How much of it is over."""
        return 100 if not self.batch.total else (self.batch.total - self.pending) * 100 // self.batch.total


def batches(session: Session, user: User, *, batch_id: int | None = None, limit: int = 50) -> list[BatchRow]:
    """The batches of the authorities the user administers, newest first."""
    query = select(Batch).where(Batch.authority_id.in_(administered(user))).options(joinedload(Batch.created_by))
    if batch_id is not None:
        query = query.where(Batch.id == batch_id)
    found = list(session.scalars(query.order_by(Batch.id.desc()).limit(limit)))
    counts: dict[int, dict[str, int]] = {}
    for owner, status, count in session.execute(
        select(BatchItem.batch_id, BatchItem.status, func.count())
        .where(BatchItem.batch_id.in_([one.id for one in found]))
        .group_by(BatchItem.batch_id, BatchItem.status)
    ):
        counts.setdefault(owner, {})[status] = count
    names = ("pending", "done", "failed", "skipped")
    return [BatchRow(batch=one, **{name: counts.get(one.id, {}).get(name, 0) for name in names}) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One case of a batch."""

    id: int
    instance_id: int
    number: str
    title: str
    status: str
    zh: str
    en: str
    at: datetime | None
    repair_id: int | None


def items(
    session: Session, batch_id: int, *, status: str | None = None, after: str | None = None, limit: int = 50
) -> Page[ItemRow]:
    """Return a page of the cases of a batch."""
    limit = page.size(limit)
    wanted = [BatchItem.batch_id == batch_id]
    if status:
        wanted.append(BatchItem.status == status)
    query = (
        select(
            BatchItem.id,
            BatchItem.instance_id,
            Instance.number,
            Instance.title,
            BatchItem.status,
            BatchItem.zh,
            BatchItem.en,
            BatchItem.at,
            BatchItem.repair_id,
        )
        .join(Instance, Instance.id == BatchItem.instance_id)
        .where(*wanted)
    )
    total, capped = page.counted(session, select(BatchItem.id).where(*wanted))
    rows = session.execute(Order((BatchItem.id,), (int,)).apply(query, after, limit)).all()
    found = wording.said(session, [ItemRow(**row._mapping) for row in rows[:limit]], "title")
    return Page(items=found, total=total, capped=capped, next=page.mark(found[-1].id) if len(rows) > limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A deployment of a process, and how many cases run on it."""

    deployment_id: int
    version: int
    name: str
    note: str
    created_at: datetime
    latest: bool
    running: int


def versions(session: Session, user: User, process_id: str) -> list[Version]:
    """The versions of a process, newest first."""
    running = (
        select(func.count())
        .where(Instance.definition_id == ProcessDefinition.id, Instance.ended_at.is_(None))
        .scalar_subquery()
    )
    rows = session.execute(
        select(ProcessDefinition, Deployment.note, Deployment.created_at, running)
        .join(Deployment, Deployment.id == ProcessDefinition.deployment_id)
        .where(ProcessDefinition.process_id == process_id, ProcessDefinition.authority_id.in_(administered(user)))
        .order_by(ProcessDefinition.version.desc())
    )
    return [
        Version(
            deployment_id=one.deployment_id,
            version=one.version,
            name=wording.text(session, one.deployment_id, process_id, one.name),
            note=note,
            created_at=created_at,
            latest=one.latest,
            running=count,
        )
        for one, note, created_at, count in rows
    ]
