"""A state that nobody can read is made again from what the history says: of every procedure, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from service import clock, engine, errors, scenarios
from service.commands.administration import recovery, repairs
from service.commands.cases import instances
from service.db import Database
from service.models import Event, Instance, Model, Repair, Task, User
from service.scenarios import cast
from tests.cockpit.conftest import two_tasks
from tests.cockpit.test_healthy import ENOUGH, FILES
from tests.cockpit.test_repairs import rows_of
from tests.cockpit.worlds import ROOT, count_on

DAMAGE = b"G1 damaged"


@dataclass(frozen=True)
class Shot:
    """Every row of a scenario in the middle of its play."""

    name: str
    now: datetime
    rows: dict[str, list[dict[str, Any]]]


class _Undone(Exception):
    """Nothing of this is to stay."""


@pytest.fixture(scope="module")
def shots() -> Iterator[list[Shot]]:
    """The shortest scenario of every procedure that goes through some states, half-way and before its last step."""
    chosen: dict[str, scenarios.Scenario] = {}
    for scenario in sorted(map(scenarios.read, FILES), key=lambda one: len(one.steps)):
        if len(scenario.steps) >= ENOUGH:
            chosen.setdefault(scenario.process, scenario)
    with scenarios.Stage(ROOT) as stage:
        yield [shot for one in chosen.values() for shot in _shots(stage, one)]


def _shots(stage: scenarios.Stage, scenario: scenarios.Scenario) -> Iterator[Shot]:
    kept: list[Shot] = []
    at, wanted = 0, {len(scenario.steps) // 2, len(scenario.steps) - 1}

    def look(_line: str) -> None:
        nonlocal at
        if at in wanted:
            kept.append(Shot(f"{scenario.process}:{at}", clock.now(), _rows(stage)))
        at += 1

    assert stage.play(scenario, say=look).ok
    yield from kept


def _rows(stage: scenarios.Stage) -> dict[str, list[dict[str, Any]]]:
    database = Database(f"sqlite:///{stage.folder / str(stage.played) / 'guohe.db'}", synchronous="OFF")
    try:
        with database.engine.connect() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in Model.metadata.sorted_tables
            }
    finally:
        database.close()


def test_the_state_of_every_running_case_of_every_procedure_is_made_again(database, shots):
    made: set[str] = set()
    for shot in shots:
        with clock.travel(shot.now), pytest.raises(_Undone), database.transaction() as session:
            for table in Model.metadata.sorted_tables:
                if shot.rows[table.name]:
                    session.execute(insert(table), shot.rows[table.name])
            if not database.sqlite:
                count_on(session, Model.metadata.sorted_tables)
            admin = session.scalars(select(User).where(User.username == cast.ADMIN)).one()
            for case in session.scalars(select(Instance).where(Instance.ended_at.is_(None))).all():
                was = instances.load(session, case)
                case.state = DAMAGE
                session.flush()
                done = repairs.perform(session, case.id, "restore", {}, user=admin, reason="状态损坏")
                assert engine.same(instances.load(session, case), was), (shot.name, case.process_id)
                before, after = done.preview["before"], done.preview["after"]
                assert [one for one in before if one not in after] == [], (shot.name, case.process_id)
                assert {one["kind"] for one in after if one not in before} <= {"join"}, "no row tells of a join"
                made.add(case.process_id)
            raise _Undone
    rests_nowhere = {"register_entry"}
    assert {one.name.partition(":")[0] for one in shots} - made <= rests_nowhere, "a procedure was not looked at"


# Where something is missing


@pytest.fixture
def case(cockpit) -> int:
    cockpit.office.deploy(two_tasks())
    return cockpit.office.start()


def damaged(cockpit, case: int, state: bytes = DAMAGE) -> None:
    cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", state=state, id=case)


def test_a_damaged_case_is_found_restored_and_goes_on(cockpit, case):
    cockpit.office.do(case, "a")
    rows, state = rows_of(cockpit, case), cockpit.office.instance(case).state
    damaged(cockpit, case)
    cockpit.check()
    assert cockpit.causes(case) == {"corrupt_state"}
    shown = cockpit.preview(case, "restore")
    assert [one["zh"] for one in shown.notes] == [
        "从案件开始起，按历史重做 2 步，逐步与历史相符。",
        "令牌、变量和多实例进度全部恢复；任务的领取、草稿和期限不变。",
    ]
    done = cockpit.perform(case, "restore", version=shown.version)
    assert cockpit.causes(case) == set()
    assert cockpit.office.instance(case).status == "active"
    cockpit.undo(done.id)
    assert cockpit.office.instance(case).state == DAMAGE
    cockpit.perform(case, "restore")
    assert {**rows_of(cockpit, case), "incidents": []} == rows
    assert len(cockpit.office.instance(case).state) == len(state)
    cockpit.office.do(case, "b")
    assert cockpit.office.instance(case).status == "completed"


def test_a_state_that_is_readable_but_old_is_made_new(cockpit, case):
    old = cockpit.office.instance(case).state
    cockpit.perform(case, "variables", variables={"note": "更正"})
    cockpit.office.do(case, "a")
    with pytest.raises(errors.Conflict, match="一致"):
        cockpit.preview(case, "restore")
    damaged(cockpit, case, old)
    shown = cockpit.preview(case, "restore")
    assert [one["name"] for one in shown.new] == ["b"]
    assert shown.variables == [{"name": "note", "before": None, "after": "更正"}]
    cockpit.perform(case, "restore")
    assert list(cockpit.office.open(case)) == ["b"]
    assert cockpit.office.variables(case)["note"] == "更正"


def test_what_the_history_does_not_tell_is_named_and_the_case_goes_back_to_what_it_tells(cockpit, case):
    cockpit.office.do(case, "a")
    token = cockpit.office.task(cockpit.office.open(case)["b"]).token
    cockpit.sql("DELETE FROM event WHERE instance_id = :id AND kind = 'flow' AND element_id = 'a_b'", id=case)
    damaged(cockpit, case)
    shown = cockpit.preview(case, "restore")
    assert "不能恢复：自 " in shown.notes[1]["zh"]
    assert "“a”起的 1 步" in shown.notes[1]["zh"]
    assert [one["name"] for one in shown.gone] == ["b"]
    assert "a" in [one["name"] for one in shown.new]
    cockpit.perform(case, "restore")
    assert list(cockpit.office.open(case)) == ["a"]
    assert [one.status for one in cockpit.office.rows(Task, token=token)] == ["cancelled"]
    assert cockpit.check().healed == []


def test_a_copy_that_a_repair_kept_bridges_a_gap_in_the_history(cockpit, case):
    cockpit.perform(case, "variables", variables={"note": "甲"})
    was = cockpit.office.instance(case).state
    with cockpit.database.transaction() as session:
        session.execute(delete(Event).where(Event.instance_id == case, Event.kind == "entered"))
    damaged(cockpit, case)
    shown = cockpit.preview(case, "restore")
    assert "的快照起，按历史重做 1 步" in shown.notes[0]["zh"]
    cockpit.perform(case, "restore")
    assert len(cockpit.office.instance(case).state) == len(was)
    assert cockpit.office.variables(case)["note"] == "甲"


def test_without_history_and_copies_nothing_is_made_up(cockpit, case):
    with cockpit.database.transaction() as session:
        session.execute(delete(Event).where(Event.instance_id == case))
    damaged(cockpit, case)
    with pytest.raises(repairs.Unreadable, match="不足以恢复"):
        cockpit.preview(case, "restore")
    assert cockpit.office.rows(Repair) == []
    assert cockpit.preview(case, "terminate").ended


def test_a_timer_keeps_the_very_moment_its_row_names(cockpit, case):
    due = cockpit.office.jobs(instance_id=case)[0].due_at
    cockpit.sql("UPDATE event SET at = :at WHERE instance_id = :id", at=clock.now() + timedelta(seconds=2), id=case)
    damaged(cockpit, case)
    cockpit.perform(case, "restore")
    with cockpit.database.transaction(readonly=True) as session:
        found = recovery.recover(session, session.get_one(Instance, case))
    assert [one.due for one in found.run.waits() if isinstance(one, engine.TimerWait)] == [due]
    assert cockpit.check().healed == []
