"""Working copies: edit a bundle without touching what runs, with history, and together without locks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.commands.cases import history
from service.models import Deployment, DeploymentFile, Revision, User, WorkingCopy, WorkingFile

from .archives import check_size, safe_path
from .titles import title_of

SAME_SITTING = timedelta(minutes=10)
LOOK_BACK = 20
"""Autosaves of one person in this time make one revision."""


@dataclass(frozen=True, slots=True)
class Change:
    """The new content of a file (None: remove it) and the hash of what the editor started from (None: no file)."""

    content: bytes | None
    base: str | None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save has come to: the revision, the hashes of the files written, and whom it met on the way."""

    revision: int
    hashes: dict[str, str]
    others: list[dict[str, Any]]


class EditConflict(errors.Conflict):
    """{who} changed “{path}” at {when}, while you were editing it. Nothing was lost: choose what should count."""

    zh_default = "您编辑期间，{who} 于 {when} 修改了“{path}”。两边的内容都在，请选择以哪个为准。"
    code = "edit_conflict"


def sha256(content: bytes) -> str:
    """The hash by which two editors agree what they both saw."""
    return hashlib.sha256(content).hexdigest()


def create(
    session: Session,
    name: str,
    *,
    user: User,
    deployment_id: int | None = None,
    files: Mapping[str, bytes] | None = None,
) -> WorkingCopy:
    """Begin a working copy of what is deployed, of files, or of nothing."""
    _may_edit(user, user.authority_id)
    content = {safe_path(path): data for path, data in (files or {}).items()}
    if deployment_id is not None:
        content |= _deployed(session, deployment_id, user)
    check_size(content)
    now = clock.now()
    copy = WorkingCopy(
        authority_id=user.authority_id,
        name=_named(name),
        deployment_id=deployment_id,
        revision=1,
        created_at=now,
        created_by_id=user.id,
        updated_at=now,
        updated_by_id=user.id,
    )
    session.add(copy)
    session.flush()
    session.add_all(_file(copy, path, data, 1, user, now) for path, data in sorted(content.items()))
    changes = dict.fromkeys(sorted(content), "added")
    session.add(Revision(working_copy_id=copy.id, number=1, at=now, user_id=user.id, kind="start", changes=changes))
    note(session, "working_copy_created", user, {"working_copy": copy.id, "name": copy.name})
    session.flush()
    return copy


def save(
    session: Session,
    copy_id: int,
    changes: Mapping[str, Change],
    *,
    user: User,
    comment: str = "",
    kind: str = "autosave",
) -> Saved:
    """Write files of a working copy. Raises EditConflict where somebody else changed one of them meanwhile.

    Changes by others to other files are no obstacle; they are named, so that the editor can say so.
    """
    copy = take(session, copy_id, user=user)
    present = current(session, copy)
    changes = {safe_path(path): change for path, change in changes.items()}
    for path, change in changes.items():
        _unless_met(present.get(path), path, change)
    after = {path: row.content for path, row in present.items()}
    for path, change in changes.items():
        if change.content is None:
            after.pop(path, None)
        else:
            after[path] = change.content
    check_size(after)
    _one_spelling(after)
    effective = {
        path: change
        for path, change in changes.items()
        if change.content != (present[path].content if path in present else None)
    }
    if effective or comment:
        _write(session, copy, present, effective, user, kind, comment.strip()[:500])
    others = [
        {"path": path, "who": row.changed_by.name, "when": row.changed_at.isoformat(), "sha256": row.sha256}
        for path, row in sorted(current(session, copy).items())
        if row.changed_by_id != user.id and path not in changes
    ]
    hashes = {path: sha256(change.content) for path, change in changes.items() if change.content is not None}
    return Saved(copy.revision, hashes, others)


def rename_file(session: Session, copy_id: int, old: str, new: str, *, user: User) -> Saved:
    """Give a file another path; its content stays byte for byte."""
    copy = take(session, copy_id, user=user)
    present = current(session, copy)
    row = present.get(old)
    new = safe_path(new)
    if row is None:
        raise errors.NotFound(f"没有文件“{old}”。", f"There is no file “{old}”.")
    if new in present:
        raise errors.Conflict(f"“{new}”已存在。", f"“{new}” exists already.", field="path")
    return save(
        session,
        copy_id,
        {old: Change(None, row.sha256), new: Change(row.content, None)},
        user=user,
        comment=f"{old} → {new}",
        kind="save",
    )


