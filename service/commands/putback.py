"""Taking a task out of somebody's hands without their doing, so that everybody it is offered to may take it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from service import clock
from service.models import Event, Task, TaskCandidate


def put_back(session: Session, task: Task, *, because: str, **said: Any) -> None:
    """Put a task back that somebody holds, and write into the history who held it and why it was taken from them."""
    before = task.assignee_id
    task.assignee_id = task.claimed_at = task.on_behalf_of_id = None
    session.execute(
        update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(claimed=False),
        execution_options={"synchronize_session": False},
    )
    session.add(
        Event(
            authority_id=task.authority_id,
            instance_id=task.instance_id,
            at=clock.now(),
            kind="released",
            process_id=task.process_id,
            element_id=task.element_id,
            element_name=task.name,
            token=task.token,
            task_id=task.id,
            data={"before": before, "because": because, **said},
        )
    )
    session.flush()


__all__ = ["put_back"]
