"""The clock of a step: working days from when it was reached to when it is due, stopped while the case was away.

A user task with the property ``clock`` = ``continues`` has one clock for all its rounds: reached again, after a
return for instance, it goes on from where it stood, and the timers on its boundary with it. Others begin anew each
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, workdays
from service.models import Instance, Task

PROPERTY = "clock"
CONTINUES = "continues"


@dataclass(frozen=True, slots=True)
class Round:
    """One time that a step was reached: from when to when, and when it was due."""

    begun: datetime
    ended: datetime | None
    due: datetime | None


def due(session: Session, instance: Instance, wait: engine.UserWait, now: datetime) -> datetime | None:
    """When a step that is reached now has to be done."""
    if wait.due is None or wait.properties.get(PROPERTY) != CONTINUES:
        return wait.due
    earlier = _rounds(session, instance.id, wait.process_id, wait.element_id)
    if not earlier or earlier[0].due is None:
        return wait.due
    days = workdays.count(workdays.day_of(earlier[0].begun), workdays.day_of(earlier[0].due))
    return _counted(earlier, days, wait.due, now)


def rings(
    session: Session, instance: Instance, wait: engine.TimerWait, bundle: engine.Bundle, now: datetime
) -> datetime:
    """When a timer goes off that is set now.

    One for a day, on the boundary of a step whose clock continues, goes by this clock: so many working days after the
    step was first reached, without the days that the case was away. A return neither winds it up again nor lets it run.
    """
    event = bundle.node(wait.process_id, wait.element_id)
    host = bundle.node(wait.process_id, event.attached_to) if event is not None and event.attached_to else None
    if event is None or host is None or host.properties.get(PROPERTY) != CONTINUES:
        return wait.due
    earlier = _rounds(session, instance.id, wait.process_id, host.id)
    if event.event is None or event.event.timer_kind != "date" or not earlier or wait.due <= now:
        return wait.due
    return _counted(earlier, workdays.count(workdays.day_of(now), workdays.day_of(wait.due)), wait.due, now)


def _counted(earlier: Sequence[Round], days: int, at: datetime, now: datetime) -> datetime:
    """So many working days from the first round on, without those between the rounds, at the same time of the day."""
    first = workdays.day_of(earlier[0].begun)
    last = workdays.deadline(first, days, paused=pauses(earlier, now), now=workdays.day_of(now)).day
    return datetime.combine(last, at.astimezone(workdays.CHINA).timetz()).astimezone(at.tzinfo)


def of_task(session: Session, task: Task) -> tuple[workdays.Explanation, list[workdays.Pause]] | None:
    """How the deadline of a task is counted, and when its clock stood; None where it has none."""
    if task.due_at is None:
        return None
    rounds = [Round(task.created_at, task.completed_at, task.due_at)]
    if task.properties.get(PROPERTY) == CONTINUES:
        earlier = _rounds(session, task.instance_id, task.process_id, task.element_id, before=task.id)
        rounds = [*earlier, *rounds]
    if rounds[0].due is None:
        return None
    first = workdays.day_of(rounds[0].begun)
    days = workdays.count(first, workdays.day_of(rounds[0].due))
    stood = pauses(rounds[:-1], rounds[-1].begun)
    until = task.completed_at if task.completed_at is not None else clock.now()
    return workdays.explain(first, max(days, 0), until, paused=stood), stood


def pauses(rounds: Sequence[Round], again: datetime) -> list[workdays.Pause]:
    """From the end of each round to the beginning of the next, the last of which begins at ``again``."""
    ends: list[date] = [workdays.day_of(one.ended) for one in rounds if one.ended is not None]
    begins: list[date] = [workdays.day_of(one.begun) for one in rounds[1:]] + [workdays.day_of(again)]
    return list(zip(ends, begins, strict=False))


def _rounds(
    session: Session, instance_id: int, process_id: str, element_id: str, before: int | None = None
) -> list[Round]:
    chosen = select(Task.created_at, Task.completed_at, Task.due_at).where(
        Task.instance_id == instance_id,
        Task.process_id == process_id,
        Task.element_id == element_id,
        Task.status == "completed",
    )
    if before is not None:
        chosen = chosen.where(Task.id < before)
    return [Round(begun, ended, due) for begun, ended, due in session.execute(chosen.order_by(Task.id))]
