"""The sandboxes in which drafts are played, and what they are given of a working copy."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from service import errors, sandbox
from service.commands.administration import workcalendar
from service.commands.procedures import workshop
from service.models import DryRun, WorkingCopy

from .. import here


def pool() -> sandbox.Pool:
    """The sandboxes of this process."""
    found: sandbox.Pool = current_app.extensions["guohe.sandboxes"]
    return found


def as_it_is(session: Session, copy: WorkingCopy) -> sandbox.Draft:
    """What a sandbox is given of a working copy as it is now."""
    return sandbox.Draft(workshop.files(session, copy), workcalendar.entered(session))


def unless_preparing(held: sandbox.Held) -> None:
    if held.problem is not None:
        raise held.problem
    if held.preparing or held.view is None:
        raise errors.Busy("试运行正在准备，请稍候再试。", "The try-out is being prepared; try again in a moment.")


def prepared(session: Session, run: DryRun) -> sandbox.Held:
    return pool().prepare(run.id, state(session, run), loader(run), run.head, run.steps)


def state(session: Session, run: DryRun) -> str:
    return f"{run.working_copy_id}.{run.revision}.{run.head.get('profile')}"


def loader(run: DryRun) -> Any:
    """How a sandbox gets its files, in a thread and a transaction of its own."""
    database, copy_id, revision = here.database(), run.working_copy_id, run.revision

    def load() -> sandbox.Draft:
        with database.transaction(readonly=True) as session:
            files = workshop.at(session, session.get_one(WorkingCopy, copy_id), revision)
            return sandbox.Draft(files, workcalendar.entered(session))

    return load


def files_of(session: Session, run: DryRun) -> dict[str, bytes]:
    return workshop.at(session, session.get_one(WorkingCopy, run.working_copy_id), run.revision)
