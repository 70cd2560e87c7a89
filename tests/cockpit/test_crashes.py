"""Whoever repairs, migrates or works a batch off is really killed, again and again: nothing is ever half done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from service.commands.administration import audit, repairs
from service.models import BatchItem, Event, Instance, Repair, Task
from tests.cockpit.conftest import Cockpit, two_tasks
from tests.cockpit.test_batches import RENAMED, WORKER, counts, create, propose

ROOT = Path(__file__).resolve().parents[2]
CASES, KILLS = 40, 4
REPAIRER = """
import sys
from sqlalchemy import select
from service.commands.administration import repairs
from service.db import Database
from service.models import Task, User
database, case = Database(sys.argv[1]), int(sys.argv[2])
for number in range(10_000):
    with database.transaction() as session:
        admin = session.scalars(select(User).where(User.username == "admin")).one()
        task = session.scalars(select(Task).where(Task.instance_id == case, Task.status == "open")).one()
        goal = "b" if task.element_id == "a" else "a"
        repairs.perform(session, case, "move", {"token": task.token, "element": goal}, user=admin, reason=str(number))
    if number == 0:
        print("ready", flush=True)
"""


def killed(program: str, *arguments: str, after: float) -> None:
    """Run a program that says when it is ready, and kill it so many seconds later."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()


def url(cockpit: Cockpit) -> str:
    return cockpit.database.url.render_as_string(hide_password=False)


def test_a_killed_migration_leaves_each_case_wholly_on_one_version(cockpit, tmp_path):
    old = cockpit.office.deploy(two_tasks())
    cases = [cockpit.office.start() for _ in range(CASES)]
    new = cockpit.office.deploy(RENAMED)
    names = propose(cockpit, old, new).names
    batch = create(cockpit, "migrate", ids=cases, parameters={"deployment": new, "names": names})
    chance = random.Random(1)
    for _ in range(KILLS):
        killed(WORKER, url(cockpit), str(tmp_path / "w"), after=chance.uniform(0.02, 0.3))
        _each_on_one_version(cockpit, batch, old, new)
    cockpit.upkeep.work(seconds=120)
    assert counts(cockpit, batch) == {"pending": 0, "done": CASES, "failed": 0, "skipped": 0}
    _each_on_one_version(cockpit, batch, old, new)
    assert cockpit.check().healed == []


def _each_on_one_version(cockpit: Cockpit, batch: int, old: int, new: int) -> None:
    with cockpit.database.transaction(readonly=True) as session:
        done = set(session.scalars(select(BatchItem.instance_id).where(BatchItem.status == "done")))
        for instance in session.scalars(select(Instance)):
            moved = instance.id in done
            assert instance.deployment_id == (new if moved else old)
            opened = session.scalars(select(Task.element_id).where(Task.instance_id == instance.id)).all()
            assert opened == ["a_new" if moved else "a"]
        assert session.scalar(select(func.count()).where(Repair.batch_id == batch)) == len(done)


def test_a_killed_repair_is_done_with_its_record_or_not_at_all(cockpit):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    chance = random.Random(2)
    for _ in range(KILLS):
        killed(REPAIRER, url(cockpit), str(case), after=chance.uniform(0.05, 0.4))
        with cockpit.database.transaction(readonly=True) as session:
            done = session.scalars(select(Repair).order_by(Repair.id)).all()
            instance = session.get_one(Instance, case)
            assert {one.status for one in done} <= {"done"}
            assert session.scalar(select(func.count()).where(Event.kind == "repaired")) == len(done)
            if done:
                assert done[-1].version == instance.version
                assert done[-1].preview["state"] == repairs.fingerprint(instance.state)
                assert [one["name"] for one in done[-1].preview["after"] if one["kind"] == "task"] == [
                    task.element_id
                    for task in session.scalars(select(Task).where(Task.instance_id == case, Task.status == "open"))
                ]
            assert audit.check(session, key=cockpit.office.settings.secret_key, copies=None).ok
        assert cockpit.check().healed == []
    assert done
