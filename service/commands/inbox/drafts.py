"""What somebody has typed into the form of an open task: kept while they type, gone when it is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from service import clock, errors, merging, permissions, returning, wording
from service.models import Draft, Task, User

from . import task_forms


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


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that was changed at two places: its path and name, and what stands at each in words and as a value."""

    path: str
    label: str
    mine: Any
    theirs: Any
    mine_text: str
    theirs_text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it was saved; ``values`` differ from what was sent where somebody else had changed it meanwhile."""

    draft: Draft
    values: dict[str, Any]
    merged: bool
    conflicts: list[Conflict]


def keep(
    session: Session,
    task_id: int,
    values: Mapping[str, Any],
    *,
    user: User,
    form_hash: str = "",
    known: str | None = None,
    base: Mapping[str, Any] | None = None,
    opened: Mapping[str, Any] | None = None,
) -> Kept:
    """Keep what has been typed, together with what the same person typed elsewhere since.

    ``known`` is the moment of the draft that the sender builds on, ``base`` what it held; ``opened`` is what the form
    held when typing began. Where both places changed a field, the sender's stands and the conflict is told.
    """
    if wording.is_english(session):
        task = _workable(session, task_id, user)
        values, base, opened = task_forms.written(session, task, values, base or {}, opened or {})
    before = session.get(Draft, (task_id, user.id), populate_existing=True)
    stale = before is not None and before.saved_at.isoformat() != known
    merged = merging.merge(base or {}, values, before.values) if before is not None and stale else None
    result = merged.values if merged is not None else dict(values)
    held = before.base if before is not None else None
    conflicts = (
        conflicts_of(session, task_id, merged.conflicts, values, before.values, user=user)
        if merged is not None and before is not None
        else []
    )
    draft = save(session, task_id, result, user=user, form_hash=form_hash)
    draft.base = held if held is not None else dict(opened or {})
    session.flush()
    return Kept(draft, result, merged is not None and result != dict(values), conflicts)


def conflicts_of(
    session: Session, task_id: int, paths: list[str], mine: Mapping[str, Any], theirs: Mapping[str, Any], *, user: User
) -> list[Conflict]:
    """The fields of these paths, in the words of the task's form."""
    form = task_forms.of_task(session, task_id, user=user) if paths else None
    language = "en" if wording.is_english(session) else "zh"
    known = {one.path: one for one in returning.fields(form.read_in(language).schema)} if form is not None else {}
    found = []
    for path in paths:
        here, there = value_at(mine, path), value_at(theirs, path)
        component = known[path].component if path in known else {}
        name = known[path].label if path in known else path
        words = ["；".join(returning.in_words(component, one)) for one in (here, there)]
        found.append(Conflict(path, name, here, there, *words))
    return found


def value_at(values: Any, path: str) -> Any:
    """What stands at a path; None where there is nothing."""
    for part in path.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def on_opening(session: Session, task_id: int, now: Mapping[str, Any], *, user: User) -> Kept | None:
    """What somebody typed earlier, laid over what the case holds now; None where they typed nothing.

    ``now`` are the form's own values. Where the case changed a field that they changed too, theirs stands and the
    conflict is told.
    """
    draft = session.get(Draft, (task_id, user.id))
    if draft is None:
        return None
    if draft.base is None:
        return Kept(draft, draft.values, False, [])
    merged = merging.merge(draft.base, draft.values, now)
    conflicts = conflicts_of(session, task_id, merged.conflicts, draft.values, now, user=user)
    return Kept(draft, merged.values, merged.values != draft.values, conflicts)


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
