"""``guohe``: serve, work, deploy, try out. An error is one line in Chinese and English, and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service import cli_admin, cli_owner, cli_translate, files

if TYPE_CHECKING:
    from service.commands.procedures.deployments import BundleRejected
    from service.config import Settings
    from service.db import Database
    from service.models import User

ROOT = Path(__file__).resolve().parent.parent
FAILED, WRONG_USE = 1, 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", "-v", is_flag=True, help="Log what happens.")
def guohe(verbose: bool) -> None:
    """国合：国家国际科技合作基地管理的流程平台。 The process platform of the national bases."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


@guohe.command()
@click.option(
    "--prepare", is_flag=True, help="First build the front end, migrate, deploy processes/ and load the demo."
)
@click.option("--host", default=None, help="Address to listen on (default: GUOHE_HOST or 127.0.0.1).")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port (default: GUOHE_PORT or 8000).")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256))
@click.option("--lease", default=30.0, show_default=True, help="Seconds after which a silent worker counts as dead.")
def serve(prepare: bool, host: str | None, port: int | None, threads: int, lease: float) -> None:
    """Serve the pages and the API; on SQLite also do the jobs."""
    settings = _settings(demo=prepare, host=host, port=port)
    listener = _listen(settings.host, settings.port)
    if prepare:
        from service import frontend

        frontend.build(say=click.echo)
    with _database(settings, migrate=prepare) as database:
        _observe(settings, database)
        if prepare:
            _deploy_project(database, settings, ROOT)
            _load_demo(database, settings)
        _serve(settings, database, listener, threads, timedelta(seconds=lease))


@guohe.command()
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--lease", default=30.0, show_default=True, help="Seconds after which a silent worker counts as dead.")
def worker(concurrency: int, lease: float) -> None:
    """Do the jobs of a PostgreSQL database; start as many as you like. (SQLite: guohe serve does them.)"""
    from service import worker as workers

    settings = _settings()
    with _database(settings) as database:
        _observe(settings, database)
        stop = threading.Event()
        _on_signal(stop.set)
        click.echo("果核作业进程已启动 / Guohe's worker is running")
        if not database.sqlite:
            workers.run_processes(database, settings, concurrency=concurrency, lease=timedelta(seconds=lease))
            return
        workers.Worker(database, settings, lease=timedelta(seconds=lease)).serve(stop)


@guohe.command()
def migrate() -> None:
    """Bring the tables to the newest shape."""
    settings = _settings()
    with _database(settings, migrate=True) as database:
        click.echo(f"数据库已是最新结构（{database.revision()}）。 The tables are at {database.revision()}.")


@guohe.command()
def demo() -> None:
    """Deploy processes/ and forms/ and load the fictional demo organisations, accounts and bases."""
    settings = _settings(demo=True)
    with _database(settings, migrate=True) as database:
        _deploy_project(database, settings, ROOT)
        _load_demo(database, settings)
        click.echo("演示数据已载入（均为虚构）。 Demo data loaded (all of it fictional).")


@guohe.command()
@click.argument("username")
@click.option("--name", default=None, help="The person's name.")
@click.option("--authority", default="most", show_default=True)
@click.option("--authority-name", default="科学技术部", show_default=True)
@click.password_option(help="Asked for where not given.")
def admin(username: str, name: str | None, authority: str, authority_name: str, password: str) -> None:
    """Make the first account of an installation: an administrator and process owner."""
    from service.commands.people import identity
    from service.models import Authority, Organisation

    settings = _settings()
    with _database(settings, migrate=True) as database, database.transaction() as session:
        identity.seed_roles(session)
        owner = session.query(Authority).filter_by(code=authority).one_or_none()
        owner = owner or identity.create_authority(session, authority, authority_name)
        platform = session.query(Organisation).filter_by(authority_id=owner.id, code="platform").one_or_none()
        platform = platform or identity.create_organisation(session, owner, "platform", "platform", "平台运维")
        account = identity.create_user(session, owner, username, name=name or username, password=password)
        for role in ("platform.admin", "platform.owner"):
            identity.add_membership(session, account, platform, role)
    click.echo(f"已建立管理员“{username}”。 Administrator “{username}” created.")


