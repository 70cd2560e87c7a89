"""What a page of the inbox costs with few and with many open tasks."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service import words
from service.db import Database
from service.models import User
from service.queries import inbox
from tests import cluster, rows
from tests.conftest import People, build
from tests.statements import counted

FEW, MANY, MOST = 1_000, 100_000, 1_000_000
"""Open tasks; the most on PostgreSQL alone, and only where ``BENCH_MOST`` is set."""
ROUNDS, SECONDS = 40, 8.0
"""How often each question is asked, at least thrice, as long as there is time."""
WORK = 12
"""How often it is asked for the processor time of it."""
SERVER = ("shared_buffers=1GB",)
"""As whoever has a million open tasks would set it; the tests' own server is given 64 MB."""
WORDS = ("海洋生物", "高原冻土", "新能源材料", "深空探测", "中医药现代化", "量子信息", "绿色建筑", "智能制造")


def fill(session: Session, people: People, count: int) -> tuple[User, User]:
    """One case and one open task each: nine in ten for one desk, the rest for the people of an institution.

    One case in ten has a form that was handed in, and every second of those forms has a word of all titles.
    """
    desk = people.organisation("coop")
    uni = people.organisation("uni")
    officer = people.user("officer", "coop.intake", "coop.organiser", "coop.assessor")
    colleague = people.user("colleague", "coop.intake")
    drafter = people.user("drafter", "applicant.drafter@uni")
    of = rows.definition(session, people.authority().id)
    sqlite = session.get_bind().dialect.name == "sqlite"
    due = (
        "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', (i % 100000 * 7919 % 100000) || ' minutes')"
        if sqlite
        else "now() + (i % 100000 * 7919 % 100000) * interval '1 minute'"
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
    region = "CASE i % 31 WHEN 0 THEN '山东' WHEN 1 THEN '西藏' ELSE '省' || (i % 31) END"
    word = "CASE i % 8 " + " ".join(f"WHEN {place} THEN '{one}'" for place, one in enumerate(WORDS)) + " END"
    quote = "" if sqlite else "'"

    def written(texts: Iterable[str]) -> str:
        return "'" + " ".join(f"{quote}{text}{quote}" for text in sorted(texts)).replace("'", "''") + " '"

    rare = "i % 50000 = 77"
    about = (
        f"'db ' || i || ' ' || ({word}) || ' 国际科技合作基地 case ' || i || CASE WHEN {rare} THEN ' 鲸鱼' ELSE '' END"
    )
    pairs = (
        "CASE i % 8 " + " ".join(f"WHEN {at} THEN {written(words.pairs(one))}" for at, one in enumerate(WORDS)) + " END"
    )
    # of the number, its pairs alone: as rare and as common as pairs of figures are
    number = " || ".join(
        f"'{quote * 2}' || substr(CAST(1000000 + i AS text), {at}, 2) || '{quote * 2} '" for at in range(2, 7)
    )
    tags = f"{written(['process:demo', 'step:step'])} || '{quote * 2}region:' || ({region}) || '{quote * 2} '"
    terms = f"""({pairs}) || {written(words.pairs("国际科技合作基地 step"))} || {number} || {tags}
        || CASE WHEN {rare} THEN {written(["鲸鱼"])} ELSE '' END"""
    typed = "'热液菌株' || CASE WHEN i % 20 = 3 THEN ' 合作' ELSE '' END"
    formed = f"""{terms} || {written(words.typed(words.pairs("热液菌株")))}
        || CASE WHEN i % 20 = 3 THEN {written(words.typed(words.pairs("合作")))} ELSE '' END"""
    vector = "{}" if sqlite else "CAST({} AS tsvector)"
    with_form = "FROM n WHERE i % 10 = 3"
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
        f"""INSERT INTO search_entry (task_id, instance_id, authority_id, name, about, said, region, terms)
            {numbers} SELECT i, i, :authority, 'step', {about}, '', {region}, {vector.format(terms)} FROM n""",
        f"""INSERT INTO task (id, authority_id, instance_id, token, element_id, process_id, name, documentation,
            properties, status, organisation_id, role, completed_by_id, completed_at, due_sort, priority, created_at,
            version)
            {numbers} SELECT :count + i, :authority, i, 2, 'form', 'demo', 'Form', '', '{{}}', 'completed', :uni,
            'applicant.drafter', :colleague, {now}, {due}, 50, {now}, 1 {with_form}""",
        f"""INSERT INTO search_entry (task_id, instance_id, authority_id, name, about, said, region, terms)
            {numbers} SELECT :count + i, i, :authority, 'form', {about}, {typed}, {region}, {vector.format(formed)}
            {with_form}""",
    ):
        names = {name for name in facts if f":{name}" in statement}
        session.execute(text(statement), {name: facts[name] for name in names})
    return officer, drafter


