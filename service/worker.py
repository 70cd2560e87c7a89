"""Run due jobs, and rescue the stranded.

On SQLite a ``Worker`` is a thread of ``guohe serve`` that reads the job rows; on PostgreSQL ``guohe worker`` runs
as many processes as wanted, woken by procrastinate. Either way a job is *taken* in one transaction, acted on, and
recorded in another together with the step it leads to. A worker that dies in between leaves a lease that runs
out; the job then runs again with the same key.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from service import clock, engine, errors, handlers, logs, tracing
from service.commands.administration import workcalendar
from service.commands.cases import incidents, instances, jobrows, jobs, messages, wakeups
from service.commands.cases.jobs import Taken
from service.commands.cases.projection import Acted
from service.config import Settings
from service.db import Database
from service.models import Job, ProcessDefinition
from service.upkeep import Upkeep

log = logging.getLogger(__name__)

ROUND = 0.5
"""Seconds between two looks at the job rows where nothing rings."""
TIDY_EVERY = 5.0
RECHECK_EVERY = 30.0
LOST_AFTER = timedelta(seconds=5)
"""A job due this long has lost its wake-up; the round takes it."""
PATIENCE = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds to wait before recording again after a lost race or a busy database."""
LOST_RACES = (errors.InstanceChanged, errors.Busy, errors.Unavailable)

T = TypeVar("T")


