"""Copies of everything, and bringing them back: the database at one moment, the files, the key, with a list of hashes.

SQLite is copied with its own backup interface while people work; PostgreSQL with ``pg_dump``. A copy that is cut
short or changed is refused before anything is touched. A folder of copies is a series: any moment of it is brought back
as of the last copy before. Finer on PostgreSQL: docs/howto/pitr.sh.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from service import clock
from service.config import Settings
from service.db import Database
from service.errors import NotReady

LIST = "manifest.json"
NAMED = "guohe-%Y%m%dT%H%M%SZ.tar.gz"
DUMP = {True: "guohe.db", False: "guohe.dump"}
KEPT = ("secret.key", "audit-anchors.jsonl")


def make(database: Database, settings: Settings, path: Path) -> dict[str, Any]:
    """Write one file with everything in it; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup") as scratch:
        folder = Path(scratch)
        dump = folder / DUMP[database.sqlite]
        _dump(database, dump)
        members = {dump.name: dump}
        for name in KEPT:
            if (settings.data / name).is_file():
                members[name] = settings.data / name
        if settings.files.is_dir():
            for file in sorted(one for one in settings.files.rglob("*") if one.is_file()):
                members[f"files/{file.relative_to(settings.files).as_posix()}"] = file
        listed = {
            "made_at": clock.now().isoformat(),
            "database": "sqlite" if database.sqlite else "postgresql",
            "revision": database.revision(),
            "files": {name: _hash(file) for name, file in members.items()},
        }
        (folder / LIST).write_text(json.dumps(listed, indent=1))
        whole = folder / "whole.tar.gz"
        with tarfile.open(whole, "w:gz", compresslevel=3) as archive:
            archive.add(folder / LIST, LIST)
            for name, file in members.items():
                archive.add(file, name)
        os.chmod(whole, 0o600)
        os.replace(whole, path)
    return listed


def make_next(database: Database, settings: Settings, folder: Path, *, keep: timedelta | None = None) -> Path:
    """Add a copy to a series, named by its time, and forget those older than ``keep``; the newest always stays."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / clock.now().strftime(NAMED)
    make(database, settings, path)
    if keep is not None:
        for at, old in series(folder):
            if old != path and at < clock.now() - keep:
                old.unlink()
    return path


def series(folder: Path) -> list[tuple[datetime, Path]]:
    """The copies of a folder with their times, the oldest first."""
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(ValueError):
            found.append((datetime.strptime(path.name, NAMED).replace(tzinfo=UTC), path))
    return sorted(found)


def at(folder: Path, moment: datetime) -> Path:
    """The newest copy of a series that is not younger than a moment."""
    older = [path for made, path in series(folder) if made <= moment]
    if not older:
        raise NotReady(
            f"{folder} 中没有早于 {moment.isoformat()} 的备份。",
            f"{folder} has no backup older than {moment.isoformat()}.",
            code="no_backup",
        )
    return older[-1]


def check(path: Path) -> dict[str, Any]:
    """Read a copy to its end and hold it against its list; return the list."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            listed: dict[str, Any] = {}
            seen: dict[str, str] = {}
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is None or member.name.startswith(("/", "..")) or "/../" in member.name:
                    raise _broken(path, member.name)
                if member.name == LIST:
                    listed = json.load(file)
                else:
                    seen[member.name] = _digest(file)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    if not listed or seen != listed.get("files"):
        wrong = sorted(set(seen.items()) ^ set(listed.get("files", {}).items()))
        raise _broken(path, wrong[0][0] if wrong else LIST)
    return listed


def restore(settings: Settings, path: Path, *, force: bool = False) -> dict[str, Any]:
    """Bring a copy back: into an empty installation, or over one with ``force``. The server must be stopped."""
    listed = check(path)
    database = Database(settings.database_url)
    try:
        sqlite = database.sqlite
        if (listed["database"] == "sqlite") != sqlite:
            raise NotReady(
                f"备份来自 {listed['database']}，不能恢复到另一种数据库。",
                f"The backup is of {listed['database']} and does not fit this database.",
                code="other_database",
            )
        if database.revision() is not None and not force:
            raise NotReady(
                "目标数据库不是空的；确认要覆盖请加 --force。",
                "The database is not empty; add --force to overwrite it.",
                code="not_empty",
            )
        url = database.url
    finally:
        database.close()
    with tempfile.TemporaryDirectory(dir=settings.data, prefix=".restore") as scratch:
        folder = Path(scratch)
        with tarfile.open(path, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        _load(url, folder / DUMP[sqlite], sqlite)
        for name in KEPT:
            if (folder / name).is_file():
                os.replace(folder / name, settings.data / name)
        if (folder / "files").is_dir():
            before = settings.data / ".files-before"
            shutil.rmtree(before, ignore_errors=True)
            if settings.files.exists():
                os.replace(settings.files, before)
            os.replace(folder / "files", settings.files)
            shutil.rmtree(before, ignore_errors=True)
    return listed


def _dump(database: Database, path: Path) -> None:
    if database.sqlite:
        try:
            with (
                contextlib.closing(sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True)) as source,
                contextlib.closing(sqlite3.connect(path)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise NotReady(f"备份失败：{error}", f"The backup failed: {error}", code="backup_failed") from error
        return
    _run(["pg_dump", "--format=custom", "--no-owner", "--file", str(path), *_place(database.url)], database.url)


def _load(url: Any, dump: Path, sqlite: bool) -> None:
    if sqlite:
        place = Path(str(url.database))
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        os.replace(dump, place)
        return
    tool = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    _run([*tool, *_place(url), str(dump)], url)


def _place(url: Any) -> list[str]:
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return ["--dbname", plain]


def _run(command: list[str], url: Any) -> None:
    environ: Mapping[str, str] = {**os.environ, **({"PGPASSWORD": url.password} if url.password else {})}
    try:
        done = subprocess.run(
            [_tool(command[0]), *command[1:]], env=environ, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise NotReady(
            f"找不到 {command[0]}，请安装 PostgreSQL 客户端工具。",
            f"{command[0]} is not there; install the PostgreSQL client tools.",
            code="no_tool",
        ) from None
    if done.returncode:
        reason = " ".join(done.stderr.split())[:300]
        raise NotReady(f"{command[0]} 失败：{reason}", f"{command[0]} failed: {reason}", code="backup_failed")


def _tool(name: str) -> str:
    """The newest client that is installed: one older than its server refuses to work."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda one: int(one.parts[-3]))
    return str(versions[-1]) if versions else name


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)


def _digest(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    while part := file.read(1 << 20):
        found.update(part)
    return found.hexdigest()


def _broken(path: Path, what: str) -> NotReady:
    return NotReady(
        f"备份 {path.name} 不完整或被改动（{what}），未作任何更改。",
        f"The backup {path.name} is cut short or changed ({what}); nothing was touched.",
        code="backup_broken",
    )
