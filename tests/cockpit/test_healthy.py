"""A thousand cases of the real procedures, in every state their scenarios go through: not one false alarm.

SQLite sees every state once; the copies that make a thousand are for PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from service import clock, config, scenarios
from service.db import Database
from service.models import Incident, Instance
from service.queries import liveness
from service.upkeep import Upkeep
from tests.cockpit.worlds import ROOT, Theatre, Town, World

NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
CASES = 1_000
ENOUGH = 4
"""A scenario of fewer steps shows too few states."""
FILES = scenarios.find([ROOT / "processes"])


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    with scenarios.Stage(ROOT) as stage:
        yield Theatre(stage)


@pytest.fixture(scope="module")
def worlds(theatre: Theatre) -> list[World]:
    """The shortest scenario of every procedure that goes through some states, before each of its steps."""
    chosen: dict[str, scenarios.Scenario] = {}
    for scenario in sorted(map(scenarios.read, FILES), key=lambda one: len(one.steps)):
        if len(scenario.steps) >= ENOUGH:
            chosen.setdefault(scenario.process, scenario)
    return [world for one in chosen.values() for world in theatre.worlds(one)]


def test_a_thousand_running_cases_raise_no_alarm(database: Database, worlds: list[World], theatre: Theatre, tmp_path):
    with clock.travel(NOW):
        town = Town(database, theatre.usual, NOW)
        wanted = 1 if database.sqlite else CASES
        while town.running < wanted:
            town.move_in(worlds)
        upkeep = Upkeep(database, config.read({"GUOHE_DATA": str(tmp_path)}), "healthy")
        upkeep.beat()
        first, second = upkeep.check(), upkeep.check()
        with database.transaction(readonly=True) as session:
            assert liveness.running(session) >= wanted
            assert set(session.scalars(select(Instance.process_id).where(Instance.ended_at.is_(None)))) == {
                row["process_id"] for world in worlds for row in world.running
            }
            alarms = liveness.findings(session)
            opened = session.scalar(select(func.count()).select_from(Incident).where(Incident.resolved_at.is_(None)))
    assert [(one.cause, one.element_id) for _, one in [*first.healed, *first.reported]] == []
    assert (second.examined, second.healed, second.reported) == (0, [], [])
    assert alarms == []
    assert opened == 0
