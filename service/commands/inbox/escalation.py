"""What is overdue is brought before a superior, who urges whoever has it or hands it to another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, permissions, wording
from service.commands.cases import history, instances
from service.commands.people import telling
from service.commands.procedures import deployments
from service.engine.model import Process
from service.models import Event, Instance, Job, Task, User

AGAIN = timedelta(hours=1)
"""So long after somebody has urged, nobody urges again."""


def overdue_task(session: Session, instance: Instance, job_id: int) -> Task | None:
    """The open task at whose boundary the timer fired that led to a job; None where there is no such one task."""
    job = session.get(Job, job_id)
    if job is None or job.process_id is None or job.element_id is None:
        return None
    process = deployments.bundle(session, instance.deployment_id).models.get(job.process_id)
    host = _host(process, job.element_id) if process is not None else None
    if host is None:
        return None
    found = session.scalars(
        select(Task).where(
            Task.instance_id == instance.id,
            Task.process_id == job.process_id,
            Task.element_id == host,
            Task.status == "open",
        )
    ).all()
    return found[0] if len(found) == 1 else None


def _host(process: Process, element_id: str) -> str | None:
    """Back along the flows to a timer at the boundary of a task that goes on; what it stands on."""
    scope = next((scope for scope, node in process.walk() if node.id == element_id), None)
    seen: set[str] = set()
    waiting = [element_id]
    while scope is not None and waiting:
        node = scope.nodes[waiting.pop()]
        if node.attached_to and not node.interrupting and node.event is not None and node.event.kind == "timer":
            return node.attached_to
        if node.id in seen or (node.is_activity and node.id != element_id and node.kind != "serviceTask"):
            continue
        seen.add(node.id)
        waiting += [scope.flows[flow].source for flow in node.incoming if flow in scope.flows]
    return None


def escalated(session: Session, task: Task, told: Iterable[User]) -> None:
    """Keep in the history of the case that an overdue task was brought before somebody."""
    history.note_task(session, task, "escalation", None, {"to": [one.name for one in told]})


def urge(session: Session, task_id: int, *, user: User) -> Task:
    """Tell whoever has an overdue task, or everybody it is offered to, that the superior waits for it.

    Raises Forbidden for whoever is not answerable for the task, Conflict where it was urged within the last hour.
    """
    instance = instances.lock_of_task(session, task_id)
    task = session.get_one(Task, task_id, populate_existing=True)
    if not permissions.may_see_task(user, task, task.candidates):
        raise errors.NotFound()
    if not permissions.may_supervise(user, task):
        raise errors.Forbidden()
    now = clock.now()
    last = session.scalar(
        select(Event)
        .where(Event.instance_id == instance.id, Event.kind == "urged", Event.task_id == task.id)
        .where(Event.at > now - AGAIN)
        .order_by(Event.id.desc())
        .limit(1)
    )
    if last is not None:
        who = last.user.name if last.user else ""
        raise errors.Conflict(
            f"{who}不到一小时前刚催办过，请稍后再催。",
            f"{who} urged less than an hour ago; wait a while.",
            code="urged",
        )
    name, title = wording.both(session, instance, task.process_id, task.name)
    zh = f"{user.name}催办“{task.name}”：已逾期，请尽快办理（{instance.number} {instance.title}）。"
    en = f"{user.name} waits for “{name}”, which is overdue ({instance.number} {title})."
    people = [one for one in telling.people(session, task, now) if one.id != user.id]
    for person in people:
        subject = (f"催办：{task.name}", f"Overdue: {name}")
        telling.tell(session, person, "urged", zh, en, instance=instance, task=task, subject=subject)
    history.note_task(session, task, "urged", user, {"to": [one.name for one in people]})
    return task
