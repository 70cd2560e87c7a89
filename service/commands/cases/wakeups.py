"""Waking a worker for a job: on PostgreSQL by procrastinate, on SQLite by a bell in the process."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

QUEUE = "guohe"
WAKE_UP = "guohe.run_job"
_bells: weakref.WeakKeyDictionary[Engine, threading.Event] = weakref.WeakKeyDictionary()
_bells_lock = threading.Lock()


def wake(session: Session, due: Iterable[tuple[int, datetime]]) -> None:
    """Have a worker woken for each job at its time, if and only if this transaction is committed."""
    due = list(due)
    if not due:
        return
    if session.get_bind().dialect.name == "postgresql":
        _defer(session, due)
    elif not session.info.get("will_ring"):
        session.info["will_ring"] = True
        event.listen(session, "after_commit", _ring, once=True)


def _defer(session: Session, due: Sequence[tuple[int, datetime]]) -> None:
    """Write the wake-ups into procrastinate's tables, in this very transaction."""
    from procrastinate.jobs import Job as Deferred

    wake_ups = [
        Deferred(
            queue=QUEUE,
            lock=None,
            queueing_lock=None,
            task_name=WAKE_UP,
            task_kwargs={"job_id": job_id},
            scheduled_at=due_at,
        )
        for job_id, due_at in due
    ]
    _deferrer().batch_defer_jobs(wake_ups, connection=session.connection().connection.driver_connection)


@functools.cache
def _deferrer() -> Any:
    # Only PostgreSQL needs it, and its import takes as long as that of all our own modules.
    from procrastinate import SyncPsycopgConnector
    from procrastinate.manager import JobManager

    return JobManager(SyncPsycopgConnector())


def _ring(session: Session) -> None:
    session.info.pop("will_ring", None)
    bell(cast(Engine, session.get_bind())).set()


def bell(database: Engine) -> threading.Event:
    """Set when a transaction of this process has left a job behind: its worker need not wait for the next round."""
    with _bells_lock:
        return _bells.setdefault(database, threading.Event())
