"""Taking a task out of somebody's hands without their doing, so that everybody it is offered to may take it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.models import Task, TaskCandidate

from . import history


def put_back(session: Session, task: Task, *, because: str, **said: Any) -> None:
    """Put a task back that somebody holds, and write into the history who held it and why it was taken from them."""
    before = task.assignee_id
    task.assignee_id = task.claimed_at = task.on_behalf_of_id = None
    session.execute(
        update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(claimed=False),
        execution_options={"synchronize_session": False},
    )
    history.note_task(session, task, "released", None, {"before": before, "because": because, **said})


__all__ = ["put_back"]
