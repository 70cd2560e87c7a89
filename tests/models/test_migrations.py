"""The migrations lead to the tables that the models describe, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service import db, errors
from service.db import Database
from service.migrations import compared
from service.models import Model


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request, tmp_path):
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'bare.db'}", synchronous="OFF")
        yield database
        database.close()
        return
    server = request.getfixturevalue("postgresql")
    database = Database(server.create("bare"))
    yield database
    database.close()
    server.drop("bare")


def test_migrations_and_models_agree(bare):
    bare.migrate()
    bare.check()
    with bare.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Model.metadata, **compared})
        assert compare_metadata(context, Model.metadata) == []


def test_migrating_twice_changes_nothing(bare):
    bare.migrate()
    bare.migrate()
    bare.check()


def test_tables_that_are_not_there_are_reported_in_one_line(bare):
    with pytest.raises(errors.NotReady) as raised:
        bare.check()
    assert "guohe migrate" in raised.value.zh
    assert "\n" not in str(raised.value)
    assert raised.value.code == "schema_old"


def test_tables_newer_than_the_program_are_reported_in_one_line(bare):
    bare.migrate()
    with bare.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.NotReady) as raised:
        bare.check()
    assert "9999" in raised.value.en
    assert raised.value.code == "schema_newer"


def test_a_migration_that_fails_leaves_the_tables_as_they_were(bare):
    with bare.transaction() as session:
        session.execute(text("CREATE TABLE task (id INTEGER)"))
    with pytest.raises(errors.NotReady) as raised:
        bare.migrate()
    assert raised.value.code == "migration_failed"
    with bare.transaction(readonly=True) as session:
        assert session.execute(text("SELECT count(*) FROM task")).scalar() == 0
    assert bare.revision() is None


def test_two_processes_may_migrate_at_once(bare):
    others = [Database(bare.url.render_as_string(hide_password=False)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(other.migrate) for other in others]:
            done.result(timeout=60)
    for other in others:
        other.check()
        other.close()


def test_an_upgrade_of_newer_tables_is_refused(bare):
    bare.migrate()
    with bare.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(errors.NotReady):
        bare.migrate()


def test_the_models_of_the_register_are_among_the_tables():
    assert {"base", "accreditation", "ban", "instance", "task"} <= set(Model.metadata.tables)


def test_the_migrations_follow_one_another(bare):
    """What a start reads from the files as text is what Alembic reads from them."""
    scripts = ScriptDirectory.from_config(bare.alembic())
    assert db._revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
