"""Batches and migrations: frozen lists, killed workers, other versions – and everything back again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from service import errors
from service.commands.administration import batches, migrations
from service.models import Batch, BatchItem, Instance, Repair, Task
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, two_tasks, user

WORKER = """
import sys
from service import config
from service.db import Database
from service.upkeep import Upkeep
settings = config.read({"DATABASE_URL": sys.argv[1], "GUOHE_DATA": sys.argv[2]})
upkeep = Upkeep(Database(settings.database_url), settings, "killed")
print("ready", flush=True)
while upkeep.work(seconds=60):
    pass
"""


@pytest.fixture
def cases(cockpit: Cockpit) -> list[int]:
    cockpit.office.deploy(two_tasks())
    return [cockpit.office.start() for _ in range(12)]


def create(cockpit: Cockpit, kind: str, **more) -> int:
    with cockpit.database.transaction() as session:
        admin = cockpit.office.fresh(session, cockpit.office.admin)
        more.setdefault("parameters", {"at": "a"} if kind == "skip" else {})
        return batches.create(session, kind, more.pop("parameters"), user=admin, reason="成批", **more).id


def act(cockpit: Cockpit, name: str, batch_id: int, **more) -> int:
    with cockpit.database.transaction() as session:
        admin = cockpit.office.fresh(session, cockpit.office.admin)
        return getattr(batches, name)(session, batch_id, user=admin, **more).id


def counts(cockpit: Cockpit, batch_id: int) -> dict[str, int]:
    with cockpit.database.transaction(readonly=True) as session:
        return batches.progress(session, batch_id)


def status(cockpit: Cockpit, batch_id: int) -> str:
    return next(one.status for one in cockpit.office.rows(Batch) if one.id == batch_id)


def test_a_list_is_frozen_when_it_is_made(cockpit, cases):
    batch = create(cockpit, "skip", query={"process": "p"})
    late = cockpit.office.start()
    cockpit.upkeep.work()
    assert counts(cockpit, batch) == {"pending": 0, "done": 12, "failed": 0, "skipped": 0}
    assert status(cockpit, batch) == "done"
    assert set(cockpit.office.open(late)) == {"a"}


def test_a_case_that_has_moved_fails_alone_and_is_tried_again(cockpit, cases):
    cockpit.office.do(cases[3], "a")
    batch = create(cockpit, "skip", ids=cases)
    cockpit.upkeep.work()
    assert counts(cockpit, batch)["failed"] == 1
    failed = next(one for one in cockpit.office.rows(BatchItem) if one.status == "failed")
    assert (failed.instance_id, failed.zh) == (cases[3], "案件不在这个环节。")
    cockpit.perform(cases[3], "back", token=cockpit.office.task(cockpit.office.open(cases[3])["b"]).token, element="a")
    act(cockpit, "retry", batch)
    cockpit.upkeep.work()
    assert counts(cockpit, batch)["done"] == 12


def test_a_canary_pauses_then_goes_on_then_is_given_up(cockpit, cases):
    batch = create(cockpit, "skip", ids=cases, canary=2)
    cockpit.upkeep.work()
    assert (counts(cockpit, batch)["done"], status(cockpit, batch)) == (2, "paused")
    act(cockpit, "go_on", batch)
    act(cockpit, "pause", batch)
    cockpit.upkeep.work()
    assert counts(cockpit, batch)["done"] == 2
    act(cockpit, "cancel", batch)
    assert counts(cockpit, batch) == {"pending": 0, "done": 2, "failed": 0, "skipped": 10}


def test_a_batch_is_reverted_case_by_case(cockpit, cases):
    batch = create(cockpit, "skip", ids=cases)
    cockpit.upkeep.work()
    cockpit.office.do(cases[0], "b")
    back = act(cockpit, "revert", batch, reason="弄错了")
    cockpit.upkeep.work()
    assert counts(cockpit, back) == {"pending": 0, "done": 11, "failed": 1, "skipped": 0}
    assert set(cockpit.office.open(cases[5])) == {"a"}


@pytest.mark.parametrize("query", [{}, {"cause": ""}, {"process": "none"}, {"colour": "red"}])
def test_a_query_for_nothing_or_everything_is_refused(cockpit, cases, query):
    with pytest.raises(errors.InvalidInput):
        create(cockpit, "skip", query=query)


def test_a_killed_worker_leaves_whole_items_and_the_next_goes_on(cockpit, cases, tmp_path):
    cases += [cockpit.office.start() for _ in range(60)]
    batch = create(cockpit, "skip", ids=cases)
    url = cockpit.database.url.render_as_string(hide_password=False)
    for pause in (0.05, 0.12):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(tmp_path / "w")],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        worker.stdout.readline()
        time.sleep(pause)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    done = counts(cockpit, batch)["done"]
    repairs = [one for one in cockpit.office.rows(Repair) if one.batch_id == batch]
    assert len(repairs) == done
    moved = {one.instance_id for one in cockpit.office.rows(Task, element_id="b")}
    assert moved == {one.instance_id for one in repairs}
    cockpit.upkeep.work(seconds=60)
    assert counts(cockpit, batch) == {"pending": 0, "done": 72, "failed": 0, "skipped": 0}
    assert len([one for one in cockpit.office.rows(Repair) if one.batch_id == batch]) == 72
    assert cockpit.check().healed == []


MULTIPLIED = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    INSERT INTO instance (id, authority_id, definition_id, deployment_id, process_id, number, title, status, state,
        version, started_at, updated_at)
    SELECT 1000000 + i, authority_id, definition_id, deployment_id, process_id, 'X-' || i, title, status, state,
        version, started_at, updated_at FROM instance CROSS JOIN n WHERE instance.id = :case"""


