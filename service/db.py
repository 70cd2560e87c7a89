"""The database. ``Database.transaction`` is the only place where anything begins and is committed.

On SQLite a writing transaction takes the write lock at its beginning, so that whoever reads in it reads what it
will change; threads of one process queue for it in the process instead of polling the file.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from . import errors

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x67756F6865  # "guohe": one migration at a time on a PostgreSQL server

_CASE_TABLES = frozenset({"instance", "task", "task_candidate", "draft", "counter", "subscription", "correlation"})


class Database:
    """A SQLite file or a PostgreSQL database, by its URL."""

    def __init__(self, url: str, *, pool_size: int = 10, synchronous: str = "FULL") -> None:
        self.url = _usable(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._open = threading.local()
        self._turn = threading.Lock()
        if self.sqlite:
            self._writer = _sqlite(self.url, synchronous)
            self._reader = _sqlite(self.url, synchronous, query_only=True, pool_size=pool_size)
        else:
            self._writer = _postgresql(self.url, pool_size)
            self._reader = self._writer.execution_options(postgresql_readonly=True)
        # What a view got from a command stays readable after the commit.
        self._sessions = {
            readonly: sessionmaker(engine, expire_on_commit=False)
            for readonly, engine in ((False, self._writer), (True, self._reader))
        }

    @property
    def engine(self) -> Engine:
        """The engine of writing transactions."""
        return self._writer

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines behind all transactions: one, or on SQLite one to write and one to read."""
        return (self._writer, self._reader) if self.sqlite else (self._writer,)

    @contextmanager
    def transaction(self, *, readonly: bool = False) -> Iterator[Session]:
        """Begin, and commit what was done – or undo all of it where anything is raised.

        A read-only one never waits for writers on SQLite, and refuses to write.
        """
        if getattr(self._open, "yes", False):
            raise RuntimeError("a transaction inside a transaction: pass the session on instead")
        waits = self.sqlite and not readonly
        if waits and not self._turn.acquire(timeout=30):
            raise errors.Busy
        self._open.yes = True
        try:
            with self._sessions[readonly]() as session, session.begin():
                yield session
        except (SQLAlchemyError, UnicodeEncodeError) as error:
            known = _translated(error)
            if known is None:
                raise
            raise known from error
        finally:
            self._open.yes = False
            if waits:
                self._turn.release()

    def check(self) -> None:
        """Raise ``NotReady``, in one line, where the database cannot be used as it is."""
        known = _revisions()
        current = self.revision()
        if current == known[-1]:
            return
        if current is None or current in known:
            raise errors.NotReady(
                "数据库结构尚未建立或版本较旧，请运行：guohe migrate",
                "The database has no tables or older ones; run: guohe migrate",
                code="schema_old",
            )
        raise errors.NotReady(
            f"数据库结构（{current}）比本程序新，请安装新版程序，或恢复升级前的备份。",
            f"The tables ({current}) are newer than this program; install the newer one or restore a backup.",
            code="schema_newer",
        )

    def revision(self) -> str | None:
        """Say which migration the tables are at; None where there are none."""
        try:
            with self._reader.connect() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return None
                return connection.scalar(text("SELECT version_num FROM alembic_version"))
        except SQLAlchemyError as error:
            raise self._unusable(error) from error

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to the newest shape. Several processes may try at once."""
        from alembic import command
        from alembic.util import CommandError

        self.revision()
        engine = _sqlite(self.url, "FULL", foreign_keys=False) if self.sqlite else self._writer
        try:
            with engine.begin() as connection:
                if not self.sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                config = self.alembic()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                if self.sqlite:
                    self._check_foreign_keys(connection)
        except (DBAPIError, CommandError) as error:
            raise errors.NotReady(
                f"升级数据库结构失败，未作任何更改：{_reason(error)}",
                f"The tables could not be upgraded, and nothing was changed: {_reason(error)}",
                code="migration_failed",
            ) from error
        finally:
            if self.sqlite:
                engine.dispose()

    def close(self) -> None:
        """Give all connections back."""
        self._writer.dispose()
        self._reader.dispose()

    def _check_foreign_keys(self, connection: Connection) -> None:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise errors.NotReady(
                f"升级后数据引用不一致（表 {broken[0]}），未作任何更改。",
                f"The upgrade would leave a dangling reference in {broken[0]}; nothing was changed.",
            )

    def alembic(self) -> Config:
        """Return the settings of Alembic for our migrations; ``attributes["connection"]`` is still to be given."""
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        return config

    def _unusable(self, error: SQLAlchemyError) -> errors.NotReady:
        reason = _reason(error)
        shown = self.url.render_as_string(hide_password=True)
        if self.sqlite and "not a database" in reason:
            zh, en = "该文件不是 SQLite 数据库", "that file is no SQLite database"
        elif self.sqlite:
            zh, en = (
                "无法打开数据库文件，请检查路径与权限",
                "the file cannot be opened; look at its path and permissions",
            )
        elif "password" in reason or "role" in reason:
            zh, en = "用户名或密码不被接受", "the user or the password is not accepted"
        elif "does not exist" in reason:
            zh, en = "服务器上没有这个数据库，请先创建", "the server has no such database; create it first"
        else:
            zh, en = "连接不到数据库服务器，请检查其是否运行", "the server cannot be reached; is it running?"
        return errors.NotReady(
            f"DATABASE_URL（{shown}）：{zh}。{reason}", f"DATABASE_URL ({shown}): {en}. {reason}", code="no_database"
        )


def _revisions() -> list[str]:
    """Return the migrations we have, oldest first. Read as text: a start should not have to load Alembic."""
    after: dict[str | None, str] = {}
    for path in (MIGRATIONS / "versions").glob("*.py"):
        words = dict(re.findall(r'^(revision|down_revision) = "?(\w+)"?$', path.read_text(encoding="utf-8"), re.M))
        before = words["down_revision"]
        after[None if before == "None" else before] = words["revision"]
    found = [after[None]]
    while found[-1] in after:
        found.append(after[found[-1]])
    return found


def _reason(error: Exception) -> str:
    """Return what the driver says, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]


