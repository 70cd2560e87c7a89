"""A private PostgreSQL server for one run of the tests: its own folder, a unix socket only, gone at the end."""

from __future__ import annotations

import ctypes
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

HOW_TO_INSTALL = (
    "The tests need the PostgreSQL server programs (initdb, postgres) in PATH or /usr/lib/postgresql/*/bin: "
    "run `make test`, or install them, e.g. `apt-get install postgresql`."
)
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=200")
PR_SET_PDEATHSIG = 1


class Cluster:
    """A running server. ``create`` and ``drop`` make and remove databases on it."""

    def __init__(self, folder: Path, pid: int) -> None:
        self.folder = folder
        self.pid = pid

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://guohe@/{name}?host={self.folder}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """Connect past the application, to prepare and to clean up."""
        return psycopg.connect(f"host={self.folder} user=guohe dbname={name}", autocommit=True)

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database and return its URL."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def started(*settings: str) -> Iterator[Cluster]:
    """Start a server and stop it, by its own pid, whatever happens."""
    with _room() as folder:
        _run(_programs() / "initdb", folder, _unprivileged())
        with _running(folder, settings) as cluster:
            yield cluster


@contextmanager
def reopened(data: Path) -> Iterator[Cluster]:
    """Start a server on a data folder that somebody has made."""
    with _room() as folder:
        os.rename(data, folder / "data")
        with _running(folder, ()) as cluster:
            yield cluster


@contextmanager
def _room() -> Iterator[Path]:
    folder, user = Path(tempfile.mkdtemp(prefix="guohe-pg-")), _unprivileged()
    try:
        if user is not None:
            os.chown(folder, *user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path, settings: tuple[str, ...]) -> Iterator[Cluster]:
    server = _serve(_programs() / "postgres", folder, _unprivileged(), settings)
    try:
        yield _ready(Cluster(folder, server.pid), server)
    finally:
        server.send_signal(signal.SIGINT)  # "fast shutdown": ends the connections, then itself
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def as_server(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program beside the server: as its user, with its programs at hand."""
    return subprocess.run(
        command,
        env={**os.environ, "PATH": f"{_programs()}:{os.environ['PATH']}", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        **_identity(_unprivileged()),  # type: ignore[call-overload]
    )


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(os.path.realpath(found)).parent
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda place: int(Path(place).parent.name))
    if not places:
        raise RuntimeError(HOW_TO_INSTALL)
    return Path(places[-1])


def _unprivileged() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root; say whom to run it as instead."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError("run the tests as an ordinary user: PostgreSQL does not run as root")


def _identity(user: tuple[int, int] | None) -> dict[str, object]:
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}


def _run(program: Path, folder: Path, user: tuple[int, int] | None) -> None:
    arguments = ["-D", folder / "data", "-U", "guohe", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, **_identity(user))  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip()}")


def _serve(
    program: Path, folder: Path, user: tuple[int, int] | None, settings: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    arguments = ["-D", folder / "data", "-k", folder, "-c", "listen_addresses="]
    for setting in (*QUICK, *settings):
        arguments += ["-c", setting]
    with open(folder / "log", "wb") as log:
        return subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            **_identity(user),  # type: ignore[call-overload]
        )


def _die_with_parent() -> None:
    # A killed test run must not leave a server behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> Cluster:
    deadline = time.monotonic() + 60
    while True:
        try:
            cluster.connect().close()
            return cluster
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                log = (cluster.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start:\n{log[-2000:]}") from None
            time.sleep(0.05)
