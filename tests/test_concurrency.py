"""Many people and many processes at once: whatever happens, every task is completed exactly once."""

from __future__ import annotations

import collections
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service import errors
from service.commands.cases import instances
from service.commands.inbox import tasks
from service.db import Database
from service.models import Event, Task, User
from tests.commands.conftest import DESK, END, START, Office, diagram, office, topics
from tests.conftest import People
from tests.engine.diagrams import user

__all__ = ["office", "topics"]

ROOT = Path(__file__).parent.parent
ONE_TASK = diagram(START + user("a", DESK) + END, "s -> a -> e")


def together(act, count: int) -> list[Exception]:
    """Run ``act(number)`` in as many threads, all at the same moment; return what they raised."""
    raised, gate = [], threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        try:
            act(number)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_twenty_who_complete_a_task_at_once_one_succeeds(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    (task,) = office.open(case).values()
    raised = together(lambda _: office.complete(task), 20)
    assert len(raised) == 19
    assert {type(error) for error in raised} == {errors.TaskOver}
    assert {(error.extra["who"], error.status) for error in raised} == {("李明", 409)}
    assert office.kinds(case).count("completed") == 1
    assert office.instance(case).status == "completed"


def test_of_twenty_who_claim_a_task_at_once_one_has_it_and_the_others_learn_who(office: Office):
    office.deploy(ONE_TASK)
    (task,) = office.open(office.start()).values()
    people = [office.people.user(f"person{number}", "coop.intake") for number in range(20)]

    def claim(number: int) -> None:
        with office.database.transaction() as session:
            tasks.claim(session, task, user=office.fresh(session, people[number]))

    raised = together(claim, 20)
    assert {type(error) for error in raised} == {errors.TaskTaken}
    assert len(raised) == 19
    holder = office.task(task).assignee_id
    assert {error.extra["who"] for error in raised} == {office.rows(User, id=holder)[0].name}


def test_parallel_branches_completed_at_once_join_once(office: Office):
    branches = "".join(user(f"t{number}", DESK) for number in range(8))
    arrows = "; ".join(f"x -> t{number} -> y" for number in range(8))
    gates = '<parallelGateway id="x"/><parallelGateway id="y"/>'
    office.deploy(diagram(START + gates + branches + user("last", DESK) + END, f"s -> x; {arrows}; y -> last -> e"))
    case = office.start()
    open_tasks = list(office.open(case).values())
    assert together(lambda number: office.complete(open_tasks[number]), 8) == []
    assert list(office.open(case)) == ["last"]


COMPLETER = """
import sys
from sqlalchemy import select
from service import errors
from service.commands.inbox import tasks
from service.db import Database
from service.models import Task, User

database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
done = 0
while True:
    with database.transaction() as session:
        ids = list(session.scalars(select(Task.id).where(Task.status == "open").order_by(Task.id).limit(40)))
    if not ids:
        break
    for task_id in ids:
        try:
            with database.transaction() as session:
                person = session.scalars(select(User).where(User.username == "li")).one()
                tasks.complete(session, task_id, {}, user=person)
            done += 1
        except (errors.TaskOver, errors.InstanceChanged):
            pass
print(done, flush=True)
"""


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_eight_processes_complete_two_hundred_tasks_once_each(database: Database, people: People, tmp_path: Path):
    office = Office(database, people, tmp_path / "data")
    office.deploy(ONE_TASK)
    with database.transaction() as session:
        wang = office.fresh(session, office.wang)
        for _ in range(200):
            instances.start(session, "p", {}, user=wang)
    url = database.url.render_as_string(hide_password=False)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", COMPLETER, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        done = [int(worker.communicate(timeout=120)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert sum(done) == 200
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Task).where(Task.status == "completed")) == 200
        completed = session.scalars(select(Event.task_id).where(Event.kind == "completed")).all()
    assert collections.Counter(completed).most_common(1)[0][1] == 1
    assert len(completed) == 200
