"""``guohe doctor``: configuration, database, worker, mail, disk, clock, migrations – each in one line."""

from __future__ import annotations

import os
import shutil
import smtplib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from service import clock, errors
from service.commands.administration import audit
from service.config import Settings
from service.db import Database
from service.queries import liveness

LITTLE = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. level: ``ok`` | ``warning`` | ``error``."""

    what: str
    level: str
    zh: str
    en: str


def examine(settings: Settings, database: Database) -> Iterator[Finding]:
    """Look at everything; what fails does not keep the rest from being looked at."""
    for what, look in (
        ("configuration", lambda: _configuration(settings)),
        ("disk", lambda: _disk(settings)),
        ("database", lambda: _database(database)),
        ("clock", lambda: _clock(database)),
        ("worker", lambda: _worker(database)),
        ("liveness", lambda: _liveness(database)),
        ("audit", lambda: _audit(settings, database)),
        ("mail", lambda: _mail(settings)),
    ):
        yield _tried(what, look)


def _tried(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except errors.ServiceError as error:
        return Finding(what, "error", error.zh, error.en)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        return Finding(what, "error", f"检查失败：{reason}", f"could not be checked: {reason}")


def _configuration(settings: Settings) -> Finding:
    if settings.demo and settings.host not in ("127.0.0.1", "::1", "localhost"):
        return Finding(
            "configuration", "error", "演示模式对外开放：任何人都能登录。", "the demo is open to the network"
        )
    if not settings.secure and settings.host not in ("127.0.0.1", "::1", "localhost"):
        return Finding("configuration", "warning", "没有使用 HTTPS（GUOHE_BASE_URL）。", "no HTTPS (GUOHE_BASE_URL)")
    key = settings.data / "secret.key"
    if key.exists() and key.stat().st_mode & 0o077:
        return Finding("configuration", "warning", f"{key} 可被他人读取，请改为 600。", f"others can read {key}")
    return Finding("configuration", "ok", "设置可用。", "usable")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data).free
    with tempfile.TemporaryFile(dir=settings.data) as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())
    shown = f"{free // 1024 // 1024} MB"
    if free < LITTLE:
        return Finding("disk", "warning", f"只剩 {shown}。", f"{shown} left")
    return Finding("disk", "ok", f"可写，剩余 {shown}。", f"writable, {shown} left")


def _database(database: Database) -> Finding:
    database.check()
    with database.transaction() as session:
        liveness.running(session)
    kind = "SQLite" if database.sqlite else "PostgreSQL"
    return Finding("database", "ok", f"{kind}，结构 {database.revision()}。", f"{kind}, tables {database.revision()}")


def _clock(database: Database) -> Finding:
    if not database.sqlite:
        with database.transaction() as session:
            from sqlalchemy import func, select

            skew = abs((clock.now() - session.scalars(select(func.clock_timestamp())).one()).total_seconds())
        if skew > liveness.SKEW.total_seconds():
            return Finding("clock", "error", f"与数据库时钟相差 {skew:.0f} 秒。", f"{skew:.0f} s from the database")
    with database.transaction(readonly=True) as session:
        ahead = [one for one in liveness.findings(session) if one.cause == "clock_skew"]
    if ahead:
        return Finding("clock", "error", "有案件更新于将来：时钟被调后。", "cases were changed in the future")
    return Finding("clock", "ok", "时钟一致。", "in step")


def _worker(database: Database) -> Finding:
    with database.transaction(readonly=True) as session:
        workers = liveness.workers(session)
    alive = [one for one in workers if one.alive]
    if not alive:
        return Finding("worker", "error", "没有作业进程：请运行 guohe worker 或 guohe serve。", "none is running")
    return Finding("worker", "ok", f"{len(alive)} 个作业进程在运行。", f"{len(alive)} running")


def _liveness(database: Database) -> Finding:
    with database.transaction(readonly=True) as session:
        found = liveness.findings(session)
        running = liveness.running(session)
    if found:
        causes = sorted({one.cause for one in found})
        return Finding(
            "liveness", "warning", f"{len(found)} 个案件不能自行继续（{'、'.join(causes)}）。",
            f"{len(found)} cases cannot go on ({', '.join(causes)})",
        )  # fmt: skip
    return Finding("liveness", "ok", f"{running} 个办理中的案件都有下一步。", f"all {running} running cases can go on")


def _audit(settings: Settings, database: Database) -> Finding:
    with database.transaction(readonly=True) as session:
        verdict = audit.check(session, key=settings.secret_key, copies=settings.data / audit.ANCHORS)
    if not verdict.ok:
        return Finding("audit", "error", verdict.zh, verdict.en)
    return Finding("audit", "ok", f"{verdict.records} 条记录完好。", f"{verdict.records} records whole")


def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        return Finding(
            "mail", "warning", f"未设置 SMTP_URL，邮件写入 {settings.mailbox}。", "no SMTP_URL; mail is filed"
        )
    parts = urlsplit(settings.smtp_url)
    wait = timedelta(seconds=5).total_seconds()
    connect = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with connect(parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25), timeout=wait) as server:
        server.noop()
    return Finding("mail", "ok", f"{parts.hostname} 可用。", f"{parts.hostname} answers")