@guohe.command("dmn-tck")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def dmn_tck(folder: Path) -> None:
    """Run the DMN conformance tests of a folder and print how many pass."""
    from service.engine import tck

    results = tck.run(folder)
    for result in results:
        if not result.passed:
            click.echo(f"{result.model} {result.case} {result.decision}: {result.expected!r} != {result.got!r}")
    passed = sum(result.passed for result in results)
    click.echo(f"通过 {passed} / {len(results)}。 {passed} of {len(results)} passed.")
    if passed < len(results):
        sys.exit(FAILED)


cli_admin.add_to(guohe)
cli_owner.add_to(guohe)
cli_translate.add_to(guohe)


# What the commands share


@guohe.command()
@click.option("--check", is_flag=True, help="Change nothing; fail where the page is not up to date.")
def trace(check: bool) -> None:
    """Write docs/regulation.md: where each article of the regulation lives in the product."""
    from service import traceability

    found = traceability.trace()
    page = traceability.ROOT / traceability.TARGET
    if check and page.read_text("utf-8") != traceability.render(found):
        _complain("docs/regulation.md 已过时，请运行 guohe trace。", "docs/regulation.md is old; run guohe trace.")
        sys.exit(1)
    page.write_text(traceability.render(found), "utf-8")
    for ref in found.unanswered:
        click.echo(f"{ref} 没有任何实现。 Nothing answers {ref}.")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; say an error in one line."""
    from service import errors
    from service.config import WrongSetting

    try:
        guohe.main(args=arguments, prog_name="guohe", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG_USE)
    except (errors.ServiceError, WrongSetting) as error:
        _complain(error.zh, error.en)
    except Exception as error:
        said = _sentence(error)
        if said is None:
            raise
        for line in said[2:]:
            click.echo(line, err=True)
        _complain(said[0], said[1])


def _sentence(error: Exception) -> list[str] | None:
    """What to say about an error that is not ours alone to explain; None where it is a bug."""
    from service import engine, frontend

    if isinstance(error, engine.BundleRejected):
        return [error.zh, error.en, *(shown(finding) for finding in error.findings if finding.severity == "error")]
    if isinstance(error, engine.EngineError):
        return [error.zh, error.en]
    if isinstance(error, frontend.BuildFailed):
        return ["前端构建失败：", str(error)]
    if isinstance(error, OSError) and error.errno in (
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS,
    ):  # fmt: skip
        place = f" {error.filename}" if error.filename else ""
        return [f"无法写入{place}：{error.strerror}。", f"Cannot write{place}: {error.strerror}."]
    return None


def _complain(zh: str, en: str) -> None:
    click.echo(f"{zh} {en}", err=True)
    sys.exit(FAILED)


def shown(finding: Any) -> str:
    """A finding in one line."""
    place = f"{finding.file}" + (f":{finding.line}" if finding.line else "")
    return f"{finding.severity:7} {place} {finding.element_id or ''} {finding.zh} {finding.en}"


def read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """Read what belongs into a bundle; say it where there is nothing."""
    found = files.read(paths)
    if not found:
        kinds = "、".join(files.SUFFIXES)
        raise click.UsageError(f"没有找到 {kinds} 文件。 No {', '.join(files.SUFFIXES)} files found.")
    return found


def _settings(*, demo: bool = False, host: str | None = None, port: int | None = None) -> Settings:
    from service import config

    environ = dict(os.environ)
    if demo:
        environ.setdefault("GUOHE_DEMO", "1")
    if host is not None:
        environ["GUOHE_HOST"] = host
    if port is not None:
        environ["GUOHE_PORT"] = str(port)
    return config.read(environ)


@contextmanager
def _database(settings: Settings, *, migrate: bool = False) -> Iterator[Database]:
    """Open the database, brought to the newest shape or refused where it has another."""
    from service.db import Database

    database = Database(settings.database_url, pool_size=settings.database_pool)
    try:
        if migrate:
            _migrate(database)
        database.check()
        yield database
    finally:
        database.close()


def _observe(settings: Settings, database: Database) -> None:
    """Write the log as it is set, and send traces where a collector is set."""
    from service import logs, tracing

    verbose = logging.getLogger().isEnabledFor(logging.INFO)
    if settings.log_format == "json":
        logs.set_up(as_json=True, level=logging.INFO)
    elif verbose:
        logs.set_up(as_json=False, level=logging.INFO)
    tracing.set_up(settings.traces, *database.engines)


def _migrate(database: Database) -> None:
    """Bring the tables to the newest shape; where they have it, only look."""
    from service import errors

    try:
        database.check()
    except errors.NotReady as error:
        if error.code != "schema_old":
            raise
        database.migrate()


@contextmanager
def opened() -> Iterator[Database]:
    """The database of the settings, for commands kept elsewhere."""
    with _database(_settings()) as database:
        yield database


def account(session: Any, username: str | None) -> User:
    """The account in whose name a command acts."""
    return _owner(session, username)


def _owner(session: Any, username: str | None) -> User:
    """The account in whose name the command line deploys."""
    from sqlalchemy import select

    from service import errors
    from service.models import Membership, User

    chosen = select(User).where(User.active)
    if username:
        chosen = chosen.where(User.username == username)
    else:
        chosen = chosen.join(Membership).where(Membership.role.in_(("platform.owner", "platform.admin")))
    owner: User | None = session.scalars(chosen.order_by(User.id).limit(1)).first()
    if owner is None:
        raise errors.NotReady(
            "还没有可以部署流程的账号，请先运行：guohe admin 用户名（或 guohe demo）",
            "No account may deploy yet; run: guohe admin USERNAME (or guohe demo)",
        )
    return owner


def _deploy_project(database: Database, settings: Settings, root: Path) -> None:
    """Deploy the project's own processes, unless exactly that is in force."""
    from service import handlers
    from service.commands.procedures import deployments
    from service.demo import accounts

    content = files.of_project(root)
    with database.transaction() as session:
        accounts.load(session)
        owner = _owner(session, None)
        if deployments.in_force(session, content, authority_id=owner.authority_id):
            return
        try:
            whole = content | files.scenarios_of_project(root)
            deployment = deployments.deploy(session, whole, user=owner, topics=handlers.topics())
        except deployments.BundleRejected as refused:
            _carry_on(refused, deployments.latest_version(session, authority_id=owner.authority_id))
            return
        click.echo(f"流程已部署（第 {deployment.version} 版）。 Processes deployed, version {deployment.version}.")


