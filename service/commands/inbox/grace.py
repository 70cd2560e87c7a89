"""Take back what was handed in, for a few seconds: until then nothing that it sets off has left the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service import clock, engine, errors
from service.commands.cases import instances, projection, search, snapshots, wakeups
from service.commands.cases.projection import Acted
from service.commands.procedures import deployments
from service.models import Grace, Job, Notification, Task, User

from . import drafts, tasks

_BLIND = {"synchronize_session": False}


def hand_in(
    session: Session, task_id: int, values: Mapping[str, Any], *, user: User, version: int | None, seconds: int
) -> Task:
    """Hand in a task so that it can be taken back for some seconds; the jobs that follow wait so long."""
    if not seconds:
        return tasks.complete(session, task_id, values, user=user, version=version)
    now = clock.now()
    instance = instances.lock_of_task(session, task_id)
    rows, former = snapshots.take(session, instance), instance.state
    last = session.scalar(select(func.max(Job.id))) or 0
    done = tasks.complete(session, task_id, values, user=user, version=version)
    session.flush()
    until = now + timedelta(seconds=seconds)
    made = session.scalars(
        select(Job.id).where(Job.instance_id == instance.id, Job.id > last, Job.status == "queued", Job.kind != "timer")
    ).all()
    session.execute(
        update(Job).where(Job.id.in_(made), Job.due_at < until).values(due_at=until), execution_options=_BLIND
    )
    session.execute(delete(Grace).where(Grace.until < now), execution_options=_BLIND)
    session.add(
        Grace(
            task_id=task_id,
            instance_id=instance.id,
            user_id=user.id,
            former=former,
            rows={**rows, "made": list(made)},
            version=instance.version,
            until=until,
        )
    )
    session.flush()
    return done


def take_back(session: Session, task_id: int, *, user: User) -> Task:
    """Open a task again as it was before it was handed in; what was filled in is its draft."""
    instance = instances.lock_of_task(session, task_id)
    kept = session.scalars(
        select(Grace).where(Grace.task_id == task_id, Grace.user_id == user.id).order_by(Grace.id.desc()).limit(1)
    ).one_or_none()
    now = clock.now()
    if kept is None:
        raise errors.NotFound()
    if kept.until <= now:
        raise errors.Conflict("已超过可撤销的时间。", "It is too late to take this back.", code="too_late")
    if kept.version != instance.version:
        raise errors.Conflict(
            "案件已由他人继续办理，不能撤销。",
            "Somebody has gone on with the case; this cannot be taken back.",
            code="moved",
        )
    rows, former = dict(kept.rows), kept.former
    task = session.get_one(Task, task_id, populate_existing=True)
    values, name, token = dict(task.submitted or {}), task.name, task.token
    ended_at = rows["instance"]["ended_at"]
    later = session.scalars(
        select(Task.id).where(Task.instance_id == instance.id, Task.status == "open", Task.id > task_id)
    ).all()
    snapshots.bring_back(session, instance, rows, now)
    session.execute(
        update(Job).where(Job.id.in_(rows["made"]), Job.status == "queued").values(status="cancelled", finished_at=now),
        execution_options=_BLIND,
    )
    known = {row["id"] for row in rows["tasks"]}
    session.execute(
        delete(Notification).where(Notification.task_id.in_([one for one in later if one not in known])),
        execution_options=_BLIND,
    )
    run = engine.load(deployments.bundle(session, instance.deployment_id), former)
    fact = instances.fact("taken_back", task.process_id, task.element_id, name, {}, token=token)
    status = instance.status
    projection.save(session, instance, engine.Step(run, run.waits(), []), acted=Acted(user=user, facts=[fact]), now=now)
    instance.state, instance.status = former, status
    if ended_at is None:
        instance.ended_at = instance.end_event = None
    session.delete(session.get_one(Grace, kept.id))
    session.flush()
    search.anew(session, instance, run.instance.data)
    if values:
        drafts.save(session, task_id, values, user=user)
    waiting = session.execute(
        select(Job.id, Job.due_at).where(Job.instance_id == instance.id, Job.status == "queued")
    ).all()
    wakeups.wake(session, [(job_id, due_at) for job_id, due_at in waiting])
    return session.get_one(Task, task_id, populate_existing=True)
