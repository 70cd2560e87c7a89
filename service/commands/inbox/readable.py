"""A task as its reader is given it: with its candidates, its case and the case's bundle, or not at all."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from service import errors, permissions
from service.models import Instance, Task, User


def task(session: Session, task_id: int, *, user: User) -> Task:
    """The task of this id. Raises NotFound where there is none, or none that the user may see."""
    query = (
        select(Task)
        .where(Task.id == task_id)
        .options(joinedload(Task.candidates), joinedload(Task.instance).joinedload(Instance.deployment))
    )
    found = session.scalars(query).unique().one_or_none()
    if found is None or not permissions.may_see_task(user, found, found.candidates):
        raise errors.NotFound()
    return found


__all__ = ["task"]