def test_ten_thousand_cases_are_one_batch_and_more_are_refused(cockpit, cases):
    cockpit.sql(MULTIPLIED, count=batches.MOST - len(cases), case=cases[0])
    batch = create(cockpit, "suspend", query={"process": "p"})
    assert counts(cockpit, batch)["pending"] == batches.MOST
    done = cockpit.upkeep.work(seconds=1)
    act(cockpit, "pause", batch)
    assert cockpit.upkeep.work() == 0
    act(cockpit, "go_on", batch)
    done += cockpit.upkeep.work(seconds=1)
    act(cockpit, "cancel", batch)
    assert counts(cockpit, batch) == {"pending": 0, "done": done, "failed": 0, "skipped": batches.MOST - done}
    assert done > 5
    assert len(cockpit.office.rows(Instance, status="suspended")) == done
    cockpit.office.start()
    with pytest.raises(errors.InvalidInput, match="10000"):
        create(cockpit, "suspend", query={"process": "p"})


# Versions

RENAMED = two_tasks().replace(b'id="a" name="a"', b'id="a_new" name="a"').replace(b'"a"', b'"a_new"').replace(
    b'name="a_new"', b'name="a"'
)  # fmt: skip


def propose(cockpit: Cockpit, old: int, new: int) -> migrations.Plan:
    with cockpit.database.transaction(readonly=True) as session:
        return migrations.propose(session, old, new, user=cockpit.office.fresh(session, cockpit.office.admin))


def test_a_renamed_step_is_found_by_its_name_and_cases_move_with_claims(cockpit):
    from service.commands.inbox import tasks

    old = cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    task = cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        tasks.claim(session, task, user=cockpit.office.fresh(session, cockpit.office.li))
    new = cockpit.office.deploy(RENAMED)
    plan = propose(cockpit, old, new)
    assert plan.names["p"]["a"] == "a_new"
    batch = create(cockpit, "migrate", ids=[case], parameters={"deployment": new, "names": plan.names})
    cockpit.upkeep.work()
    assert counts(cockpit, batch)["done"] == 1, [one.zh for one in cockpit.office.rows(BatchItem)]
    assert cockpit.office.open(case) == {"a_new": task}
    assert cockpit.office.task(task).assignee_id == cockpit.office.li.id
    assert cockpit.office.instance(case).deployment_id == new
    assert cockpit.check().healed == []
    act(cockpit, "revert", batch, reason="回退")
    cockpit.upkeep.work()
    assert cockpit.office.open(case) == {"a": task}
    assert cockpit.office.instance(case).deployment_id == old
    cockpit.office.do(case, "a")


def test_a_mapping_that_loses_a_token_is_refused_and_the_case_unharmed(cockpit):
    old = cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    new = cockpit.office.deploy(diagram(START + user("other", DESK) + END, "s -> other -> e"))
    del old
    before = cockpit.office.instance(case).state
    with cockpit.database.transaction(readonly=True) as session:
        seen = migrations.outcome(session, case, new, {}, user=cockpit.office.fresh(session, cockpit.office.admin))
    assert not seen.ok
    assert "没有对应元素" in seen.obstacles[0]["zh"]
    create(cockpit, "migrate", ids=[case], parameters={"deployment": new, "names": {}})
    cockpit.upkeep.work()
    assert cockpit.office.rows(BatchItem)[0].status == "failed"
    assert cockpit.office.instance(case).state == before


@pytest.mark.parametrize(
    "names", [[], {"q": {}}, {"p": {"a": "nowhere"}}, {"p": {"x": "a"}}, {"p": {"a": "b", "late": "b"}}, {"p": 7}]
)
def test_a_wrong_mapping_is_refused_by_name(cockpit, names):
    old = cockpit.office.deploy(two_tasks())
    new = cockpit.office.deploy(RENAMED)
    with pytest.raises(errors.InvalidInput), cockpit.database.transaction(readonly=True) as session:
        migrations.read_names(session, old, new, names, user=cockpit.office.fresh(session, cockpit.office.admin))


def test_cases_of_others_cannot_be_in_a_batch(cockpit, cases):
    with pytest.raises(errors.Forbidden), cockpit.database.transaction() as session:
        batches.create(
            session,
            "suspend",
            {},
            user=session.get_one(type(cockpit.office.li), cockpit.office.li.id),
            reason="x",
            ids=cases,
        )
    assert all(one.status == "active" for one in cockpit.office.rows(Instance))
