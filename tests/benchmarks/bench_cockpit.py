"""What the liveness check, the stuck page, the heat map, a migration and a batch cost, with few and many cases."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.commands.administration import symptoms
from service.db import Database
from service.models import Instance, User
from service.queries import heat, liveness, stuck
from service.upkeep import Upkeep
from tests.cockpit.conftest import Cockpit, two_tasks
from tests.cockpit.test_batches import RENAMED, counts, create, propose
from tests.commands.conftest import Office
from tests.conftest import People

pytestmark = pytest.mark.bench
FEW, MANY = 1_000, 100_000
SOME, ALL = 100, 10_000
ROUNDS = 20


def fill(database: Database, case: int, count: int) -> None:
    """Copies of a real case: the same state, its rows, and the watch that says so. One in fifty is late."""
    with database.transaction() as session:
        for statement in (
            """INSERT INTO instance (id, authority_id, definition_id, deployment_id, process_id, number, title, status,
               state, version, started_at, updated_at)
               SELECT 1000000 + i, authority_id, definition_id, deployment_id, process_id, 'X-' || i, title, status,
               state, version, started_at, updated_at FROM instance, generate_series(1, :n) AS i WHERE id = :case""",
            """INSERT INTO task (id, authority_id, instance_id, token, element_id, process_id, name, documentation,
               properties, status, organisation_id, role, due_at, due_sort, priority, created_at, version)
               SELECT 1000000 + i, authority_id, 1000000 + i, token, element_id, process_id, name, documentation,
               properties, status, organisation_id, role,
               CASE WHEN i % 50 = 0 THEN now() - interval '1 day' END, due_sort, priority, created_at, version
               FROM task, generate_series(1, :n) AS i WHERE instance_id = :case""",
            """INSERT INTO task_candidate (task_id, organisation_id, role, claimed, due_sort)
               SELECT 1000000 + i, c.organisation_id, c.role, c.claimed, c.due_sort
               FROM task_candidate c JOIN task t ON t.id = c.task_id, generate_series(1, :n) AS i
               WHERE t.instance_id = :case""",
            """INSERT INTO job (authority_id, instance_id, token, element_id, process_id, kind, topic, status, due_at,
               attempts, retries, payload, created_at)
               SELECT authority_id, 1000000 + i, token, element_id, process_id, kind, topic, status, due_at,
               attempts, retries, payload, created_at FROM job, generate_series(1, :n) AS i WHERE instance_id = :case""",
            """INSERT INTO watch (instance_id, version, checksum, tasks, jobs, subscriptions, incidents, checked_at)
               SELECT 1000000 + i, version, checksum, tasks, jobs, subscriptions, incidents, checked_at
               FROM watch, generate_series(1, :n) AS i WHERE instance_id = :case""",
        ):
            session.execute(text(statement), {"n": count, "case": case})
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def p95(database: Database, person: User, act: Callable[[Any, User], Any]) -> float:
    took = []
    for _ in range(ROUNDS):
        with database.transaction(readonly=True) as session:
            user = session.get_one(User, person.id)
            began = time.perf_counter()
            act(session, user)
            took.append(time.perf_counter() - began)
    return statistics.quantiles(took, n=20)[-1] * 1000


@pytest.fixture
def office(postgresql, postgresql_tables, request, tmp_path: Path):
    from tests.conftest import postgresql_database

    with postgresql_database(request) as database:
        yield Office(database, People(database), tmp_path / "data")


def test_liveness_stuck_page_and_heat_map_with_few_and_many_cases(office: Office) -> None:
    office.deploy(two_tasks())
    cockpit, found = Cockpit(office), {}
    case = office.start()
    cockpit.check()
    so_far = 0
    for count in (FEW, MANY):
        fill_from = count - so_far
        if so_far:
            cockpit.sql("DELETE FROM task WHERE id > 1000000")
            cockpit.sql("DELETE FROM instance WHERE id > 1000000")
            fill_from = count
        fill(office.database, case, fill_from)
        so_far = count
        upkeep = Upkeep(office.database, office.settings, "bench")
        upkeep.beat()
        checked = upkeep.check()
        assert checked.healed == []
        assert checked.reported == []
        began = time.perf_counter()
        with office.database.transaction(readonly=True) as session:
            assert liveness.findings(session) == []
        rule = time.perf_counter() - began
        began = time.perf_counter()
        with office.database.transaction() as session:
            symptoms.diagnose(session)
        diagnosed = time.perf_counter() - began
        found[count] = {
            "whole check s": checked.seconds,
            "rule from rows s": rule,
            "symptoms s": diagnosed,
            "stuck page p95 ms": p95(
                office.database,
                office.admin,
                lambda session, user: (stuck.groups(session, user), stuck.rows(session, user, symptom="overdue")),
            ),
            "heat p95 ms": p95(
                office.database, office.admin, lambda session, user: heat.heat(session, user, "p", "count")
            ),
        }
    print()
    for name in found[FEW]:
        few, many = found[FEW][name], found[MANY][name]
        print(f"{name:20} {FEW}: {few:9.3f}   {MANY}: {many:9.3f}   per case ×{many / few / (MANY / FEW):.2f}")
    assert found[MANY]["whole check s"] < 60


def test_a_thousand_cases_move_to_another_version(office: Office) -> None:
    old = office.deploy(two_tasks())
    case = office.start()
    cockpit = Cockpit(office)
    cockpit.check()
    fill(office.database, case, FEW - 1)
    new = office.deploy(RENAMED)
    plan = propose(cockpit, old, new)
    ids = [one.id for one in office.rows(Instance)]
    create(cockpit, "migrate", ids=ids, parameters={"deployment": new, "names": plan.names})
    began = time.perf_counter()
    assert cockpit.upkeep.work(seconds=600) == FEW
    took = time.perf_counter() - began
    print(f"\n{FEW} cases migrated in {took:.1f} s, {took / FEW * 1000:.1f} ms each")


def test_a_batch_of_ten_thousand_cases_is_worked_to_its_end(office: Office) -> None:
    office.deploy(two_tasks())
    case = office.start()
    cockpit = Cockpit(office)
    cockpit.check()
    fill(office.database, case, SOME + ALL - 1)
    ids = sorted(one.id for one in office.rows(Instance))
    each = {}
    for count, chosen in ((SOME, ids[:SOME]), (ALL, ids[SOME:])):
        batch = create(cockpit, "skip", ids=chosen)
        began, cpu = time.perf_counter(), time.process_time()
        assert cockpit.upkeep.work(seconds=7200) == count
        each[count] = (time.perf_counter() - began) / count * 1000
        used = (time.process_time() - cpu) / count * 1000
        assert counts(cockpit, batch) == {"pending": 0, "done": count, "failed": 0, "skipped": 0}
        print(f"\n{count} cases: {each[count]:.1f} ms each, of which {used:.1f} ms are ours")
    print(f"per case ×{each[ALL] / each[SOME]:.2f}")
