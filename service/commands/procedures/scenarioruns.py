"""Scenarios played in the background: ask for it, write down what comes, and ask what is known about some files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors
from service.models import ScenarioRun, User

from . import workshop

DEAD_AFTER = timedelta(minutes=3)
KEPT = 20
"""So many runs of a working copy are kept."""


def is_scenario(path: str) -> bool:
    """True for a file that is played: ``scenarios/x.yaml``, but no part of others (``_x.yaml``)."""
    folder, _, name = path.rpartition("/")
    return folder.endswith("scenarios") and name.endswith(".yaml") and not name.startswith("_")


def files_hash(files: Mapping[str, bytes]) -> str:
    """A name for exactly these files, scenarios included."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{hashlib.sha256(files[path]).hexdigest()}\n".encode())
    return total.hexdigest()


def ask(session: Session, copy_id: int, *, user: User, paths: Sequence[str] = ()) -> ScenarioRun:
    """Ask for scenarios of a working copy to be played as it is now; none named: all of them."""
    copy = workshop.take(session, copy_id, user=user, closed=True)
    files = workshop.files(session, copy)
    present = sorted(path for path in files if is_scenario(path))
    chosen = [path for path in present if path in set(paths)] if paths else present
    if not chosen:
        raise errors.InvalidInput("没有可以运行的场景。", "There are no scenarios to play.", field="path")
    going = session.scalar(
        select(ScenarioRun.id).where(
            ScenarioRun.working_copy_id == copy.id,
            ScenarioRun.status.in_(("queued", "running")),
            ScenarioRun.beat_at > clock.now() - DEAD_AFTER,
        )
    )
    if going is not None:
        raise errors.Conflict("这个副本的场景正在运行。", "They are being played already.", code="running")
    workshop.seal(session, copy)
    now = clock.now()
    run = ScenarioRun(
        authority_id=copy.authority_id,
        working_copy_id=copy.id,
        revision=copy.revision,
        files_hash=files_hash(files),
        whole=chosen == present,
        paths=chosen,
        started_at=now,
        started_by_id=user.id,
        beat_at=now,
    )
    session.add(run)
    session.flush()
    old = session.scalars(
        select(ScenarioRun).where(ScenarioRun.working_copy_id == copy.id).order_by(ScenarioRun.id.desc())
    ).all()
    for one in old[KEPT:]:
        session.delete(one)
    session.flush()
    return run


def begin(session: Session, run_id: int) -> ScenarioRun | None:
    """Take a run that was asked for; None where it is gone or taken."""
    run = session.get(ScenarioRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.status != "queued":
        return None
    run.status, run.beat_at = "running", clock.now()
    session.flush()
    return run


def record(session: Session, run_id: int, results: Mapping[str, Any]) -> bool:
    """Write down outcomes by path; False where nobody wants to know any more."""
    run = session.get(ScenarioRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.status != "running":
        return False
    run.results = {**run.results, **results}
    run.beat_at = clock.now()
    session.flush()
    return True


def finish(session: Session, run_id: int, coverage: Mapping[str, Any]) -> None:
    """Write down that all were played, and what they covered."""
    run = session.get(ScenarioRun, run_id, with_for_update=True, populate_existing=True)
    if run is not None:
        run.status, run.coverage, run.finished_at = "done", dict(coverage), clock.now()
        session.flush()


def fail(session: Session, run_id: int, reason: str) -> None:
    """Write down that it could not be played to the end."""
    run = session.get(ScenarioRun, run_id, with_for_update=True, populate_existing=True)
    if run is not None:
        run.status, run.failure, run.finished_at = "failed", reason[:2000], clock.now()
        session.flush()


def cancel(session: Session, run_id: int, *, user: User) -> None:
    """Stop a run that is going on."""
    run = session.get(ScenarioRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise errors.NotFound()
    workshop.take(session, run.working_copy_id, user=user, closed=True)
    if run.status in ("queued", "running"):
        run.status, run.failure, run.finished_at = "failed", "已停止。", clock.now()
        session.flush()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known about the scenarios of some files: those that do not pass, and those nobody has played on them."""

    total: int
    failing: list[str]
    unknown: list[str]

    @property
    def passed(self) -> bool:
        """True where all were played on exactly these files and passed."""
        return not self.failing and not self.unknown


def verdict(session: Session, files: Mapping[str, bytes], authority_id: int) -> Verdict:
    """Say what is known about the scenarios of exactly these files."""
    present = sorted(path for path in files if is_scenario(path))
    known: dict[str, bool] = {}
    if present:
        runs = session.scalars(
            select(ScenarioRun.results)
            .where(ScenarioRun.authority_id == authority_id, ScenarioRun.files_hash == files_hash(files))
            .order_by(ScenarioRun.id)
        )
        for results in runs:
            known |= {path: bool(result["ok"]) for path, result in results.items()}
    return Verdict(
        len(present),
        [path for path in present if known.get(path) is False],
        [path for path in present if path not in known],
    )