def _carry_on(refused: BundleRejected, version: int) -> None:
    """A mistake in a diagram does not keep the server from serving what is in force."""
    if not version:
        raise refused
    for finding in refused.findings:
        if finding.severity == "error":
            click.echo(shown(finding), err=True)
    click.echo(f"未部署，仍使用第 {version} 版。 Not deployed; version {version} stays in force.", err=True)


def _load_demo(database: Database, settings: Settings) -> None:
    from service import demo as fictional

    with database.transaction() as session:
        fictional.load(session, settings)
    fictional.start_cases(database, settings)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is done, so that an occupied one costs one line and no work."""
    from service import errors

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise errors.NotReady(
                f"端口 {port} 已被占用，请换一个：GUOHE_PORT={port + 1} make run",
                f"Port {port} is in use; take another: GUOHE_PORT={port + 1} make run",
                code="port_in_use",
            ) from None
        raise errors.NotReady(
            f"无法在 {host}:{port} 上监听：{error.strerror}。",
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            code="no_port",
        ) from None
    return listener


def _serve(settings: Settings, database: Database, listener: socket.socket, threads: int, lease: timedelta) -> None:
    import waitress

    from service import worker as workers
    from service.app import create_app

    app = create_app(settings, database)
    server = waitress.create_server(
        app, sockets=[listener], threads=threads, ident=None, max_request_body_size=settings.upload_limit + 1024 * 1024
    )
    stop = threading.Event()
    working = None
    if database.sqlite:
        job_worker = workers.Worker(database, settings, lease=lease)
        working = threading.Thread(target=job_worker.serve, args=(stop,), name="guohe-worker", daemon=True)
        working.start()
    _on_signal(stop.set)
    host, port = listener.getsockname()[:2]
    click.echo(f"国合已启动 / Guohe is running: http://{f'[{host}]' if ':' in host else host}:{port}")
    try:
        server.run()
    finally:
        stop.set()
        if working is not None:
            working.join(timeout=10)


def _on_signal(act: Callable[[], Any]) -> None:
    """Stop in good order on SIGTERM and SIGINT: what is being done is finished first."""

    def stop(_number: int, _frame: Any) -> None:
        act()
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    main()