def _usable(value: str) -> URL:
    """Return the URL with the driver we ship, or say what one looks like."""
    try:
        url = make_url(value)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        url, backend = None, ""
    if url is not None and backend == "sqlite" and url.database and url.database != ":memory:":
        folder = Path(url.database).absolute().parent
        if not folder.is_dir():
            raise errors.NotReady(
                f"DATABASE_URL：文件夹 {folder} 不存在，请先建立或改正路径。",
                f"DATABASE_URL: there is no folder {folder}; make it or correct the path.",
                code="no_database",
            )
        return url.set(drivername="sqlite+pysqlite")
    if url is not None and backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise errors.NotReady(
        "DATABASE_URL 应形如 sqlite:///var/guohe.db 或 postgresql://用户:密码@主机/库名。",
        "DATABASE_URL should look like sqlite:///var/guohe.db or postgresql://user:password@host/name.",
        code="no_database",
    )


def _dumps(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # whole numbers beyond 64 bits
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _sqlite(
    url: URL, synchronous: str, *, query_only: bool = False, foreign_keys: bool = True, pool_size: int = 1
) -> Engine:
    # Several processes may write; inside one, threads queue in ``transaction``, so one connection does.
    engine = create_engine(
        url,
        poolclass=QueuePool if foreign_keys else NullPool,
        **({"pool_size": pool_size, "max_overflow": 20} if foreign_keys else {}),
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={"timeout": 30},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin ourselves, below
        _write_ahead(connection)
        for pragma in (
            "busy_timeout = 30000",
            f"synchronous = {synchronous}",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            f"query_only = {'ON' if query_only else 'OFF'}",
            "temp_store = MEMORY",
            "cache_size = -16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. The first to open a new file changes it, and SQLite lets others fail, not wait."""
    until = time.monotonic() + 30
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql(url: URL, pool_size: int) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_recycle=1800,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        # A plan made for any user is bad for the one with sixty thousand tasks, so each gets their own. A page reads
        # few rows of those that a plan might: to compile the plan takes longer than to run it.
        connect_args={
            "connect_timeout": 5,
            "application_name": "guohe",
            "options": "-c timezone=UTC -c plan_cache_mode=force_custom_plan -c jit=off",
        },
    )


def _translated(error: Exception) -> errors.ServiceError | None:
    """Return the error a user can act on, or None where it is a bug of ours."""
    if isinstance(error, StaleDataError):
        return errors.InstanceChanged()
    if isinstance(error, UnicodeEncodeError | DataError):
        return errors.InvalidInput(
            "内容中有无法保存的字符或超出范围的数值。", "It contains characters or numbers that cannot be kept."
        )
    if isinstance(error, IntegrityError):
        return _lost_race(error)
    if not isinstance(error, DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None) or ""
    words = str(error.orig)
    if state in ("40001", "40P01"):  # serialization failure, deadlock
        return errors.InstanceChanged()
    if state == "55P03" or "database is locked" in words or "database table is locked" in words:
        return errors.Busy()
    if error.connection_invalidated or state[:2] in ("08", "53", "57") or _unwritable(error, words):
        return errors.Unavailable()
    return None


def _unwritable(error: DBAPIError, words: str) -> bool:
    """True where the server is gone or the disk refuses: no fault of the statement."""
    reasons = ("disk", "unable to open", "connection failed", "could not connect", "server closed")
    return isinstance(error, OperationalError) and any(reason in words for reason in reasons)


def _lost_race(error: IntegrityError) -> errors.ServiceError | None:
    """Two did the same at the same moment, and the unique constraint let one of them through."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        if getattr(error.orig, "sqlstate", None) != "23505":
            return None
        table = diagnosis.table_name or ""
    else:
        head, _, columns = str(error.orig).partition("UNIQUE constraint failed: ")
        if head:
            return None
        table = columns.partition(".")[0]
    return errors.InstanceChanged() if table in _CASE_TABLES else errors.Conflict()