def milliseconds(database: Database, ask: Callable[[Session], Any]) -> float:
    """The 95th of a hundred of many rounds, each in a transaction of its own as a page has it."""
    taken: list[float] = []
    while len(taken) < 3 or (len(taken) < ROUNDS and sum(taken) < SECONDS * 1000):
        started = time.perf_counter()
        with database.transaction(readonly=True) as session:
            ask(session)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


def worked(database: Database, ask: Callable[[Session], Any]) -> float:
    """The processor time of a page in ms, ours and the server's: what a wait for other programs does not change."""
    with database.transaction(readonly=True) as session:
        server = None if database.sqlite else session.connection().connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
        ask(session)  # the first compiles
        taken = []
        for _ in range(WORK):
            ours, theirs = time.process_time(), _scheduled(server)
            ask(session)
            taken.append((time.process_time() - ours) * 1000 + _scheduled(server) - theirs)
    return statistics.median(taken)


def _scheduled(pid: int | None) -> float:
    """What a process has had of the processor, as Linux counts it; elsewhere nothing is told of the server's part."""
    told = Path(f"/proc/{pid}/schedstat")
    return int(told.read_text().split()[0]) / 1e6 if told.exists() else 0.0


def measured(database: Database, people: People, count: int) -> dict[str, tuple[float, float]]:
    with database.transaction() as session:
        people.session = session
        officer, drafter = fill(session, people, count)
        people.session = None
    if not database.sqlite:  # PostgreSQL does so by itself, in a minute
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
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
        "search: a common word": lambda session: inbox.tasks(session, officer, box="group", text="合作"),
        "search: one in eight": lambda session: inbox.tasks(session, officer, box="group", text="冻土"),
        "search: a rare word": lambda session: inbox.tasks(session, officer, box="group", text="鲸鱼"),
        "search: a word of forms": lambda session: inbox.tasks(session, officer, box="group", text="菌株"),
        "search: nothing": lambda session: inbox.tasks(session, officer, box="group", text="没有这样"),
        "filter: region": lambda session: inbox.tasks(session, officer, box="group", region="西藏"),
        "filter and search": lambda session: inbox.tasks(session, officer, box="group", region="西藏", text="冻土"),
        "search for an institution": lambda session: inbox.tasks(session, drafter, box="group", text="合作"),
        "search all open": lambda session: inbox.tasks(session, officer, box="all", status="open", text="合作"),
        "kinds with counts": lambda session: inbox.kinds(session, officer, box="group"),
        "all open, by due date": lambda session: inbox.tasks(session, officer, box="all", status="open"),
    }
    with database.transaction(readonly=True) as session, counted(database) as statements:
        asked["group, first page"](session)
    assert len(statements) <= 3
    return {name: (milliseconds(database, ask), worked(database, ask)) for name, ask in asked.items()}


@pytest.mark.bench
def test_a_page_of_the_inbox_costs_the_same_however_much_is_open(tmp_path, capsys):
    figures: dict[tuple[str, int], dict[str, tuple[float, float]]] = {}
    with cluster.started(*SERVER) as server:
        for count in (FEW, MANY, MOST) if "BENCH_MOST" in os.environ else (FEW, MANY):
            for name, url in (
                ("SQLite", f"sqlite:///{tmp_path}/{count}.db"),
                ("PostgreSQL", server.create(f"b{count}")),
            ):
                if count == MOST and name == "SQLite":
                    continue
                database = Database(url, synchronous="OFF")
                build(database)
                figures[name, count] = measured(database, People(database), count)
                database.close()
    with capsys.disabled():
        for at, what in enumerate((f"ms a page (p95 of {ROUNDS})", "ms of processor a page")):
            print(f"\nInbox, {what:<33}{FEW:>9,} {MANY:>11,} {MOST:>11,} open   ratio")
            for (name, count), found in figures.items():
                for question, few in found.items() if count == FEW else ():
                    more = [figures[name, most][question][at] for most in (MANY, MOST) if (name, most) in figures]
                    cells = "".join(f"{value:>12.2f}" for value in (few[at], *more)).ljust(36)
                    print(f"  {name:<11}{question:<26}{cells}{more[-1] / few[at]:>13.2f}")
