"""What tests of commands, queries and pages stand on: both databases, and people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from psycopg import sql
from sqlalchemy.orm import Session

from service.commands.people import identity
from service.db import Database
from service.migrations import queue
from service.models import FIXED_PARTIES, Authority, Model, Organisation, User
from tests import cluster


@pytest.fixture(scope="session")
def postgresql() -> Iterator[cluster.Cluster]:
    """A private PostgreSQL server, started when the first test needs it."""
    with cluster.started() as server:
        yield server


def build(database: Database) -> None:
    """Make the tables as the models have them (a test holds the migrations against that) and mark them current."""
    with database.engine.begin() as connection:
        Model.metadata.create_all(connection)
        queue.install(connection)
        config = database.alembic()
        config.attributes["connection"] = connection
        command.stamp(config, "head")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "guohe.db"
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    build(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql_tables(postgresql: cluster.Cluster) -> str:
    """The URL of a database with all tables, emptied after each test."""
    url = postgresql.create("guohe")
    database = Database(url)
    build(database)
    database.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with all tables: the test runs once on SQLite and once on PostgreSQL."""
    make = sqlite_database if request.param == "sqlite" else postgresql_database
    with make(request) as opened:
        yield opened


@contextmanager
def sqlite_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Open a copy of the empty file."""
    path = request.getfixturevalue("tmp_path") / "guohe.db"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    opened = Database(f"sqlite:///{path}", synchronous="OFF")
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def postgresql_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Open the database of the session, and empty it afterwards."""
    opened = Database(request.getfixturevalue("postgresql_tables"))
    try:
        yield opened
    finally:
        opened.close()
        empty(request.getfixturevalue("postgresql"))


def empty(server: cluster.Cluster) -> None:
    """Delete every row. Much faster than TRUNCATE where tables hold little."""
    with server.connect("guohe") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        deletes = sql.SQL("; ").join(
            sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in tables.fetchall()
        )
        # As a replica, the server does not check references, so the order does not matter.
        connection.execute("SET session_replication_role = replica")
        connection.execute(deletes)


class People:
    """Makes the people of a test: ``people.user("wang", "recommender.reviewer@sd", "coop.intake")``.

    A membership is ``role@organisation``; organisations appear as they are named, and a role of a fixed party
    needs no organisation. Works in the test's ``session`` where it asks for one.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.session: Session | None = None

    @contextmanager
    def _within(self) -> Iterator[Session]:
        if self.session is not None:
            yield self.session
        else:
            with self.database.transaction() as session:
                yield session

    def authority(self, code: str = "most") -> Authority:
        """Return an authority; the first time, make it."""
        with self._within() as session:
            return self._authority(session, code)

    def organisation(self, code: str, *, authority: str = "most", **details: Any) -> Organisation:
        """Return an organisation by its code, with these details; the first time, make it."""
        with self._within() as session:
            return self._organisation(session, authority, code, **details)

    def user(self, username: str, *memberships: str, authority: str = "most", **details: Any) -> User:
        """Make a person with memberships."""
        with self._within() as session:
            details.setdefault("name", username.title())
            made = identity.create_user(session, self._authority(session, authority), username, **details)
            for membership in memberships:
                role, _, code = membership.partition("@")
                organisation = self._organisation(session, authority, code or role.partition(".")[0])
                identity.add_membership(session, made, organisation, role)
            return made

    def _authority(self, session: Session, code: str) -> Authority:
        found = session.query(Authority).filter_by(code=code).one_or_none()
        if found is None:
            identity.seed_roles(session)
            found = identity.create_authority(session, code, {"most": "科学技术部"}.get(code, code))
        return found

    def _organisation(self, session: Session, authority: str, code: str, **details: Any) -> Organisation:
        owner = self._authority(session, authority)
        found = session.query(Organisation).filter_by(authority_id=owner.id, code=code).one_or_none()
        if found is None:
            details.setdefault("kind", code if code in FIXED_PARTIES else "institution")
            details.setdefault("name", code)
            return identity.create_organisation(session, owner, code, **details)
        for field, value in details.items():
            setattr(found, field, value)
        return found


@pytest.fixture
def people(database: Database) -> People:
    """Make the people of the test."""
    return People(database)


@pytest.fixture
def session(database: Database, people: People) -> Iterator[Session]:
    """One transaction around the whole test; what it did is undone at the end."""
    with database.transaction() as opened:
        people.session = opened
        yield opened
        people.session = None
        opened.rollback()
