"""Transactions: what is kept, what is undone, and what a lost race says."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from service import clock, errors
from service.db import Database
from service.models import Authority, Counter, Deployment, Event, Instance, ProcessDefinition, Role
from service.models.base import LARGEST_ID


def authority(code: str) -> Authority:
    return Authority(code=code, name=code, created_at=clock.now())


def codes(database: Database) -> set[str]:
    with database.transaction(readonly=True) as session:
        return set(session.scalars(select(Authority.code)))


def a_case(database: Database) -> int:
    """A case with nothing in it."""
    now = clock.now()
    with database.transaction() as session:
        owner = authority("most")
        session.add(owner)
        session.flush()
        deployment = Deployment(authority_id=owner.id, bundle_hash="x", version=1, created_at=now)
        session.add(deployment)
        session.flush()
        definition = ProcessDefinition(
            authority_id=owner.id, deployment_id=deployment.id, process_id="p", name="P", version=1, latest=True,
            path="p.bpmn",
        )  # fmt: skip
        session.add(definition)
        session.flush()
        instance = Instance(
            authority_id=owner.id, definition_id=definition.id, deployment_id=deployment.id, process_id="p",
            number="P-1", started_at=now, updated_at=now,
        )  # fmt: skip
        session.add(instance)
        session.flush()
        return instance.id


def test_a_transaction_keeps_what_was_done(database):
    with database.transaction() as session:
        session.add(authority("a"))
    assert codes(database) == {"a"}


def test_a_transaction_that_fails_keeps_nothing(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        session.add(authority("a"))
        session.flush()
        _ = 1 / 0
    assert codes(database) == set()


def test_what_a_transaction_gave_is_readable_afterwards(database):
    with database.transaction() as session:
        made = authority("a")
        session.add(made)
    assert (made.id, made.code) == (made.id, "a")


def test_a_transaction_inside_a_transaction_is_a_mistake_that_shows(database):
    with database.transaction(), pytest.raises(RuntimeError), database.transaction():
        pass


def test_a_readonly_transaction_refuses_to_write(database):
    with pytest.raises(DBAPIError), database.transaction(readonly=True) as session:
        session.add(authority("a"))
    assert codes(database) == set()
    with database.transaction() as session:
        session.add(authority("b"))
    assert codes(database) == {"b"}


def test_readers_do_not_wait_for_a_writer(database):
    read = []

    def look() -> None:
        read.append(codes(database))

    with database.transaction() as session:
        session.add(authority("a"))
        session.flush()
        reader = threading.Thread(target=look)
        reader.start()
        reader.join(timeout=5)
        assert read == [set()]


def test_saving_an_instance_that_somebody_else_saved_is_a_lost_race(database):
    instance_id = a_case(database)
    with pytest.raises(errors.InstanceChanged) as raised, database.transaction() as session:
        instance = session.get(Instance, instance_id)
        # as if another process had been faster
        session.execute(
            update(Instance).where(Instance.id == instance_id).values(version=Instance.version + 1),
            execution_options={"synchronize_session": False},
        )
        instance.title = "mine"
    assert raised.value.status == 409


def test_twenty_threads_on_one_instance_save_one_after_another_or_lose(database):
    instance_id = a_case(database)
    outcomes: list[str] = []
    together = threading.Barrier(20)

    def save() -> None:
        together.wait()
        try:
            with database.transaction() as session:
                instance = session.get(Instance, instance_id)
                instance.state = instance.state + b"x"
            outcomes.append("saved")
        except errors.InstanceChanged:
            outcomes.append("lost")

    threads = [threading.Thread(target=save) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with database.transaction(readonly=True) as session:
        instance = session.get(Instance, instance_id)
        assert len(instance.state) == outcomes.count("saved") == instance.version - 1
    assert len(outcomes) == 20


def test_two_that_insert_the_same_row_of_a_case_are_a_lost_race(database):
    with database.transaction() as session:
        session.add(authority("a"))
    with database.transaction() as session:
        session.add(Counter(authority_id=1 if database.sqlite else first(session), series="DB", last=1))
    with pytest.raises(errors.InstanceChanged), database.transaction() as session:
        session.execute(
            Counter.__table__.insert().values(authority_id=first(session), series="DB", last=1),
        )


def first(session) -> int:
    return session.scalar(select(Authority.id))


def test_a_name_taken_in_the_same_moment_is_a_conflict(database):
    with database.transaction() as session:
        session.add(authority("a"))
    with pytest.raises(errors.Conflict) as raised, database.transaction() as session:
        session.add(authority("a"))
    assert raised.value.code == "conflict"


def test_a_missing_reference_is_our_own_mistake_and_not_hidden(database):
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(Event(authority_id=42, at=clock.now(), kind="x"))


def test_a_text_that_cannot_be_kept_is_the_senders_mistake(database):
    with pytest.raises(errors.InvalidInput), database.transaction() as session:
        session.add(Role(code="a", party="a", name_zh="\udcff", name_en=""))


def test_an_absurd_id_is_not_found(database):
    with database.transaction(readonly=True) as session:
        for odd in (LARGEST_ID + 1, 10**40, -1, 0):
            assert session.get(Authority, odd) is None


def test_moments_come_back_aware_and_in_utc(database):
    moment = datetime(2026, 3, 1, 8, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))
    with database.transaction() as session:
        session.add(Authority(code="a", name="a", created_at=moment))
    with database.transaction(readonly=True) as session:
        found = session.scalar(select(Authority.created_at))
        assert found == moment
        assert found.tzinfo == UTC


def test_a_naive_moment_is_refused(database):
    with pytest.raises(Exception, match="naive"), database.transaction() as session:
        session.add(Authority(code="a", name="a", created_at=datetime(2026, 3, 1)))


def test_data_come_back_as_they_went(database):
    data = {"名": ["中", 1, 1.5, None, True, {"深": {}}], "large": 2**70, "text": "a\n\"b'"}
    with database.transaction() as session:
        session.add(authority("a"))
        session.flush()
        session.add(Event(authority_id=first(session), at=clock.now(), kind="x", data=data))
    with database.transaction(readonly=True) as session:
        found = session.scalar(select(Event.data))
        assert float(found.pop("large")) == float(data.pop("large"))
        assert found == data


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("", "DATABASE_URL"),
        ("mysql://x/y", "DATABASE_URL"),
        ("sqlite://", "sqlite:///"),
        ("sqlite:///:memory:", "sqlite:///"),
        ("nonsense", "postgresql://"),
        ("postgresql://host:port/x", "DATABASE_URL"),
        ("sqlite:////no/such/folder/x.db", "/no/such/folder"),
    ],
)
def test_a_wrong_address_says_in_one_line_what_a_right_one_is(url, hint):
    with pytest.raises(errors.NotReady) as raised:
        Database(url)
    for sentence in (raised.value.zh, raised.value.en):
        assert hint in sentence
        assert "\n" not in sentence


def test_a_server_that_is_not_there_is_reported_in_one_line():
    database = Database("postgresql://guohe:secret@127.0.0.1:1/guohe")
    with pytest.raises(errors.NotReady) as raised:
        database.check()
    assert "连接不到" in raised.value.zh
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_database_the_server_does_not_have_is_reported(postgresql):
    database = Database(postgresql.url("nowhere"))
    with pytest.raises(errors.NotReady) as raised:
        database.check()
    assert "先创建" in raised.value.zh


def test_a_file_that_is_no_database_is_reported(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 200)
    with pytest.raises(errors.NotReady) as raised:
        Database(f"sqlite:///{path}").check()
    assert "不是 SQLite" in raised.value.zh


def test_a_database_that_goes_away_and_comes_back_is_survived(postgresql, database):
    if database.sqlite:
        with database.transaction() as session:
            session.add(authority("a"))
        database.close()
        assert codes(database) == {"a"}
        return
    with pytest.raises(errors.Unavailable), database.transaction() as session:
        session.add(authority("a"))
        session.flush()
        with postgresql.connect() as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'guohe'")
        session.execute(text("SELECT 1"))
    assert codes(database) == set()


def test_a_deadlock_is_a_lost_race(database):
    """Two writers that take two rows crosswise: on SQLite they queue, on PostgreSQL one of them loses."""
    with database.transaction() as session:
        session.add_all([authority("a"), authority("b")])
    outcomes: list[str] = []
    halfway = threading.Barrier(2)

    def rename(one: str, other: str) -> None:
        try:
            with database.transaction() as session:
                session.execute(update(Authority).where(Authority.code == one).values(name="x"))
                if not database.sqlite:
                    halfway.wait(timeout=5)
                session.execute(update(Authority).where(Authority.code == other).values(name="x"))
            outcomes.append("saved")
        except errors.InstanceChanged:
            outcomes.append("lost")

    threads = [threading.Thread(target=rename, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == (["saved", "saved"] if database.sqlite else ["lost", "saved"])


def test_writers_of_other_processes_are_waited_for(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", synchronous="OFF")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE t (x INTEGER)"))
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("COMMIT")).start()
    started = time.monotonic()
    with database.transaction() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
    assert time.monotonic() - started >= 0.15
    database.close()
    other.close()


def test_many_may_open_a_new_file_at_once(tmp_path):
    """The first changes it to a write-ahead log; to the others SQLite says at once that it is locked."""
    for number in range(20):
        opened = [Database(f"sqlite:///{tmp_path / f'{number}.db'}", synchronous="OFF") for _ in range(6)]
        together = threading.Barrier(len(opened))

        def look(one, together=together):
            together.wait()
            return one.revision()

        with ThreadPoolExecutor(len(opened)) as pool:
            assert list(pool.map(look, opened)) == [None] * len(opened)
        for one in opened:
            one.close()


def test_a_file_that_is_being_changed_is_waited_for(tmp_path):
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN EXCLUSIVE")
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(database.revision)
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.2)
        other.execute("COMMIT")
        assert asked.result() is None
    database.close()
    other.close()
