"""What a page of the inbox costs with few and with many open tasks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service import clock
from service.db import Database
from service.models import User
from service.queries import inbox
from tests import rows
from tests.conftest import People
from tests.statements import counted

FEW, MANY = 1_000, 100_000
ROUNDS = 40


def fill(session: Session, people: People, count: int) -> User:
    """One case and one open task each: nine in ten for one desk, the rest for the people of an institution."""
    desk = people.organisation("coop")
    uni = people.organisation("uni")
    officer = people.user("officer", "coop.intake", "coop.organiser", "coop.assessor")
    colleague = people.user("colleague", "coop.intake")
    of = rows.definition(session, people.authority().id)
    sqlite = session.get_bind().dialect.name == "sqlite"
    due = (
        "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', (i * 7919 % 100000) || ' minutes')"
        if sqlite
        else "now() + (i * 7919 % 100000) * interval '1 minute'"
    )
    now = "strftime('%Y-%m-%d %H:%M:%S.000000', 'now')" if sqlite else "now()"
    facts = {
        "authority": of.authority_id, "definition": of.id, "deployment": of.deployment_id, "count": count,
        "desk": desk.id, "uni": uni.id, "officer": officer.id, "colleague": colleague.id, "state": b"x" * 1000,
    }  # fmt: skip
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
    role = "CASE i % 3 WHEN 0 THEN 'coop.intake' WHEN 1 THEN 'coop.organiser' ELSE 'coop.assessor' END"
    # one in ten belongs to an institution, one in five is taken, one in a hundred by the officer
    office = "CASE WHEN i % 10 = 0 THEN :uni ELSE :desk END"
    function = f"CASE WHEN i % 10 = 0 THEN 'applicant.drafter' ELSE {role} END"
    holder = "CASE WHEN i % 100 = 7 THEN :officer WHEN i % 5 = 1 THEN :colleague END"
    claimed = f"({holder}) IS NOT NULL"
    for statement in (
        f"""INSERT INTO instance (id, authority_id, definition_id, deployment_id, process_id, number, title, status,
            state, version, started_at, updated_at)
            {numbers} SELECT i, :authority, :definition, :deployment, 'demo', 'DB-' || i, 'Case ' || i, 'active',
            :state, 1, {now}, {now} FROM n""",
        f"""INSERT INTO case_party (instance_id, party, organisation_id)
            {numbers} SELECT i, 'applicant', :uni FROM n""",
        f"""INSERT INTO task (id, authority_id, instance_id, token, element_id, process_id, name, documentation,
            properties, status, organisation_id, role, assignee_id, due_at, due_sort, priority, created_at, version)
            {numbers} SELECT i, :authority, i, 1, 'step', 'demo', 'Step', '', '{{}}', 'open', {office}, {function},
            {holder}, {due}, {due}, 50, {now}, 1 FROM n""",
        f"""INSERT INTO task_candidate (task_id, organisation_id, role, claimed, due_sort)
            {numbers} SELECT i, {office}, {function}, {claimed}, {due} FROM n""",
    ):
        names = {name for name in facts if f":{name}" in statement}
        session.execute(text(statement), {name: facts[name] for name in names})
    return officer


def milliseconds(database: Database, ask: Callable[[Session], Any]) -> float:
    """The median of many rounds, each in a transaction of its own as a page has it."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with database.transaction(readonly=True) as session:
            ask(session)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def measured(database: Database, people: People, count: int) -> dict[str, float]:
    with database.transaction() as session:
        people.session = session
        officer = fill(session, people, count)
        people.session = None
    if not database.sqlite:  # PostgreSQL does so by itself, in a minute
        with database.transaction() as session:
            session.execute(text("ANALYZE"))
    with database.transaction(readonly=True) as session:
        first = inbox.tasks(session, officer, box="group")
        assert len(first.items) == 25
        assert first.next
    asked: dict[str, Callable[[Session], Any]] = {
        "group, first page": lambda session: inbox.tasks(session, officer, box="group"),
        "group, next page": lambda session: inbox.tasks(session, officer, box="group", after=first.next),
        "mine": lambda session: inbox.tasks(session, officer, box="mine"),
        "counts": lambda session: inbox.counts(session, officer),
        "group, overdue only": lambda session: inbox.tasks(session, officer, box="group", overdue=True),
        "all open, by due date": lambda session: inbox.tasks(session, officer, box="all", status="open"),
    }
    with database.transaction(readonly=True) as session, counted(database) as statements:
        asked["group, first page"](session)
    assert len(statements) <= 3
    return {name: milliseconds(database, ask) for name, ask in asked.items()}


@pytest.mark.bench
def test_a_page_of_the_inbox_costs_the_same_however_much_is_open(request, tmp_path, capsys):
    figures: dict[tuple[str, int], dict[str, float]] = {}
    for count in (FEW, MANY):
        for name, database in databases(request, tmp_path, count):
            figures[name, count] = measured(database, People(database), count)
            database.close()
    with capsys.disabled():
        print(f"\nInbox, ms a page (median of {ROUNDS})      {FEW:>8,} open {MANY:>8,} open    ratio")
        for name in ("SQLite", "PostgreSQL"):
            for question, few in figures[name, FEW].items():
                many = figures[name, MANY][question]
                print(f"  {name:<11}{question:<28}{few:>10.2f}{many:>14.2f}{many / few:>11.2f}")


def databases(request: pytest.FixtureRequest, tmp_path: Any, count: int) -> Any:
    """A fresh database of each kind."""
    import shutil

    path = tmp_path / f"{count}.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    yield "SQLite", Database(f"sqlite:///{path}", synchronous="OFF")
    server = request.getfixturevalue("postgresql")
    request.getfixturevalue("postgresql_tables")
    name = f"bench{count}_{clock.now():%H%M%S}"
    yield "PostgreSQL", Database(server.create(name, template="guohe"))