def replace_all(
    session: Session, copy_id: int, files: Mapping[str, bytes], *, user: User, comment: str, kind: str = "import"
) -> Saved:
    """Make the working copy hold exactly these files; what was there stays in its history."""
    copy = take(session, copy_id, user=user)
    present = current(session, copy)
    changes = {path: Change(content, _hash_of(present.get(path))) for path, content in files.items()}
    changes |= {path: Change(None, row.sha256) for path, row in present.items() if path not in files}
    return save(session, copy_id, changes, user=user, comment=comment, kind=kind)


def restore(session: Session, copy_id: int, number: int, *, user: User, path: str = "") -> Saved:
    """Bring back the files as they were at a revision, or one of them, as a new revision."""
    copy = take(session, copy_id, user=user)
    files = at(session, copy, number)
    if not path:
        return replace_all(session, copy_id, files, user=user, comment=f"恢复到第 {number} 版", kind="restore")
    if path not in files:
        raise errors.NotFound(f"第 {number} 版没有文件“{path}”。", f"Revision {number} has no file “{path}”.")
    back = {path: Change(files[path], _hash_of(current(session, copy).get(path)))}
    comment = f"{path.rpartition('/')[2]} 恢复到第 {number} 版"
    return save(session, copy_id, back, user=user, comment=comment, kind="restore")


def rename(session: Session, copy_id: int, name: str, *, user: User) -> WorkingCopy:
    """Call a working copy something else."""
    copy = take(session, copy_id, user=user)
    copy.name = _named(name)
    session.flush()
    return copy


def close(session: Session, copy_id: int, *, user: User) -> WorkingCopy:
    """Put a working copy away. It can still be read, and opened again."""
    copy = take(session, copy_id, user=user, closed=True)
    copy.closed_at = None if copy.closed_at else clock.now()
    note(
        session,
        "working_copy_closed" if copy.closed_at else "working_copy_reopened",
        user,
        {"working_copy": copy.id, "name": copy.name},
    )
    session.flush()
    return copy


def take(session: Session, copy_id: int, *, user: User, closed: bool = False) -> WorkingCopy:
    """The working copy, for this transaction to change."""
    copy = session.scalar(
        select(WorkingCopy)
        .where(WorkingCopy.id == copy_id)
        .with_for_update(of=WorkingCopy)
        .execution_options(populate_existing=True)
    )
    if copy is None or not permissions.may_deploy(user, copy.authority_id):
        raise errors.NotFound("没有这个工作副本。", "There is no such working copy.")
    if copy.closed_at is not None and not closed:
        raise errors.Conflict("这个工作副本已经归档，不能修改。", "This working copy has been put away.", code="closed")
    return copy


def seal(session: Session, copy: WorkingCopy) -> None:
    """Let nothing more be written into the newest revision: somebody refers to it."""
    last = session.get_one(Revision, (copy.id, copy.revision))
    if last.kind == "autosave":
        last.kind = "save"


def current(session: Session, copy: WorkingCopy) -> dict[str, WorkingFile]:
    """The files as they are now, by path."""
    rows = session.scalars(
        select(WorkingFile).where(WorkingFile.working_copy_id == copy.id, WorkingFile.until.is_(None))
    )
    return {row.path: row for row in rows}


def files(session: Session, copy: WorkingCopy) -> dict[str, bytes]:
    """The contents as they are now, by path."""
    return {path: row.content for path, row in sorted(current(session, copy).items())}


def at(session: Session, copy: WorkingCopy, number: int) -> dict[str, bytes]:
    """The contents as they were at a revision, by path."""
    if not 1 <= number <= copy.revision:
        raise errors.NotFound(f"没有第 {number} 版。", f"There is no revision {number}.")
    rows = session.execute(
        select(WorkingFile.path, WorkingFile.content)
        .where(
            WorkingFile.working_copy_id == copy.id,
            WorkingFile.since <= number,
            WorkingFile.until.is_(None) | (WorkingFile.until > number),
        )
        .order_by(WorkingFile.path)
    )
    return dict(rows.all())


def last_readable(session: Session, copy: WorkingCopy, path: str) -> int | None:
    """The newest revision in which a file was one that an editor opens."""
    rows = session.scalars(
        select(WorkingFile)
        .where(WorkingFile.working_copy_id == copy.id, WorkingFile.path == path)
        .order_by(WorkingFile.since.desc())
        .limit(LOOK_BACK)
    )
    return next((one.since for one in rows if engine.unreadable(path, one.content) is None), None)


