"""What people do, as lines of the history: to a case, to a task, to an authority's own affairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.models import Event, Instance, Task, User


def note(session: Session, instance: Instance, kind: str, user: User | None, data: Mapping[str, Any]) -> None:
    """Append what somebody has done to the case as a whole."""
    _append(
        session, kind, user, data, authority_id=instance.authority_id, instance_id=instance.id,
        process_id=instance.process_id,
    )  # fmt: skip


def note_task(session: Session, task: Task, kind: str, user: User | None, data: Mapping[str, Any]) -> None:
    """Append what has been done to a task of a case; no ``user`` where the service did it by itself."""
    _append(
        session, kind, user, data, authority_id=task.authority_id, instance_id=task.instance_id,
        process_id=task.process_id, element_id=task.element_id, element_name=task.name, token=task.token,
        task_id=task.id,
    )  # fmt: skip


def note_authority(session: Session, authority_id: int, kind: str, user: User | None, data: Mapping[str, Any]) -> None:
    """Append what somebody has done that belongs to no case, such as a deployment or a change of roles."""
    _append(session, kind, user, data, authority_id=authority_id)


def _append(session: Session, kind: str, user: User | None, data: Mapping[str, Any], **of: Any) -> None:
    session.add(Event(at=clock.now(), kind=kind, user_id=user.id if user else None, data=dict(data), **of))
    session.flush()
