"""When somebody wants to see a task of theirs again, and how much it presses."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service import clock, errors, permissions
from service.commands.cases import history
from service.models import Task, User


def plan(session: Session, task_id: int, *, user: User, follow_up: date | None, priority: int) -> Task:
    """Hide a task from its holder's list until a day (Chinese time), and set its priority from 0 to 100."""
    task = (
        session.scalars(
            select(Task).where(Task.id == task_id).options(joinedload(Task.candidates)).with_for_update(of=Task)
        )
        .unique()
        .one_or_none()
    )
    if task is None or not permissions.may_see_task(user, task, task.candidates):
        raise errors.NotFound()
    if not permissions.may_plan(user, task):
        raise errors.Forbidden()
    if not 0 <= priority <= 100:
        raise errors.InvalidInput(
            "优先级应为 0 到 100 的整数。", "The priority is a whole number from 0 to 100.", field="priority"
        )
    if follow_up is not None and follow_up <= clock.today():
        raise errors.InvalidInput(
            "搁置到的日期应在今天之后。", "The day to see it again has to come after today.", field="follow_up"
        )
    until = datetime.combine(follow_up, time(), clock.CHINA) if follow_up is not None else None
    before = {"follow_up": _plain(task.follow_up_at), "priority": task.priority}
    task.follow_up_at, task.priority = until, priority
    after = {"follow_up": _plain(until), "priority": priority}
    if before != after:
        history.note_task(session, task, "planned", user, {"before": before, "after": after})
    session.flush()
    return task


def _plain(at: datetime | None) -> str | None:
    return at.astimezone(clock.CHINA).date().isoformat() if at else None
