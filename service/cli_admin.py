"""``guohe audit | repair | backup | restore | doctor | check``: what an administrator does at the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service import clock

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.config import Settings
    from service.db import Database
    from service.models import User

FAILED = 1


def _settings() -> Settings:
    from service import cli

    return cli._settings()


@contextmanager
def _database() -> Iterator[Database]:
    from service import cli

    with cli._database(_settings()) as database:
        yield database


def _administrator(session: Session, username: str | None) -> User:
    """The account in whose name it is done: it is what the log will say."""
    from sqlalchemy import select

    from service import errors
    from service.models import Membership, User

    chosen = select(User).join(Membership).where(User.active, Membership.role == "platform.admin")
    if username:
        chosen = chosen.where(User.username == username)
    found = session.scalars(chosen.order_by(User.id).limit(1)).unique().first()
    if found is None:
        raise errors.NotReady("没有这个管理员账号，请用 --user 指明。", "There is no such administrator; give --user.")
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# The log


@click.group()
def audit() -> None:
    """Check, anchor and export the audit log."""


@audit.command()
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An export (JSON Lines) instead of the database.",
)
@click.option("--anchors", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Anchors kept elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def verify(path: Path | None, anchors: Path | None, as_json: bool) -> None:
    """Hold the log against its hashes and anchors; name the first record that is not as it was written."""
    from service.commands.administration import audit as commands

    if path is not None:
        known = _lines(anchors) if anchors else []
        verdict = commands.verify(_lines(path), known)
    else:
        settings = _settings()
        with _database() as database, database.transaction(readonly=True) as session:
            copies = anchors or settings.data / commands.ANCHORS
            verdict = commands.check(session, key=settings.secret_key, copies=copies)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": verdict.ok,
                    "records": verdict.records,
                    "anchors": verdict.anchors,
                    "first_broken": verdict.seq,
                    "zh": verdict.zh,
                    "en": verdict.en,
                },
                ensure_ascii=False,
            )
        )
    elif verdict.ok:
        click.echo(
            f"完好：{verdict.records} 条记录，{verdict.anchors} 个锚点。"
            f" Whole: {verdict.records} records, {verdict.anchors} anchors."
        )
    else:
        click.echo(f"{verdict.zh} {verdict.en}", err=True)
    if not verdict.ok:
        sys.exit(FAILED)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


@audit.command()
def anchor() -> None:
    """Seal what has happened, sign the end of the chain and print it: keep the line somewhere else."""
    from service.commands.administration import audit as commands

    settings = _settings()
    with _database() as database:
        with database.transaction() as session:
            while commands.seal(session):
                pass
            commands.anchor_if_due(session, settings.secret_key, force=True)
        with database.transaction(readonly=True) as session:
            commands.copy_anchors(session, settings.data / commands.ANCHORS)
    path = settings.data / commands.ANCHORS
    if path.exists():
        click.echo(path.read_text(encoding="utf-8").splitlines()[-1])


@audit.command()
@click.argument("form", type=click.Choice(["csv", "jsonl", "xes", "ocel"]))
@click.option("--output", "-o", type=click.File("w", encoding="utf-8", atomic=True), default="-")
@click.option("--process", default=None, help="Only cases of this process (xes, ocel).")
@click.option("--user", "username", default=None, help="In whose name; default: the first administrator.")
def export(form: str, output: Any, process: str | None, username: str | None) -> None:
    """Write the log (csv, jsonl), or cases for process mining (xes, ocel)."""
    from service.commands.administration import audit as commands
    from service.queries import audit as reads
    from service.queries import mining

    with _database() as database, database.transaction(readonly=True) as session:
        user = _administrator(session, username)
        if form in ("csv", "jsonl"):
            write = mining.csv_lines if form == "csv" else mining.json_lines
            parts = write(commands.line(row) for row in reads.chain(session, user))
        else:
            tell = mining.xes if form == "xes" else mining.ocel
            parts = tell(reads.activities(session, user, process=process))
        for part in parts:
            output.write(part)


# Repairs


@click.command()
@click.argument("number")
@click.argument("kind", required=False)
@click.argument("parameters", nargs=-1)
@click.option("--reason", default="", help="Why; without it nothing is done, only shown.")
@click.option("--user", "username", default=None, help="In whose name; default: the first administrator.")
@click.option("--undo", "undo_id", type=int, default=None, help="Undo this repair of the case.")
def repair(
    number: str, kind: str | None, parameters: tuple[str, ...], reason: str, username: str | None, undo_id: int | None
) -> None:
    """Show what a repair of a case would do; with --reason do it.

    NUMBER is the case number or id, KIND such as retry, skip, move, and PARAMETERS name=value: token=3 element=review
    variables={"x":1}. Without KIND: why the case rests.
    """
    from sqlalchemy import select

    from service import errors
    from service.commands.administration import repairs
    from service.models import Instance
    from service.queries import repairs as reads

    given = dict(one.partition("=")[::2] for one in parameters)
    values = {name: _value(text) for name, text in given.items()}
    with _database() as database, database.transaction() as session:
        user = _administrator(session, username)
        known = Instance.id == int(number) if number.isdigit() else Instance.number == number
        instance = session.scalars(
            select(Instance).where(known, Instance.authority_id == user.authority_id)
        ).one_or_none()
        if instance is None:
            raise errors.NotFound()
        if undo_id is not None:
            repairs.undo(session, undo_id, user=user, reason=reason)
            click.echo("已撤销。 Undone.")
        elif kind is None:
            for incident in reads.open_incidents(session, instance.id):
                click.echo(f"! {incident.cause}: {incident.message_zh} {incident.message_en}")
            for rest in reads.rests(session, instance.id):
                click.echo(f"  token={rest.token} {rest.kind} {rest.element_id} {rest.name} {rest.due or ''}")
        else:
            seen = repairs.preview(session, instance.id, kind, values, user=user)
            for one in seen.gone:
                click.echo(f"- token={one['token']} {one['kind']} {one['name']}")
            for one in seen.new:
                click.echo(f"+ token={one['token']} {one['kind']} {one['name']}")
            for change in seen.variables:
                click.echo(f"= {change['name']}: {change['before']!r} -> {change['after']!r}")
            for note in seen.notes:
                click.echo(f"  {note['zh']} {note['en']}")
            if seen.ended:
                click.echo("  案件结束。 The case ends.")
            if reason:
                done = repairs.perform(
                    session, instance.id, kind, values, user=user, reason=reason, version=seen.version
                )
                click.echo(f"修复 {done.id}：{done.status}。 Repair {done.id}: {done.status}.")
            else:
                click.echo("以上为预演，未作更改；加 --reason 执行。 Nothing was changed; add --reason to do it.")


# Running it


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def doctor(as_json: bool) -> None:
    """Look at configuration, database, worker, mail, disk, clock and migrations."""
    from service import doctor as looking
    from service.db import Database

    settings = _settings()
    database = Database(settings.database_url)
    try:
        found = list(looking.examine(settings, database))
    finally:
        database.close()
    for one in found:
        if as_json:
            click.echo(
                json.dumps({"what": one.what, "level": one.level, "zh": one.zh, "en": one.en}, ensure_ascii=False)
            )
        else:
            click.echo(f"{one.level:8} {one.what:14} {one.zh} {one.en}")
    if any(one.level == "error" for one in found):
        sys.exit(FAILED)


@click.command()
@click.option("--heal/--no-heal", default=True, help="Recreate lost rows (default), or only say what is wrong.")
def check(heal: bool) -> None:
    """Run the self-check once: hold states, rows and jobs against each other."""
    from service.commands.cases.causes import sentence
    from service.queries import liveness
    from service.upkeep import Upkeep

    settings = _settings()
    with _database() as database:
        wrong = False
        if heal:
            result = Upkeep(database, settings, "guohe check").check()
            for case, one in [*result.healed, *result.reported]:
                wrong = True
                click.echo(f"{case}: {one.cause}: {' '.join(sentence(one))}")
        with database.transaction(readonly=True) as session:
            if not heal:
                for found in liveness.findings(session):
                    wrong = True
                    click.echo(f"{found.instance_id}: {found.cause}: {' '.join(sentence(found))}")
            click.echo(f"{liveness.running(session)} 个办理中的案件。 {liveness.running(session)} running cases.")
        if wrong:
            sys.exit(FAILED)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(1), default=None, help="PATH is a folder: remove copies older, in days.")
def backup(path: Path, keep: int | None) -> None:
    """Copy the database, the files and the key into one file, while people work; into a folder: named by the time."""
    from service import backup as copies

    with _database() as database:
        if path.is_dir() or keep is not None:
            path = copies.make_next(database, _settings(), path, keep=timedelta(days=keep) if keep else None)
            listed = copies.check(path)
        else:
            listed = copies.make(database, _settings(), path)
    click.echo(f"已备份 {len(listed['files'])} 个文件到 {path}。 {len(listed['files'])} files are in {path}.")


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--at", "moment", default=None, help="PATH is a folder: the last copy before this time (ISO 8601, zone).")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option("--check", "only_check", is_flag=True, help="Only read the copy to its end.")
def restore(path: Path, moment: str | None, force: bool, only_check: bool) -> None:
    """Bring a copy back. Stop the server and the workers first."""
    from service import backup as copies

    if path.is_dir():
        path = copies.at(path, _moment(moment))
    listed = copies.check(path) if only_check else copies.restore(_settings(), path, force=force)
    word = "完好" if only_check else "已恢复"
    click.echo(
        f"{word}：{listed['made_at']} 的备份。"
        f" The backup of {listed['made_at']} is {'whole' if only_check else 'back'}."
    )


@click.command()
def reindex() -> None:
    """Write anew what tasks are found by, a few hundred cases a transaction, while people work."""
    from service.commands.cases import reindex as entries

    after = done = 0
    with _database() as database:
        while True:
            with database.transaction() as session:
                after, count = entries.rebuild(session, after=after)
            if not after:
                break
            done += count
    click.echo(f"已重建 {done} 个案件的检索索引。 {done} cases can be found again.")


def _moment(text: str | None) -> datetime:
    """A time with its zone; none: now."""
    try:
        found = datetime.fromisoformat(text) if text else clock.now()
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter("2026-05-03T12:00+08:00", param_hint="--at")
    return found


def add_to(group: click.Group) -> None:
    """Give the command line these commands."""
    for command in (audit, repair, doctor, check, backup, restore, reindex):
        group.add_command(command)
