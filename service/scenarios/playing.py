"""Play a scenario: real commands, real jobs, a database of its own, and a clock that moves only when it says so."""

from __future__ import annotations

import email
import email.policy
import io
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, config, engine, errors, files, handlers
from service.commands import (
    attachments,
    deployments,
    incidents,
    instances,
    jobs,
    messages,
    task_forms,
    tasks,
    workcalendar,
)
from service.db import Database
from service.engine import feel
from service.models import CalendarYear, Event, Incident, Instance, Membership, Model, Task, TaskCandidate, User
from service.storage import Folder
from service.worker import Worker

from . import cast
from .checks import check
from .coverage import Seen, filled, seen
from .reading import File, Scenario, Step, WrongScenario

MOST_JOBS = 10_000
SAMPLES = {
    "pdf": b"%PDF-1.7\n",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff\xe0",
    "txt": b"text\n",
    "csv": b"a,b\n",
}
"""The first bytes of the files that scenarios attach."""


@dataclass(slots=True)
class Outcome:
    """What came of a scenario."""

    file: Path
    name: str
    problems: list[str] = field(default_factory=list)
    flows: set[tuple[str, str]] = field(default_factory=set)
    seconds: float = 0.0
    line: int = 0
    """Where in the file it came otherwise; 0: nowhere, or at the end."""
    element: str | None = None
    """The element that the step was about where it came otherwise."""
    process: str = ""
    at: list[list[str]] = field(default_factory=list)
    """Where the cases stood at the end: process and element of each open task and incident."""
    seen: Seen = field(default_factory=Seen)

    @property
    def ok(self) -> bool:
        """True where everything came as expected."""
        return not self.problems

    def touched(self) -> dict[str, list[Any]]:
        """What it touched, as JSON."""
        return {
            "flows": sorted(self.flows),
            "roles": sorted(self.seen.roles),
            "fields": sorted(self.seen.fields),
            "rules": sorted(self.seen.rules),
        }

    def summary(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {
            "name": self.name,
            "ok": self.ok,
            "problems": [problem[:2000] for problem in self.problems],
            "line": self.line,
            "element": self.element,
            "process": self.process,
            "at": self.at,
            "seconds": round(self.seconds, 2),
        }


class Failed(Exception):
    """Something came otherwise than the scenario says."""

    line: int = 0
    element: str | None = None

    def at(self, step: Step) -> Failed:
        """Say at which step."""
        self.line = step.line
        self.element = step.target if isinstance(step.target, str) and step.verb in AT_ELEMENTS else None
        return self


AT_ELEMENTS = ("do", "claim", "release", "retry")
"""The verbs whose target is an element of the diagram."""


class Stage(AbstractContextManager["Stage"]):
    """Holds the bundle and a database with the usual cast; every scenario plays on a copy."""

    def __init__(
        self,
        source: Path | Mapping[str, bytes],
        *,
        calendar: Sequence[tuple[int, Mapping[str, Any]]] = (),
        within: Path | None = None,
    ) -> None:
        """Deploy a project folder, or files by their paths. Raises BundleRejected.

        ``calendar`` holds the years that somebody has entered, each with its days; ``within`` is where the folder of
        the databases is made.
        """
        self.calendar = calendar
        memory = Path("/dev/shm")
        place = within or (memory if memory.is_dir() else None)
        self.folder = Path(tempfile.mkdtemp(prefix="guohe-scenarios-", dir=place))
        self.template = self.folder / "template.db"
        self.played = 0
        try:
            self._prepare(files.of_project(source) if isinstance(source, Path) else source)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _prepare(self, content: Mapping[str, bytes]) -> None:
        database = Database(f"sqlite:///{self.template}", synchronous="OFF")
        try:
            with database.engine.begin() as connection:
                Model.metadata.create_all(connection)
            with database.transaction() as session:
                cast.usual(session)
                session.add_all(
                    CalendarYear(year=year, days=dict(days), entered_at=clock.now()) for year, days in self.calendar
                )
                owner = session.scalars(select(User).where(User.username == cast.ADMIN)).one()
                deployment = deployments.deploy(session, content, user=owner, topics=handlers.topics())
                self.bundle = deployments.bundle(session, deployment.id)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
        finally:
            database.close()

    def play(self, scenario: Scenario, *, say: Callable[[str], None] | None = None) -> Outcome:
        """Play a scenario from its start to its last expectation, or to the first thing that comes otherwise."""
        outcome, began = Outcome(scenario.file, scenario.name), time.perf_counter()
        outcome.process = scenario.process
        with self.opened(scenario, say=say) as play:
            try:
                play.run()
            except Failed as failure:
                outcome.problems.append(str(failure))
                outcome.line, outcome.element = failure.line, failure.element
            outcome.flows = play.flows()
            outcome.seen = play.seen()
            outcome.at = play.places()
        outcome.seconds = time.perf_counter() - began
        return outcome

    @contextmanager
    def opened(self, scenario: Scenario, *, say: Callable[[str], None] | None = None) -> Iterator[Play]:
        """A play that has not begun, in a database and at a time of its own, until it is closed."""
        self.played += 1
        folder = self.folder / str(self.played)
        folder.mkdir()
        shutil.copyfile(self.template, folder / "guohe.db")
        settings = config.read(
            {
                "GUOHE_DATA": str(folder),
                "DATABASE_URL": f"sqlite:///{folder / 'guohe.db'}",
                "GUOHE_PROFILE": scenario.profile,
                "GUOHE_SECRET_KEY": "scenarios have no secrets",
            }
        )
        database = Database(settings.database_url, synchronous="OFF")
        try:
            with clock.travel(scenario.now):
                yield Play(scenario, database, settings, say or _silent)
        finally:
            database.close()
            shutil.rmtree(folder, ignore_errors=True)

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Play:
    """One scenario being played: as a whole, or step by step."""

    def __init__(
        self, scenario: Scenario, database: Database, settings: config.Settings, say: Callable[[str], None]
    ) -> None:
        self.scenario, self.database, self.settings, self.say = scenario, database, settings, say
        self.worker = Worker(database, settings)
        self.store = Folder(settings.files)
        self.case = 0
        self.rows_before: dict[str, int] = {}
        self.typed: set[tuple[str, str]] = set()

    def run(self) -> None:
        """Play it from its start to its last expectation. Raises Failed at the first thing that comes otherwise."""
        self.begin()
        for step in self.scenario.steps:
            self.say(f"    {clock.now().astimezone(clock.CHINA):%Y-%m-%d %H:%M} {step.verb} {_words(step.target)}")
            try:
                self.step(step)
            except (Failed, WrongScenario) as failure:
                raise Failed(f"{self.scenario.file.name}:{step.line}: {failure}").at(step) from None
            except (errors.ServiceError, engine.EngineError) as error:
                raise Failed(f"{self.scenario.file.name}:{step.line}: {_said(error)}").at(step) from error
        try:
            self._expected({"incidents": [], **self.scenario.expect}, self.own())
        except Failed as failure:
            raise Failed(f"{self.scenario.file.name}: expect: {failure}") from None

    def begin(self) -> None:
        """Bring on the cast, and start the case where the scenario says so. Raises Failed."""
        with self.transaction() as session:
            workcalendar.refresh(session)
            cast.hire(session, self.scenario)
            self.rows_before = {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Model.metadata.sorted_tables
            }
        self._start()

    def step(self, step: Step) -> None:
        """Play one step. Raises Failed, WrongScenario, or what the command refused it with."""
        getattr(self, f"_{step.verb}")(step)

    def seen(self) -> Seen:
        """What the cases of this scenario have touched, beside the flows."""
        with self.transaction() as session:
            found = seen(session)
        found.fields |= self.typed
        return found

    def places(self) -> list[list[str]]:
        """Where the cases stand: process and element of each open task and incident."""
        with self.transaction() as session:
            open_tasks = select(Task.process_id, Task.element_id).where(Task.status == "open")
            troubles = select(Incident.process_id, Incident.element_id).where(Incident.resolved_at.is_(None))
            found = [*session.execute(open_tasks).all(), *session.execute(troubles).all()]
            return [list(one) for one in sorted({(str(process), str(element)) for process, element in found})]

    def flows(self) -> set[tuple[str, str]]:
        """The sequence flows that any case of this scenario took."""
        with self.transaction() as session:
            taken = select(Event.process_id, Event.element_id).where(Event.kind == "flow").distinct()
            return {(str(process_id), str(flow)) for process_id, flow in session.execute(taken)}

    # The verbs

    def _start(self) -> None:
        start = self.scenario.start
        if start.get("none"):
            return
        try:
            with self.transaction() as session:
                self.case = self._started(session, self.scenario.process, start)
        except (errors.ServiceError, engine.EngineError) as error:
            raise Failed(f"{self.scenario.file.name}: start: {_said(error)}") from error
        self._work()

    def _begin(self, step: Step) -> None:
        """Start another case; it is the latest of its process from now on."""
        with self._refusal(step), self.transaction() as session:
            self._started(session, str(step.target), step.options)
        self._work()

    def _started(self, session: Session, process_id: str, how: Mapping[str, Any]) -> int:
        definition = deployments.latest(session, process_id, authority_id=self._authority(session))
        person = self.person(session, how.get("by") or next(iter(definition.starters), cast.ADMIN))
        values = self._data(session, how.get("data") or {}, {}, person)
        entry = next((one for one in definition.start_events if one["kind"] == "none"), None)
        if entry is not None and entry["form_id"]:
            self.typed |= {(entry["form_id"], path) for path in filled(values)}
        return instances.start(session, process_id, values, user=person, organisation=how.get("organisation")).id

    def _do(self, step: Step) -> None:
        """Hand in a task, or all tasks of an element."""
        for task_id in self._tasks(step):
            with self._refusal(step), self.transaction() as session:
                task = session.get_one(Task, task_id)
                person = self.performer(session, task, step.options.get("by"))
                form = task_forms.of_task(session, task_id, user=person)
                seen = self._visible(session, task)
                shown = dict(form.values) if form is not None else {}
                values = _merged(shown, self._data(session, step.options.get("data") or {}, seen, person))
                tasks.complete(session, task_id, values, user=person)
            self._work()

    def _claim(self, step: Step) -> None:
        for task_id in self._tasks(step):
            with self._refusal(step), self.transaction() as session:
                person = self.performer(session, session.get_one(Task, task_id), step.options.get("by"))
                tasks.claim(session, task_id, user=person)

    def _release(self, step: Step) -> None:
        for task_id in self._tasks(step):
            with self._refusal(step), self.transaction() as session:
                person = self.performer(session, session.get_one(Task, task_id), step.options.get("by"))
                tasks.release(session, task_id, user=person)

    def _wait(self, step: Step) -> None:
        if step.target == "next":
            with self.transaction() as session:
                due = jobs.next_due(session)
            if due is None:
                raise Failed("没有等待中的定时器。 No timer is waiting.")
            self._travel(max(due, clock.now()))
        else:
            self._travel(step.target.after(clock.now()))

    def _until(self, step: Step) -> None:
        if step.target < clock.now():
            raise Failed("时间不能倒流。 Time does not run backwards.")
        self._travel(step.target)

    def _send(self, step: Step) -> None:
        """Send a message that the diagram offers to people, or to the public."""
        by = step.options.get("by")
        with self._refusal(step), self.transaction() as session:
            person = None if by in (None, messages.PUBLIC) else self.person(session, by)
            values = self._data(session, step.options.get("data") or {}, self._root(session, step), person)
            case = self._instance(step, session)
            for one in messages.sendable(session, session.get_one(Instance, case), person):
                if one.name == step.target and one.form_id:
                    self.typed |= {(one.form_id, path) for path in filled(values)}
            messages.send(session, case, str(step.target), values, user=person)
        self._work()

    def _publish(self, step: Step) -> None:
        """Say something as a program outside would."""
        with self.transaction() as session:
            seen = self._root(session, step) if self._found(step, session) else {}
            key = self._feel(step.options.get("key"), seen)
            messages.publish(
                session,
                str(step.target),
                None if key is None else str(key),
                self._data(session, step.options.get("data") or {}, seen, None),
                user=self.person(session, cast.ADMIN),
            )
        self._work()

    def _retry(self, step: Step) -> None:
        with self.transaction() as session:
            incident = session.scalars(
                select(Incident).where(
                    Incident.instance_id == self._instance(step, session),
                    Incident.resolved_at.is_(None),
                    Incident.element_id == step.target,
                )
            ).first()
            if incident is None:
                raise Failed(f"“{step.target}”没有异常。 There is no incident at {step.target}.")
            data = self._data(session, step.options.get("data") or {}, self._root(session, step), None)
            incidents.retry(session, incident.id, user=self.person(session, cast.ADMIN), variables=data or None)
        self._work()

    def _cancel(self, step: Step) -> None:
        with self.transaction() as session:
            instances.cancel(
                session,
                self._instance(step, session),
                user=self.person(session, cast.ADMIN),
                reason=str(step.options.get("reason", step.target)),
            )
        self._work()

    def _given(self, step: Step) -> None:
        """Something outside the case has happened meanwhile, and the register shows it."""
        with self.transaction() as session:
            cast.give(session, step.target)

    def _expect(self, step: Step) -> None:
        with self.transaction() as session:
            case = self._instance(step, session)
        self._expected(step.target, case)

    # What they stand on

    def _expected(self, expected: Mapping[str, Any], case: int) -> None:
        with self.transaction() as session:
            problems = list(check(session, expected, case, self.mails()))
        if problems:
            raise Failed("; ".join(problems))

    def _travel(self, to: datetime) -> None:
        """Let time pass, doing on the way what falls due, each thing at its time."""
        while True:
            self._work()
            with self.transaction() as session:
                due = jobs.next_due(session)
            if due is None or due > to:
                break
            clock.advance(max(due, clock.now()) - clock.now())
        clock.advance(to - clock.now())
        self._work()

    def _work(self) -> None:
        """Do the jobs that are due until none is left."""
        done = 0
        while step := self.worker.run_due(limit=50):
            done += step
            if done > MOST_JOBS:
                raise Failed("作业没有尽头。 There is no end of jobs.")
        self.worker.tidy(force=True)
        if self.worker.run_due(limit=50):
            self._work()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction of the play's database."""
        with self.database.transaction() as session:
            session.info["profile"] = self.settings.profile
            yield session

    @contextmanager
    def _refusal(self, step: Step) -> Iterator[None]:
        """Let a step be refused where the scenario says so, and only there."""
        expected = step.options.get("refused")
        try:
            yield
        except errors.ServiceError as error:
            if expected is None:
                raise
            fields = sorted(getattr(error, "fields", None) or {})
            wanted = sorted(step.options.get("fields") or fields)
            if error.code != expected or fields != wanted:
                raise Failed(f"应拒绝 / should be refused as {expected} {wanted}: {error.code} {fields}") from None
        else:
            if expected is not None:
                raise Failed(f"应被拒绝 / should have been refused: {expected}")

    def _tasks(self, step: Step) -> list[int]:
        """The open tasks that a step means: by element id, or by name."""
        with self.transaction() as session:
            found = list(
                session.scalars(
                    select(Task)
                    .where(Task.instance_id == self._instance(step, session), Task.status == "open")
                    .where((Task.element_id == step.target) | (Task.name == step.target))
                    .order_by(Task.id)
                )
            )
            if not found:
                raise Failed(
                    f"没有待办任务“{step.target}” / no open task {step.target}. {self._situation(session, step)}"
                )
            if step.options.get("each"):
                return [task.id for task in found]
            by = step.options.get("by")
            mine = [task for task in found if by and self._is_for(session, task, by)]
            return [(mine or found)[0].id]

    def _is_for(self, session: Session, task: Task, by: str) -> bool:
        person = session.scalars(select(User).where(User.username == by)).one_or_none()
        return person is not None and (
            task.assignee_id == person.id or any(one.user_id == person.id for one in task.candidates)
        )

    def _situation(self, session: Session, step: Step) -> str:
        case = self._instance(step, session)
        open_tasks = session.scalars(
            select(Task.element_id).where(Task.instance_id == case, Task.status == "open").order_by(Task.id)
        ).all()
        troubles = session.scalars(
            select(Incident.message_zh).where(Incident.instance_id == case, Incident.resolved_at.is_(None))
        ).all()
        status = session.get_one(Instance, case).status
        return f"{status}; open: {', '.join(open_tasks) or '–'}; incidents: {'; '.join(troubles) or '–'}"

    def performer(self, session: Session, task: Task, by: str | None) -> User:
        """Who hands the task in: the one named, or whoever it is for."""
        if by is not None:
            holder = task.assignee_id is not None and session.get_one(User, task.assignee_id)
            if holder and any(one.role == by for one in holder.memberships):
                return holder
            return self.person(session, by)
        if task.assignee_id is not None:
            return session.get_one(User, task.assignee_id)
        offered = session.scalars(
            select(User)
            .join(TaskCandidate, TaskCandidate.user_id == User.id)
            .where(TaskCandidate.task_id == task.id)
            .order_by(User.id)
        ).first()
        held = session.scalars(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(
                TaskCandidate,
                (TaskCandidate.organisation_id == Membership.organisation_id) & (TaskCandidate.role == Membership.role),
            )
            .where(TaskCandidate.task_id == task.id)
            .order_by(User.id)
        ).first()
        person = offered or held
        if person is None:
            raise Failed(f"任务“{task.element_id}”无人可办。 Nobody may do {task.element_id}.")
        return person

    def person(self, session: Session, by: str) -> User:
        """Who has this user name. Raises Failed."""
        person = session.scalars(select(User).where(User.username == by)).one_or_none()
        if person is None:
            raise Failed(f"没有人叫“{by}”。 There is nobody called {by}.")
        return person

    def _authority(self, session: Session) -> int:
        return self.person(session, cast.ADMIN).authority_id

    def _instance(self, step: Step, session: Session) -> int:
        """The case a step is about: the scenario's own, or the latest of the process named by ``in``."""
        found = self._found(step, session)
        if found is None:
            process_id = step.case or self.scenario.process
            raise Failed(f"没有流程“{process_id}”的案卷。 There is no case of {process_id}.")
        return found

    def own(self) -> int:
        """The scenario's own case: the one it started, or the latest that a message has."""
        with self.transaction() as session:
            return self._found(Step("expect", {}, {}, 0), session) or 0

    def _found(self, step: Step, session: Session) -> int | None:
        if step.case is None and self.case:
            return self.case
        process_id = step.case or self.scenario.process
        return session.scalar(select(func.max(Instance.id)).where(Instance.process_id == process_id))

    def _visible(self, session: Session, task: Task) -> dict[str, Any]:
        return engine.visible(instances.load(session, session.get_one(Instance, task.instance_id)), task.token)

    def _root(self, session: Session, step: Step) -> dict[str, Any]:
        return engine.visible(instances.load(session, session.get_one(Instance, self._instance(step, session))))

    def _data(self, session: Session, data: Any, seen: Mapping[str, Any], person: User | None) -> Any:
        """The data of a step: text that begins with = is FEEL over what the task sees, files are uploaded."""
        if isinstance(data, Mapping):
            return {name: self._data(session, value, seen, person) for name, value in data.items()}
        if isinstance(data, list):
            return [self._data(session, value, seen, person) for value in data]
        if isinstance(data, File):
            if person is None:
                raise Failed("公众不能上传附件。 The public uploads no files.")
            content = SAMPLES.get(Path(data.name).suffix[1:].lower(), b"PK\x03\x04")
            kept = attachments.add(session, self.store, io.BytesIO(content), data.name, user=person)
            return {"id": kept.id, "name": kept.name, "size": kept.size}
        if hasattr(data, "isoformat"):
            return data.isoformat()
        return self._feel(data, seen)

    def _feel(self, value: Any, seen: Mapping[str, Any]) -> Any:
        if isinstance(value, str) and value.startswith("="):
            return feel.evaluate(value[1:], seen, now=clock.now())
        return value

    def mails(self) -> list[EmailMessage]:
        """The mail that was sent, oldest first."""
        files = sorted(self.settings.mailbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        read = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [message for message in read if isinstance(message, EmailMessage)]


def _merged(shown: Any, typed: Any) -> Any:
    """What a browser sends: the form as it opened, with what was typed over it."""
    if isinstance(shown, Mapping) and isinstance(typed, Mapping):
        return {**shown, **{name: _merged(shown.get(name), value) for name, value in typed.items()}}
    return typed


def _said(error: Exception) -> str:
    fields = getattr(error, "fields", None)
    zh, en = getattr(error, "zh", str(error)), getattr(error, "en", "")
    return f"{zh} {en}" + (f" {dict(fields)}" if fields else "")


def _words(target: Any) -> str:
    if isinstance(target, list):
        return ", ".join(_words(one) for one in target)
    return ", ".join(target) if isinstance(target, Mapping) else str(target)


def _silent(_line: str) -> None:
    return None
