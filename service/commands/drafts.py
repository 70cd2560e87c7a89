"""What somebody has typed into the form of an open task: kept while they type, gone when it is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from service import clock, errors, permissions
from service.models import Draft, Task, User


def save(session: Session, task_id: int, values: Mapping[str, Any], *, user: User, form_hash: str = "") -> Draft:
    """Keep what has been typed so far. Nothing is checked: a draft may be wrong and half-done."""
    _workable(session, task_id, user)
    row = {
        "task_id": task_id,
        "user_id": user.id,
        "values": dict(values),
        "form_hash": form_hash,
        "saved_at": clock.now(),
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    written = insert(Draft).values(row)
    session.execute(
        written.on_conflict_do_update(
            index_elements=[Draft.task_id, Draft.user_id],
            set_={name: written.excluded[name] for name in ("values", "form_hash", "saved_at")},
        )
    )
    return session.get_one(Draft, (task_id, user.id), populate_existing=True)


def load(session: Session, task_id: int, *, user: User) -> Draft | None:
    """Return what the user has typed into this task and not handed in."""
    return session.get(Draft, (task_id, user.id))


def hand_on(session: Session, task_id: int, giver_id: int, taker_id: int) -> None:
    """Give what somebody has typed to the one who goes on with the task; what that one had typed is replaced."""
    draft = session.get(Draft, (task_id, giver_id), populate_existing=True)
    if draft is None:
        return
    theirs = session.get(Draft, (task_id, taker_id), populate_existing=True)
    if theirs is None:
        theirs = Draft(task_id=task_id, user_id=taker_id)
        session.add(theirs)
    theirs.values, theirs.base = dict(draft.values), draft.base
    theirs.form_hash, theirs.saved_at = draft.form_hash, draft.saved_at
    session.flush()


def discard(session: Session, task_id: int, *, user: User) -> None:
    """Throw away what has been typed."""
    session.execute(
        delete(Draft).where(Draft.task_id == task_id, Draft.user_id == user.id),
        execution_options={"synchronize_session": False},
    )


def _workable(session: Session, task_id: int, user: User) -> Task:
    task = (
        session.scalars(select(Task).where(Task.id == task_id).options(joinedload(Task.candidates)))
        .unique()
        .one_or_none()
    )
    if task is None or not permissions.may_see_task(user, task, task.candidates):
        raise errors.NotFound()
    if task.status != "open":
        raise errors.TaskOver(
            "此任务已办结或撤销，草稿不再保存。", "This task is no longer open; drafts are not kept any more."
        )
    if not permissions.may_work_on(user, task, task.candidates):
        raise errors.Forbidden()
    return task
