"""Scenarios played in the background: one run at a time in this process, each outcome written as it comes.

The row says how far it is; a run whose server died stops beating and can be asked for again.
"""

from __future__ import annotations

import logging
import queue
import threading
from typing import Any

from service import errors
from service.commands.administration import workcalendar
from service.commands.procedures import scenarioruns, workshop
from service.db import Database
from service.models import WorkingCopy

from .process import Draft, Limits, Sandbox, SandboxLost

log = logging.getLogger(__name__)

MOST_WAITING = 20


class Runs:
    """The queue of this process and the thread that works it off."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self.database, self.limits = database, limits
        self._waiting: queue.Queue[int | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def put(self, run_id: int) -> None:
        """Play what was asked for, when its turn comes. Raises Busy where too many wait."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="guohe-scenarios", daemon=True)
                self._thread.start()
        try:
            self._waiting.put_nowait(run_id)
        except queue.Full:
            raise errors.Busy from None

    def close(self) -> None:
        """Let the thread end after what it is at."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout=60)

    def _serve(self) -> None:
        while (run_id := self._waiting.get()) is not None:
            try:
                self.play(run_id)
            except Exception:
                log.exception("scenario run %s could not be played", run_id)

    def play(self, run_id: int) -> None:
        """Play one run to its end."""
        with self.database.transaction() as session:
            run = scenarioruns.begin(session, run_id)
            if run is None:
                return
            copy = session.get_one(WorkingCopy, run.working_copy_id)
            draft = Draft(workshop.at(session, copy, run.revision), workcalendar.entered(session))
            paths = list(run.paths)
        left: list[str] | None = paths
        touched: list[dict[str, Any]] = []
        try:
            while left is not None:
                left = self._some(run_id, draft, left, touched)
        except errors.ServiceError as problem:
            with self.database.transaction() as session:
                scenarioruns.fail(session, run_id, problem.zh)

    def _some(self, run_id: int, draft: Draft, left: list[str], touched: list[dict[str, Any]]) -> list[str] | None:
        """Play what is left in one sandbox and say what all have covered; None: that was all, or nobody wants more.

        Where a scenario costs the sandbox its life, that one has failed, and the others are left for the next.
        """
        sandbox, done = Sandbox(draft, self.limits), 0
        try:
            sandbox.ask("build")
            try:
                for answer in sandbox.stream("run", paths=left) if left else ():
                    done += 1
                    touched.append(answer.pop("touched"))
                    if not self._record(run_id, answer["path"], answer):
                        return None
            except SandboxLost as lost:
                victim = left[done]
                name = victim.rpartition("/")[2]
                lines: dict[str, Any] = {"line": 0, "element": None, "process": "", "at": [], "flows": [], "seconds": 0}
                result = {"path": victim, "name": name, "ok": False, "problems": [str(lost)], **lines}
                return left[done + 1 :] if self._record(run_id, victim, result) else None
            coverage = sandbox.ask("cover", touched=touched)["coverage"]
            with self.database.transaction() as session:
                scenarioruns.finish(session, run_id, coverage)
            return None
        finally:
            sandbox.close()

    def _record(self, run_id: int, path: str, result: dict[str, Any]) -> bool:
        with self.database.transaction() as session:
            return scenarioruns.record(session, run_id, {path: result})
