"""What a repair changes in the rows of a case, beside what follows from its step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from service import clock, engine, errors, permissions
from service.commands.cases import duties, jobs, projection, snapshots, wakeups
from service.commands.cases.difference import separated
from service.commands.cases.projection import Acted
from service.models import (
    Incident,
    Instance,
    Job,
    ProcessDefinition,
    Subscription,
    Task,
    TaskCandidate,
    User,
)

from . import repairkinds
from .repairkinds import Moved

_BLIND = {"synchronize_session": False}


def save(
    session: Session,
    instance: Instance,
    kind: str,
    parameters: Mapping[str, Any],
    user: User,
    fact: engine.Happened,
    step: engine.Step,
    now: datetime,
) -> None:
    """Write what the step has changed, and the rows that belong to this kind of repair."""
    acted = Acted(user=user, facts=[fact])
    token = parameters.get("token")
    if kind in ("retry", "retry_with", "fire"):
        _name_what_is_done(session, instance, kind, token, acted)
    elif kind == "message":
        acted.subscription_id = session.scalar(
            select(Subscription.id).where(Subscription.instance_id == instance.id, Subscription.token == token)
        )
    elif kind == "offer":
        acted.offer_again = token
    if kind == "extend":
        _reschedule_rows(session, instance, int(token or 0), repairkinds.due_of(parameters))
    elif kind == "migrate":
        _change_version(session, instance, int(parameters["deployment"]))
        _follow_names(session, instance, step, parameters.get("names") or {})
    elif kind == "restore":
        _mended(session, instance, user, now)
    elif kind == "restart":
        instance.ended_at, instance.end_event = None, None
    instance_state(instance).info["locked"] = session.get_transaction()
    suspended = instance.status == "suspended"
    projection.save(session, instance, step, acted=acted, now=now)
    if suspended and not step.ended:
        instance.status = "suspended"
        session.flush()


def end_unread(session: Session, instance: Instance) -> None:
    """End a case whose state nobody can read: its rows are closed, and nothing of it waits any more."""
    now = clock.now()
    snapshots.close_all(session, instance, now)
    instance.status, instance.ended_at, instance.updated_at = "terminated", now, now
    session.flush()


def _mended(session: Session, instance: Instance, user: User, now: datetime) -> None:
    session.execute(
        update(Incident)
        .where(Incident.instance_id == instance.id, Incident.resolved_at.is_(None), Incident.cause == "corrupt_state")
        .values(resolved_at=now, resolved_by_id=user.id),
        execution_options=_BLIND,
    )


def _name_what_is_done(session: Session, instance: Instance, kind: str, token: Any, acted: Acted) -> None:
    job_id = session.scalar(
        select(Job.id).where(
            Job.instance_id == instance.id, Job.token == token, Job.status.in_(("queued", "running", "failed"))
        )
    )
    incident_id = session.scalar(
        select(Incident.id)
        .where(Incident.instance_id == instance.id, Incident.token == token, Incident.resolved_at.is_(None))
        .limit(1)
    )
    if kind == "fire":
        acted.job_id = job_id
    else:
        acted.dropped_job_id = job_id
    acted.incident_id = incident_id


def _reschedule_rows(session: Session, instance: Instance, token: int, due: datetime) -> None:
    """The rows of a token that gets another time."""
    task = session.scalars(
        select(Task).where(Task.instance_id == instance.id, Task.token == token, Task.status == "open")
    ).one_or_none()
    if task is not None:
        task.due_at = due
        session.execute(
            update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(due_sort=due), execution_options=_BLIND
        )
    for job in session.scalars(
        select(Job).where(Job.instance_id == instance.id, Job.token == token, Job.status == "queued")
    ):
        job.due_at = due
        wakeups.wake(session, [(job.id, due)])
    session.flush()


def _change_version(session: Session, instance: Instance, deployment_id: int) -> None:
    definition = session.scalars(
        select(ProcessDefinition).where(
            ProcessDefinition.deployment_id == deployment_id,
            ProcessDefinition.process_id == instance.process_id,
            ProcessDefinition.authority_id == instance.authority_id,
        )
    ).one_or_none()
    if definition is None:
        raise errors.InvalidInput(
            "目标版本没有这个流程。", "That version does not have this process.", field="deployment"
        )
    instance.definition, instance.definition_id = definition, definition.id
    instance.deployment_id = definition.deployment_id
    session.flush()


def _follow_names(
    session: Session, instance: Instance, step: engine.Step, names: Mapping[str, Mapping[str, str]]
) -> None:
    """Open rows of tokens that stand at a renamed element stay what they are: claimed, with their drafts."""
    renamed = {goal for pairs in names.values() for goal in pairs.values()}
    for wait in step.waits:
        if isinstance(wait, engine.UserWait):
            session.execute(
                update(Task)
                .where(Task.instance_id == instance.id, Task.token == wait.token, Task.status == "open")
                .values(
                    element_id=wait.element_id,
                    name=wait.element_name or wait.element_id,
                    form_id=wait.form_id,
                    documentation=wait.documentation,
                    properties=dict(wait.properties),
                    excludes=separated(step.run.bundle, wait),
                ),
                execution_options=_BLIND,
            )
        elif isinstance(wait, engine.JobWait | engine.TimerWait) and wait.element_id in renamed:
            session.execute(
                update(Job)
                .where(
                    Job.instance_id == instance.id,
                    Job.token == wait.token,
                    Job.status.in_(("queued", "running", "failed")),
                )
                .values(element_id=wait.element_id),
                execution_options=_BLIND,
            )


def change(session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any], user: User) -> None:
    now = clock.now()
    if kind == "suspend":
        instance.status = "suspended"
    elif kind == "resume":
        instance.status = "active"
        session.flush()
        _restate(session, instance)
        wake(session, instance)
    elif kind == "resend":
        job = sent(session, instance, parameters)
        jobs.add(
            session,
            job.kind,
            authority_id=job.authority_id,
            topic=job.topic,
            payload=job.payload,
            instance_id=instance.id,
        )
    else:
        task = open_task(session, instance, parameters)
        goal = None if kind == "release" else person(session, instance, task, parameters)
        if goal is not None:
            duties.forbid_assignee(session, task, goal)
        task.assignee_id, task.claimed_at = (goal.id, now) if goal else (None, None)
        task.on_behalf_of_id = None
        if goal is not None and not permissions.is_offered(goal, task.candidates):
            # An administrator may ask anybody of the authority; from now on the task is offered to them, too.
            session.add(TaskCandidate(task_id=task.id, user_id=goal.id, claimed=True, due_sort=task.due_sort))
        session.execute(
            update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(claimed=goal is not None),
            execution_options=_BLIND,
        )
        session.execute(
            update(Incident)
            .where(
                Incident.instance_id == instance.id,
                Incident.token == task.token,
                Incident.resolved_at.is_(None),
                Incident.cause.in_((*projection.NOBODY, "assignee_left", "all_excluded", "all_absent")),
            )
            .values(resolved_at=now, resolved_by_id=user.id),
            execution_options=_BLIND,
        )
        _restate(session, instance)
        session.flush()
        duties.refresh(session, instance.id)
    instance.updated_at = now
    session.flush()


def _restate(session: Session, instance: Instance) -> None:
    if instance.status in ("active", "incident"):
        trouble = session.scalar(
            select(Incident.id).where(Incident.instance_id == instance.id, Incident.resolved_at.is_(None)).limit(1)
        )
        instance.status = "active" if trouble is None else "incident"


def wake(session: Session, instance: Instance) -> None:
    waiting = session.execute(
        select(Job.id, Job.due_at).where(Job.instance_id == instance.id, Job.status == "queued")
    ).all()
    wakeups.wake(session, [(job_id, due_at) for job_id, due_at in waiting])


# The rows a repair speaks of


def resting(session: Session, instance: Instance, known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the rows say that tokens rest, where no state can; what is ``known`` of them is told in its words."""
    named = {(one["token"], one["element"]): one for one in known}
    tasks = select(Task.token, Task.element_id, Task.name, Task.process_id, literal("task")).where(
        Task.instance_id == instance.id, Task.status == "open"
    )
    jobs = select(Job.token, Job.element_id, Job.element_id, Job.process_id, Job.kind).where(
        Job.instance_id == instance.id, Job.token.is_not(None), Job.status.in_(("queued", "running", "failed"))
    )
    heard = select(
        Subscription.token, Subscription.element_id, Subscription.name, Subscription.process_id, literal("message")
    ).where(Subscription.instance_id == instance.id)
    found = [
        named.get((token, element))
        or {
            "token": token,
            "kind": "job" if kind == "service" else kind,
            "element": element,
            "name": name,
            "process": process_id,
        }
        for query in (tasks, jobs, heard)
        for token, element, name, process_id, kind in session.execute(query)
    ]
    return sorted(found, key=lambda one: one["token"] or 0)


def open_task(session: Session, instance: Instance, parameters: Mapping[str, Any]) -> Task:
    task = session.scalars(
        select(Task).where(
            Task.instance_id == instance.id, Task.token == parameters.get("token"), Task.status == "open"
        )
    ).one_or_none()
    if task is None:
        raise Moved("这项任务已不在办理中。", "This task is no longer open.")
    return task


def person(session: Session, instance: Instance, task: Task, parameters: Mapping[str, Any]) -> User:
    name = parameters.get("assignee")
    found = session.scalars(
        select(User).where(User.username == name, User.authority_id == instance.authority_id, User.active)
    ).one_or_none()
    if found is None:
        raise errors.InvalidInput(
            f"没有可用的账号“{name}”。", f"There is no active account “{name}”.", field="assignee"
        )
    return found


def sent(session: Session, instance: Instance, parameters: Mapping[str, Any]) -> Job:
    job = session.get(Job, parameters.get("job") or 0)
    if job is None or job.instance_id != instance.id or job.token is not None or job.status not in ("done", "failed"):
        raise errors.InvalidInput(
            "没有这件已发出的邮件或消息。", "There is no such mail or message that was sent.", field="job"
        )
    return job
