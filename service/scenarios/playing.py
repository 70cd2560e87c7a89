"""Play a scenario: real commands, real jobs, a database of its own, and a clock that moves only when it says so."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, config, engine, errors
from service.commands.administration import workcalendar
from service.commands.cases import incidents, instances, jobs, messages
from service.commands.inbox import task_forms, tasks
from service.commands.procedures import deployments
from service.db import Database
from service.models import Event, Incident, Instance, Membership, Model, Task, TaskCandidate, User
from service.storage import Folder
from service.worker import Worker

from . import cast
from .checks import check
from .coverage import Seen, filled, seen
from .outcomes import Failed, Problem
from .reading import Scenario, Step, WrongScenario
from .values import evaluated, merged, typed
from .wording import Wording

MOST_JOBS = 10_000


class Play:
    """One scenario being played: as a whole, or step by step."""

    def __init__(
        self,
        scenario: Scenario,
        database: Database,
        settings: config.Settings,
        say: Callable[[str], None],
        bundle: engine.Bundle,
    ) -> None:
        self.scenario, self.database, self.settings, self.say = scenario, database, settings, say
        self.wording = Wording(bundle)
        self.line = 0
        """Where in the file the play is; 0: at its start or at its end."""
        self.moment = "start"
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
            self.line = step.line
            try:
                self.step(step)
            except WrongScenario as wrong:
                raise Failed(Problem(str(wrong), "")) from None
            except (errors.ServiceError, engine.EngineError) as error:
                raise Failed(self.wording.refused(step, error)) from error
        self.line, self.moment = 0, "expect"
        self._expected({"incidents": [], **self.scenario.expect}, self.own())

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
            raise Failed(self.wording.refused(Step("begin", self.scenario.process, start, 0), error)) from error
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
                values = merged(shown, self._data(session, step.options.get("data") or {}, seen, person))
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
                raise Failed(
                    Problem(
                        "到下一个定时器：此时没有等待中的定时器。请检查前面的步骤，或写明等多久。",
                        "To the next timer: none is waiting. Look at the steps before, or say how long to wait.",
                    )
                )
            self._travel(max(due, clock.now()))
        else:
            self._travel(step.target.after(clock.now()))

    def _until(self, step: Step) -> None:
        if step.target < clock.now():
            now = clock.now().astimezone(clock.CHINA)
            raise Failed(
                Problem(
                    f"时间不能倒流：此时已是 {now:%Y-%m-%d %H:%M}。请写更晚的时刻。",
                    f"Time does not run backwards: it is {now:%Y-%m-%d %H:%M} already. Give a later moment.",
                )
            )
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
            key = evaluated(step.options.get("key"), seen)
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
                name = self.wording.element(str(step.target))
                raise Failed(
                    Problem(f"“{name}”没有异常，无从重试。", f"There is no incident at “{name}”.", str(step.target))
                )
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
            problems = list(check(session, expected, case, self.mails(), self.wording))
        if problems:
            raise Failed(*problems)

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
                raise Failed(
                    Problem(
                        "自动环节没完没了，像是在兜圈子。请检查循环有没有出口。",
                        "The automatic steps never end. Look whether a loop has a way out.",
                    )
                )
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
                raise Failed(self.wording.refused_otherwise(step, error, wanted)) from None
        else:
            if expected is not None:
                raise Failed(self.wording.not_refused(step, expected))

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
                raise Failed(self.wording.missing(session, step, self._instance(step, session)))
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
            raise Failed(
                Problem(
                    f"“{task.name}”没有人可以办理。请检查图上的办理角色，以及这个角色有没有人。",
                    f"Nobody may do “{task.name}”. Look at its role in the diagram, and whether somebody has it.",
                    task.element_id,
                )
            )
        return person

    def person(self, session: Session, by: str) -> User:
        """Who has this user name. Raises Failed."""
        person = session.scalars(select(User).where(User.username == by)).one_or_none()
        if person is None:
            raise Failed(
                Problem(
                    f"场景里没有人叫“{by}”。请从列表中选一个角色，如 applicant.drafter（起草人）。",
                    f"There is nobody called “{by}” in scenarios. Choose a role, such as applicant.drafter.",
                )
            )
        return person

    def _authority(self, session: Session) -> int:
        return self.person(session, cast.ADMIN).authority_id

    def _instance(self, step: Step, session: Session) -> int:
        """The case a step is about: the scenario's own, or the latest of the process named by ``in``."""
        found = self._found(step, session)
        if found is None:
            process_id = step.case or self.scenario.process
            name = self.wording.process(process_id)
            raise Failed(
                Problem(
                    f"此时还没有“{name}”的案件。请检查前面有没有哪一步会启动它。",
                    f"There is no case of “{name}” yet. Look whether a step before starts one.",
                )
            )
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
        return typed(session, data, seen, person, self.store)

    def mails(self) -> list[EmailMessage]:
        """The mail that was sent, oldest first."""
        files = sorted(self.settings.mailbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        read = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [message for message in read if isinstance(message, EmailMessage)]


def _words(target: Any) -> str:
    if isinstance(target, list):
        return ", ".join(_words(one) for one in target)
    return ", ".join(target) if isinstance(target, Mapping) else str(target)
