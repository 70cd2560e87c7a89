"""A small ministry to test commands in: its people, its little diagrams, and a worker without a thread."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import config
from service.commands.cases import instances
from service.commands.inbox import tasks
from service.commands.procedures import deployments
from service.db import Database
from service.handlers import registry
from service.models import Event, Incident, Instance, Job, Task, TaskCandidate, User
from service.worker import Worker
from tests.conftest import People
from tests.engine.diagrams import escape, ext, process

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
DESK = '<zeebe:assignmentDefinition candidateGroups="coop.intake"/>'


def properties(**named: str) -> str:
    """The properties of a process, such as its starter."""
    rows = "".join(f'<zeebe:property name="{name}" value="{escape(value)}"/>' for name, value in named.items())
    return ext(f"<zeebe:properties>{rows}</zeebe:properties>")


def diagram(elements: str, arrows: str, *, pid: str = "p", globals: str = "", **named: str) -> bytes:
    """A process that an applicant starts, unless it says otherwise."""
    named.setdefault("starter", "applicant.drafter")
    return process(properties(**named) + elements, arrows, pid=pid, globals=globals)


def service(node_id: str, topic: str, inner: str = "") -> str:
    """A service task."""
    return f'<serviceTask id="{node_id}">{ext(f"""<zeebe:taskDefinition type="{topic}" retries="2"/>{inner}""")}</serviceTask>'


def form(form_id: str, *keys: str, required: bool = False) -> bytes:
    """A form of text fields; ``files`` takes attachments."""
    fields = [
        {
            "type": "attachments" if key == "files" else "textfield",
            "key": key,
            "id": f"F_{key}",
            "label": key,
            "validate": {"required": required},
        }
        for key in keys
    ]
    schema = {"id": form_id, "type": "default", "schemaVersion": 16, "components": fields}
    return json.dumps(schema).encode()


class Office:
    """Runs commands, each in its own transaction, as the people of the ministry."""

    def __init__(self, database: Database, people: People, folder: Path) -> None:
        self.database = database
        self.admin = people.user("admin", "platform.admin", "platform.owner")
        self.wang = people.user("wang", "applicant.drafter@uni", name="王芳")
        self.li = people.user("li", "coop.intake", name="李明")
        self.zhao = people.user("zhao", "coop.intake", name="赵强")
        self.people = people
        self.settings = config.read({"GUOHE_DATA": str(folder), "DATABASE_URL": str(database.url)})
        self.worker = Worker(database, self.settings)

    def deploy(self, *diagrams: bytes, **files: bytes) -> int:
        named = {f"d{number}.bpmn": content for number, content in enumerate(diagrams)}
        named |= {name.replace("__", "."): content for name, content in files.items()}
        with self.database.transaction() as session:
            return deployments.deploy(session, named, user=self.fresh(session, self.admin)).id

    def start(self, process_id: str = "p", *, user: User | None = None, **variables: Any) -> int:
        with self.database.transaction() as session:
            starter = self.fresh(session, user or self.wang)
            return instances.start(session, process_id, variables, user=starter).id

    def complete(self, task_id: int, user: User | None = None, **values: Any) -> None:
        with self.database.transaction() as session:
            tasks.complete(session, task_id, values, user=self.fresh(session, user or self.li))

    def open(self, instance_id: int) -> dict[str, int]:
        """The open tasks of a case: element id -> task id."""
        with self.database.transaction() as session:
            rows = session.execute(
                select(Task.element_id, Task.id).where(Task.instance_id == instance_id, Task.status == "open")
            )
            return dict(rows.all())

    def do(self, instance_id: int, element_id: str, user: User | None = None, **values: Any) -> None:
        self.complete(self.open(instance_id)[element_id], user, **values)

    def work(self, rounds: int = 20) -> int:
        """Do every job that is due, and those that follow from it."""
        done = 0
        for _ in range(rounds):
            now = self.worker.run_due()
            if not now:
                break
            done += now
        return done

    def instance(self, instance_id: int) -> Instance:
        with self.database.transaction() as session:
            return session.get_one(Instance, instance_id)

    def task(self, task_id: int) -> Task:
        with self.database.transaction() as session:
            return session.get_one(Task, task_id)

    def variables(self, instance_id: int) -> Mapping[str, Any]:
        with self.database.transaction() as session:
            return instances.variables(session, self.fresh(session, self.admin), instance_id)

    def rows(self, model: Any, **criteria: Any) -> list[Any]:
        with self.database.transaction() as session:
            found = session.scalars(select(model).filter_by(**criteria)).all()
            return sorted(found, key=lambda row: getattr(row, "id", 0))

    def jobs(self, **criteria: Any) -> list[Job]:
        return self.rows(Job, **criteria)

    def incidents(self, instance_id: int) -> list[Incident]:
        return [one for one in self.rows(Incident, instance_id=instance_id) if one.resolved_at is None]

    def kinds(self, instance_id: int) -> list[str]:
        return [event.kind for event in self.rows(Event, instance_id=instance_id)]

    def candidates(self, task_id: int) -> list[TaskCandidate]:
        return self.rows(TaskCandidate, task_id=task_id)

    @staticmethod
    def fresh(session: Session, user: User) -> User:
        """The person as the transaction sees them."""
        return session.get_one(User, user.id)


@pytest.fixture
def office(database: Database, people: People, tmp_path: Path) -> Office:
    """The ministry, with nothing deployed."""
    return Office(database, people, tmp_path / "data")


@pytest.fixture
def topics() -> Iterator[Callable[..., Any]]:
    """Register service-task topics for one test."""
    before = dict(registry._handlers)
    yield registry.topic
    registry._handlers.clear()
    registry._handlers.update(before)
