"""Try-outs: begin one, keep its steps, take steps back. What the steps lead to is no row of this database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.models import DryRun, User

from . import workshop

MOST_STEPS = 400
MOST_BYTES = 2 * 1024 * 1024
MOST_RUNS = 20
"""So many try-outs of one person are kept; the one used longest ago makes room."""


class StepTaken(errors.Conflict):
    """This try-out has gone on in another window. Look at where it stands now."""

    zh_default = "这次试运行已在另一个窗口中前进，请查看最新状态。"
    code = "step_taken"


def begin(
    session: Session,
    copy_id: int,
    *,
    user: User,
    process_id: str,
    head: Mapping[str, Any] | None = None,
    steps: Sequence[Mapping[str, Any]] = (),
    path: str | None = None,
) -> DryRun:
    """Begin a try-out of a working copy as it is now. Whatever is edited later does not change it."""
    copy = workshop.take(session, copy_id, user=user, closed=True)
    workshop.seal(session, copy)
    now = clock.now()
    run = DryRun(
        authority_id=copy.authority_id,
        user_id=user.id,
        working_copy_id=copy.id,
        revision=copy.revision,
        process_id=process_id,
        path=path,
        head={"process": process_id, "start": {"none": True}, **(head or {})},
        steps=[dict(step) for step in steps],
        created_at=now,
        used_at=now,
    )
    _bounded(run)
    session.add(run)
    session.flush()
    old = session.scalars(
        select(DryRun).where(DryRun.user_id == user.id).order_by(DryRun.used_at.desc(), DryRun.id.desc())
    ).all()
    for one in old[MOST_RUNS:]:
        session.delete(one)
    session.flush()
    return run


def add(session: Session, run_id: int, step: Mapping[str, Any], *, user: User, after: int) -> DryRun:
    """Keep a step that was played after ``after`` others. Raises StepTaken where another window was faster."""
    run = take(session, run_id, user=user)
    if len(run.steps) != after:
        raise StepTaken
    run.steps = [*run.steps, dict(step)]
    _bounded(run)
    session.flush()
    return run


def back(session: Session, run_id: int, to: int, *, user: User) -> DryRun:
    """Forget all steps after the first ``to``."""
    run = take(session, run_id, user=user)
    run.steps = run.steps[: max(0, to)]
    session.flush()
    return run


def renew(session: Session, run_id: int, *, user: User) -> DryRun:
    """Go on with the draft as it is now, with the same steps as far as they still can be taken."""
    run = take(session, run_id, user=user)
    copy = workshop.take(session, run.working_copy_id, user=user, closed=True)
    workshop.seal(session, copy)
    run.revision = copy.revision
    session.flush()
    return run


def profile(session: Session, run_id: int, profile: str, *, user: User) -> DryRun:
    """Play it by the regulation alone (``strict``) or with the practice around it (``practice``)."""
    if profile not in ("strict", "practice"):
        raise errors.InvalidInput("应为 strict 或 practice。", "strict or practice.", field="profile")
    run = take(session, run_id, user=user)
    run.head = {**run.head, "profile": profile}
    session.flush()
    return run


def remove(session: Session, run_id: int, *, user: User) -> None:
    """Forget a try-out."""
    session.delete(take(session, run_id, user=user))
    session.flush()


def take(session: Session, run_id: int, *, user: User) -> DryRun:
    """A try-out of one's own, for this transaction to change."""
    run = session.get(DryRun, run_id, with_for_update={"of": DryRun}, populate_existing=True)
    if run is None or run.user_id != user.id or not permissions.may_deploy(user, run.authority_id):
        raise errors.NotFound("没有这次试运行。", "There is no such try-out.")
    run.used_at = clock.now()
    return run


def _bounded(run: DryRun) -> None:
    if len(run.steps) > MOST_STEPS or len(orjson.dumps([run.head, run.steps])) > MOST_BYTES:
        raise errors.TooLarge(
            f"试运行最多 {MOST_STEPS} 步、{MOST_BYTES // 1024 // 1024} MB；请录制为场景后另开一次。",
            f"A try-out has at most {MOST_STEPS} steps and {MOST_BYTES // 1024 // 1024} MB.",
        )