class Worker:
    """Takes jobs of one database and does them. Several may share it."""

    def __init__(self, database: Database, settings: Settings, *, lease: timedelta = jobs.LEASE) -> None:
        self.database, self.settings, self.lease = database, settings, lease
        self.name = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        self._held: dict[int, Taken] = {}
        self._held_lock = threading.Lock()
        self._tidied = self._rechecked = float("-inf")

    # Rounds

    def run_due(self, *, limit: int = 20, overdue: timedelta = jobs.EARLY) -> int:
        """Do the jobs that are due now; return how many there were."""
        with self.transaction() as session:
            taken = jobs.take(session, worker=self.name, limit=limit, lease=self.lease, overdue=overdue)
        for job in taken:
            self.perform(job)
        return len(taken)

    def run_one(self, job_id: int) -> None:
        """Do a certain job, unless somebody else has it, or nobody needs it any more."""
        with self.transaction() as session:
            job = jobs.take_one(session, job_id, worker=self.name, lease=self.lease)
        if job is not None:
            self.perform(job)

    def tidy(self, *, force: bool = False) -> None:
        """Rescue stranded jobs and messages, now and then."""
        moment = time.monotonic()
        if force or moment - self._tidied >= TIDY_EVERY:
            self._tidied = moment
            with self.transaction() as session:
                jobs.rescue(session)
                for message_id in messages.unheard(session):
                    messages.bring(session, message_id)
        if force or moment - self._rechecked >= RECHECK_EVERY:
            self._rechecked = moment
            with self.transaction() as session:
                incidents.recheck(session)
                workcalendar.refresh(session)
                messages.forget_expired(session, before=clock.now() - timedelta(days=30))

    def serve(self, stop: threading.Event) -> None:
        """Work until told to stop: the thread of ``guohe serve`` on SQLite."""
        bell = wakeups.bell(self.database.engine)
        with self.beating(stop):
            while not stop.is_set():
                bell.clear()
                if not self._round():
                    bell.wait(ROUND)

    def _round(self) -> int:
        _quietly(self.tidy)
        return _quietly(self.run_due) or 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction in which cases start as this installation is set."""
        with self.database.transaction() as session:
            session.info["profile"] = self.settings.profile
            yield session

    @contextlib.contextmanager
    def beating(self, stop: threading.Event) -> Iterator[None]:
        """Keep the leases of what is being worked on alive meanwhile."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.lease.total_seconds() / 3) and not stop.is_set():
                with self._held_lock:
                    held = list(self._held.values())
                if held:
                    with contextlib.suppress(errors.ServiceError), self.transaction() as session:
                        jobs.extend(session, held, lease=self.lease)

        keeping = Upkeep(self.database, self.settings, self.name)
        threads = [
            threading.Thread(target=beat, name="guohe-heartbeat", daemon=True),
            threading.Thread(target=keeping.serve, args=(over,), name="guohe-upkeep", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(timeout=30)

    # One job

    def perform(self, job: Taken) -> None:
        """Act and record; a failure counts as an attempt, and the last one becomes an incident."""
        with self._held_lock:
            self._held[job.id] = job
        what = job.topic or job.kind
        with (
            logs.about(job=job.id, case=job.instance_id, worker=self.name),
            tracing.span(f"job {what}", job=job.id, case=job.instance_id, element=job.element_id, attempt=job.attempt),
        ):
            self._attempt(job)

    def _attempt(self, job: Taken) -> None:
        try:
            self._act(job)
        except LOST_RACES:
            log.warning("job %s could not be recorded; it runs again when its lease is over", job.id)
        except Exception as error:
            log.exception("job %s (%s) failed", job.id, job.topic or job.kind)
            self._patiently(partial(self._fail, job, error))
        finally:
            with self._held_lock:
                self._held.pop(job.id, None)

    def _fail(self, job: Taken, error: Exception) -> None:
        with self.transaction() as session:
            jobs.fail(session, job, error)

    def _act(self, job: Taken) -> None:
        if job.kind == "timer":
            self._patiently(lambda: self._fire(job))
        elif job.kind == "start":
            self._patiently(lambda: self._start(job))
        elif job.kind == "message":
            self._patiently(lambda: self._tell(job))
        else:
            self._serve(job)

    def _patiently(self, record: Callable[[], T]) -> T:
        """Record again after a lost race; acting again is not needed for that."""
        for pause in PATIENCE:
            try:
                return record()
            except LOST_RACES:
                time.sleep(pause)
        return record()

    def _fire(self, job: Taken) -> None:
        assert job.instance_id is not None
        assert job.token is not None
        token, now = job.token, max(clock.now(), job.due_at)
        with self.transaction() as session:
            instance = instances.lock(session, job.instance_id)
            if not jobs.held(session, job) or _set_aside(session, job, instance.status):
                return
            fired = _fact(job, "fired", {"due": job.due_at.isoformat()})
            instances.advance(
                session,
                instance,
                lambda run: engine.fire(run, token, now=now),
                acted=Acted(job_id=job.id, facts=[fired]),
            )

    def _start(self, job: Taken) -> None:
        with self.transaction() as session:
            definition = session.get_one(ProcessDefinition, job.definition_id)
            if not jobs.held(session, job) or not definition.latest:
                return
            instances.begin(
                session,
                definition,
                {},
                start_event=job.payload["element_id"],
            )
            jobs.enqueue(session, jobrows.next_start(definition, job.payload, job.due_at, now=clock.now()))
            jobs.finish(session, job)

    def _tell(self, job: Taken) -> None:
        with self.transaction() as session:
            if jobs.held(session, job):
                messages.run(session, job)
                jobs.finish(session, job)

    def _serve(self, job: Taken) -> None:
        handler = handlers.find(job.topic)
        if handler.outside:
            self._serve_outside(job, handler)
        else:
            self._patiently(lambda: self._serve_inside(job, handler))

    def _serve_inside(self, job: Taken, handler: handlers.Handler) -> None:
        """The handler writes rows: they are committed with the step they lead to, or not at all."""
        with self.transaction() as session:
            if job.token is None:
                if jobs.held(session, job):
                    handler.function(session, self._context(job, job.payload))
                    jobs.finish(session, job)
                return
            assert job.instance_id is not None
            instance = instances.lock(session, job.instance_id)
            if not jobs.held(session, job) or _set_aside(session, job, instance.status):
                return
            token = job.token

            def act(run: engine.Run) -> engine.Step:
                context = self._context(job, engine.visible(run, token))
                try:
                    with session.begin_nested():
                        result = handler.function(session, context)
                        session.flush()
                except handlers.BusinessError as error:
                    return engine.throw_error(run, token, error.code, error.message, now=clock.now())
                return engine.complete(run, token, dict(result or {}), now=clock.now())

            instances.advance(session, instance, act, acted=self._acted(job))

    def _serve_outside(self, job: Taken, handler: handlers.Handler) -> None:
        """The handler acts on the world first; what it says is recorded afterwards, once."""
        context = self._read(job)
        if context is None:
            return
        try:
            result, problem = dict(handler.function(context) or {}), None
        except handlers.BusinessError as error:
            result, problem = {}, error

        def record() -> None:
            with self.transaction() as session:
                if job.token is None:
                    jobs.finish(session, job)
                    return
                assert job.instance_id is not None
                instance, token, now = instances.lock(session, job.instance_id), job.token, clock.now()
                if not jobs.held(session, job):
                    return
                if instance.status == "suspended":
                    _set_aside(session, job, instance.status)
                    return

                def step(run: engine.Run) -> engine.Step:
                    if problem is not None:
                        return engine.throw_error(run, token, problem.code, problem.message, now=now)
                    return engine.complete(run, token, result, now=now)

                instances.advance(session, instance, step, acted=self._acted(job))

        self._patiently(record)

    def _read(self, job: Taken) -> handlers.JobContext | None:
        if job.token is None or job.instance_id is None:
            return self._context(job, job.payload)
        with self.transaction() as session:
            instance = instances.lock(session, job.instance_id)
            if not jobs.held(session, job) or _set_aside(session, job, instance.status):
                return None
            return self._context(job, engine.visible(instances.load(session, instance), job.token))

    def _context(self, job: Taken, variables: Any) -> handlers.JobContext:
        return handlers.JobContext(
            id=job.id,
            key=job.key,
            topic=job.topic,
            headers=dict(job.payload.get("headers") or {}),
            variables=dict(variables),
            instance_id=job.instance_id,
            now=clock.now(),
            settings=self.settings,
        )

    def _acted(self, job: Taken) -> Acted:
        return Acted(job_id=job.id, facts=[_fact(job, "worked", {"topic": job.topic, "job": job.id})])


def _fact(job: Taken, kind: str, data: dict[str, Any]) -> engine.Happened:
    return instances.fact(kind, job.process_id or "", job.element_id or "", data=data, token=job.token)


def _set_aside(session: Session, job: Taken, status: str) -> bool:
    """Put a job back untouched while its case is suspended."""
    if status != "suspended":
        return False
    session.execute(update(Job).where(Job.id == job.id).values(status="queued", lease_until=None))
    return True


def run_processes(
    database: Database, settings: Settings, *, concurrency: int = 4, lease: timedelta = jobs.LEASE
) -> None:
    """Work for a PostgreSQL database until stopped by a signal: ``guohe worker``."""
    import procrastinate

    conninfo = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=3))
    worker = Worker(database, settings, lease=lease)

    @app.task(name=wakeups.WAKE_UP, queue=wakeups.QUEUE)
    def run_job(job_id: int) -> None:
        try:
            worker.run_one(job_id)
        except errors.ServiceError:
            log.exception("job %s could not be taken; the next round takes it", job_id)

    stop = threading.Event()
    rounds = threading.Thread(target=_keep_tidy, args=(worker, stop), name="guohe-rounds", daemon=True)
    with worker.beating(stop):
        rounds.start()
        try:
            app.run_worker(
                queues=[wakeups.QUEUE],
                concurrency=concurrency,
                fetch_job_polling_interval=1.0,
                delete_jobs="always",
                name=worker.name,
            )
        finally:
            stop.set()
            rounds.join()


def _keep_tidy(worker: Worker, stop: threading.Event) -> None:
    """Look after what no wake-up will bring: stranded and overdue jobs, and wake-ups of dead workers."""
    while not stop.wait(1.0):
        _quietly(worker.tidy)
        while _quietly(partial(worker.run_due, overdue=LOST_AFTER)) and not stop.is_set():
            pass
        _quietly(partial(_forget_dead_wake_ups, worker))


def _forget_dead_wake_ups(worker: Worker) -> None:
    """Delete the wake-ups that a killed worker had begun; their jobs are rescued by their leases."""
    with worker.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL"))


def _quietly(act: Callable[[], T]) -> T | None:
    """Do one part of a round; what fails is logged and tried again in the next, and keeps nothing else from it."""
    try:
        return act()
    except Exception:
        log.exception("a round of the worker failed; the next one tries again")
        time.sleep(ROUND)
        return None
