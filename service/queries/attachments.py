"""Files that people attached: those of a case, and one for whoever may have it."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from .. import permissions
from ..models import Attachment, Instance, Task, TaskCandidate, User
from . import instances


def of_case(session: Session, user: User, instance_id: int) -> list[Attachment]:
    """Return the files of a case that the user may have, oldest first."""
    if not instances.sees(session, user, instance_id):
        return []
    opens = _opens(session, user, instance_id)
    query = select(Attachment).where(Attachment.instance_id == instance_id).order_by(Attachment.id)
    return [one for one in session.scalars(query.options(_task())) if _may_see(user, one, sees_instance=opens)]


def attachment(session: Session, user: User, attachment_id: int) -> Attachment | None:
    """Return a file, or None where there is none that the user may have."""
    found = session.scalar(select(Attachment).where(Attachment.id == attachment_id).options(_task()))
    if found is None:
        return None
    sees = found.instance_id is not None and instances.sees(session, user, found.instance_id)
    opens = sees and found.instance_id is not None and _opens(session, user, found.instance_id)
    return found if _may_see(user, found, sees_instance=opens) else None


def _opens(session: Session, user: User, instance_id: int) -> bool:
    instance = session.get_one(Instance, instance_id)
    theirs = or_(Task.assignee_id == user.id, Task.completed_by_id == user.id)
    offered = Task.id.in_(select(TaskCandidate.task_id).where(permissions.offered_to(user)))
    asked = select(Task).where(Task.instance_id == instance_id, or_(theirs, offered))
    return permissions.may_open_files(user, instance, instance.parties, session.scalars(asked))


def _task() -> ExecutableOption:
    return joinedload(Attachment.task).options(selectinload(Task.candidates))


def _may_see(user: User, found: Attachment, *, sees_instance: bool) -> bool:
    sees_task = found.task is not None and permissions.may_see_task(user, found.task, found.task.candidates)
    return permissions.may_see_attachment(user, found, sees_instance=sees_instance, sees_task=sees_task)