def note(session: Session, kind: str, user: User, data: dict[str, Any]) -> None:
    """Write down for the audit what somebody did in the workshop."""
    history.note_authority(session, user.authority_id, kind, user, data)


def _may_edit(user: User, authority_id: int) -> None:
    if not permissions.may_deploy(user, authority_id):
        raise errors.Forbidden(
            "只有流程负责人和管理员可以修改流程。", "Only process owners and administrators edit procedures."
        )


def _deployed(session: Session, deployment_id: int, user: User) -> dict[str, bytes]:
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or deployment.authority_id != user.authority_id:
        raise errors.NotFound("没有这个部署。", "There is no such deployment.")
    rows = session.execute(
        select(DeploymentFile.path, DeploymentFile.content).where(DeploymentFile.deployment_id == deployment_id)
    )
    return dict(rows.all())


def _named(name: str) -> str:
    name = " ".join(name.split())[:120]
    if not name:
        raise errors.InvalidInput("请填写名称。", "Please give it a name.", field="name")
    return name


def _one_spelling(contents: Mapping[str, bytes]) -> None:
    """Two paths that differ only in case would be one file on many systems."""
    seen: dict[str, str] = {}
    for path in contents:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise errors.Conflict(
                f"“{path}”与“{other}”只有大小写不同。", f"“{path}” and “{other}” differ only in case.", field="path"
            )


def _unless_met(row: WorkingFile | None, path: str, change: Change) -> None:
    """Refuse to write over what the editor has not seen; writing the same is no conflict."""
    now = _hash_of(row)
    wanted = None if change.content is None else sha256(change.content)
    if now in (change.base, wanted):
        return
    if row is None:
        raise EditConflict(
            f"“{path}”已被他人删除。", f"“{path}” was removed by somebody else.", path=path, removed=True
        )
    raise EditConflict(
        path=path,
        who=row.changed_by.name,
        when=row.changed_at,
        sha256=row.sha256,
        field=path,
    )


def _hash_of(row: WorkingFile | None) -> str | None:
    return None if row is None else row.sha256


def _write(
    session: Session,
    copy: WorkingCopy,
    present: Mapping[str, WorkingFile],
    changes: Mapping[str, Change],
    user: User,
    kind: str,
    comment: str,
) -> None:
    now = clock.now()
    last = session.get_one(Revision, (copy.id, copy.revision))
    sitting = (
        kind == last.kind == "autosave" and last.user_id == user.id and now - last.at < SAME_SITTING and not comment
    )
    if not sitting:
        copy.revision += 1
        last = Revision(
            working_copy_id=copy.id, number=copy.revision, at=now, user_id=user.id, kind=kind, comment=comment
        )
        last.changes = {}
        session.add(last)
    touched = dict(last.changes)
    for path, change in changes.items():
        _write_file(session, copy, present.get(path), path, change.content, user, now)
        touched[path] = _kind_of_change(touched.get(path), present.get(path), change.content)
    last.changes = {path: what for path, what in touched.items() if what}
    copy.updated_at, copy.updated_by_id = now, user.id
    session.flush()


def _write_file(
    session: Session,
    copy: WorkingCopy,
    row: WorkingFile | None,
    path: str,
    content: bytes | None,
    user: User,
    now: datetime,
) -> None:
    if row is not None and row.since == copy.revision and content is not None:
        row.content, row.sha256, row.title = content, sha256(content), title_of(path, content)
        row.changed_at, row.changed_by_id = now, user.id
        row.changed_by = user
        return
    if row is not None and row.since == copy.revision:
        session.delete(row)
    elif row is not None:
        row.until = copy.revision
    if content is not None:
        session.add(_file(copy, path, content, copy.revision, user, now))


def _file(copy: WorkingCopy, path: str, content: bytes, since: int, user: User, now: datetime) -> WorkingFile:
    return WorkingFile(
        working_copy_id=copy.id,
        path=path,
        content=content,
        sha256=sha256(content),
        title=title_of(path, content),
        since=since,
        changed_at=now,
        changed_by_id=user.id,
    )


def _kind_of_change(before: str | None, row: WorkingFile | None, content: bytes | None) -> str:
    if content is None:
        return "" if before == "added" else "removed"
    return "added" if before == "added" or (row is None and before is None) else "changed"
