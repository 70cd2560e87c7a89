"""``guohe validate | test | diff | layout | deploy | backtest``: for process owners who keep diagrams in git."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service import files

if TYPE_CHECKING:
    from service.corpus import Judged
    from service.engine import Finding

FAILED, WRONG_USE = 1, 2
MANY = 200
"""So many diagrams in one folder are no bundle but a collection; each is looked at by itself."""


def add_to(group: click.Group) -> None:
    """Put the commands into ``guohe``."""
    for command in (validate, play, diff, layout, deploy, backtest):
        group.add_command(command)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format", "shape", type=click.Choice(["text", "json", "sarif", "junit"]), default="text", show_default=True
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of stdout.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--each/--bundle", default=None, help="Look at every file by itself, or at all of them as one bundle (default)."
)
@click.option("--seconds", default=2.0, show_default=True, help="With --each: the most a file may take.")
@click.option("--memory", default=200, show_default=True, help="With --each: the most MB a file may take.")
def validate(
    paths: tuple[Path, ...],
    shape: str,
    output: Path | None,
    strict: bool,
    each: bool | None,
    seconds: float,
    memory: int,
) -> None:
    """Say what would be found in these files at their deployment. Needs no database.

    Exit code 0: nothing stands in the way; 1: something does; 2: nothing was looked at.
    """
    found = list(_all(paths))
    if not found:
        kinds = "、".join(files.SUFFIXES)
        raise click.UsageError(f"没有找到 {kinds} 文件。 No {', '.join(files.SUFFIXES)} files found.")
    if each is None:
        each = sum(path.suffix == ".bpmn" for path in found) > MANY
    if each:
        _validate_each(found, shape, output, strict, seconds, memory)
        return
    from service import engine
    from service.commands.people.identity import ROLES
    from service.commands.procedures.catalogue import CATALOGUE
    from service.topics import KNOWN

    content = files.read(paths)
    lanes = {lane: code for code, _, _, lane in ROLES if lane}
    findings = engine.validate(content, [row[0] for row in ROLES], lanes, KNOWN, CATALOGUE)
    _write(_shown(findings, sorted(content), shape), output)
    if _fails(findings, strict):
        sys.exit(FAILED)


def _all(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if files.belongs(file) and file.is_file():
                yield file


def _validate_each(
    found: list[Path], shape: str, output: Path | None, strict: bool, seconds: float, memory: int
) -> None:
    from service import corpus

    judged: list[Judged] = []
    for one in corpus.judge_all(found, seconds=seconds, memory=memory * 1024 * 1024):
        judged.append(one)
        if shape == "text" and output is None:
            click.echo(_summary(one))
    findings = [finding for one in judged for finding in one.findings]
    findings += [_crash(one) for one in judged if one.crash]
    facts = {
        "accepted": sum(one.accepted for one in judged),
        "refused": sum(not one.accepted for one in judged),
        "started": sum(one.started for one in judged),
        "crashed": [one.file for one in judged if one.crash],
        "slowest": max((one.seconds for one in judged), default=0.0),
        "largest": max((one.memory for one in judged), default=0),
    }
    if shape != "text" or output is not None:
        _write(_shown(findings, [one.file for one in judged], shape, **facts), output)
    click.echo(
        f"{len(judged)} 个文件：接受 {facts['accepted']}，拒绝 {facts['refused']}，内部错误 {len(_list(facts))}；"
        f"最慢 {facts['slowest']:.2f} 秒，最多 {_number(facts) / 1024 / 1024:.0f} MB。"
        f" {len(judged)} file(s): {facts['accepted']} accepted, {facts['refused']} refused, "
        f"{len(_list(facts))} internal error(s).",
        err=True,
    )
    if any(one.crash for one in judged) or _fails(findings, strict):
        sys.exit(FAILED)


def _list(facts: Mapping[str, Any]) -> list[str]:
    return list(facts["crashed"])


def _number(facts: Mapping[str, Any]) -> int:
    return int(facts["largest"])


def _summary(one: Judged) -> str:
    if one.crash:
        return f"CRASH   {one.file} {one.crash.strip().splitlines()[-1]}"
    errors = [finding for finding in one.findings if finding.severity == "error"]
    if errors:
        return f"refused {one.file} [{errors[0].rule}] {errors[0].zh} {errors[0].en}"
    return f"ok      {one.file}" + (f" ({one.started} started)" if one.started else "")


def _crash(one: Judged) -> Finding:
    from service.engine import Finding

    return Finding(one.file, None, "internal-error", "error", f"检查时出现内部错误：{one.crash}", one.crash)


def _shown(findings: list[Finding], names: list[str], shape: str, **more: Any) -> str:
    from service import reports

    if shape == "json":
        return reports.as_json(findings, names, **more)
    if shape == "sarif":
        return reports.as_sarif(findings)
    if shape == "junit":
        return reports.as_junit(findings, names)
    errors = sum(finding.severity == "error" for finding in findings)
    others = len(findings) - errors
    lines = [reports.line(finding) for finding in findings]
    lines.append(f"{errors} 个错误，{others} 个提示。 {errors} error(s), {others} remark(s).")
    return "\n".join(lines)


def _fails(findings: list[Finding], strict: bool) -> bool:
    stopping = ("error", "warning") if strict else ("error",)
    return any(finding.severity in stopping for finding in findings)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text.rstrip("\n"))
    else:
        output.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--verbose", "-v", is_flag=True, help="Show every step.")
@click.option("--format", "shape", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of stdout.")
def play(paths: tuple[Path, ...], verbose: bool, shape: str, output: Path | None) -> None:
    """Play the scenarios in files and folders (default: processes/) and print which flows they cover.

    Exit code 0: all came out as they say; 1: some did not, or there are none; 2: wrong use.
    """
    from service import cli, reports, scenarios

    # A report on stdout has stdout for itself.
    quiet = shape != "text" and output is None
    outcomes: list[scenarios.Outcome] = []
    say: Callable[[str], None] = (lambda line: click.echo(line, err=True)) if quiet else click.echo
    where = list(paths) or [cli.ROOT / "processes"]
    good = scenarios.run(where, root=cli.ROOT, say=say, verbose=verbose, played=outcomes)
    if shape != "text":
        _write((reports.played_as_json if shape == "json" else reports.played_as_junit)(outcomes), output)
    if not good:
        sys.exit(FAILED)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--user", "username", default=None, help="In whose name; default: the first process owner.")
@click.option("--note", default="", help="What is new in it.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json", "sarif", "junit"]), default="text", show_default=True
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of stdout.")
def deploy(paths: tuple[Path, ...], username: str | None, note: str, shape: str, output: Path | None) -> None:
    """Put the diagrams, tables, forms and templates in files and folders into service, as one bundle.

    Exit code 0: it is in service, or was already; 1: refused, with everything that is wrong; 2: nothing to deploy.
    """
    from service import cli, handlers
    from service.commands.procedures import deployments

    content = cli.read_files(paths)
    with cli.opened() as database, database.transaction() as session:
        owner = cli.account(session, username)
        known = deployments.latest_version(session, authority_id=owner.authority_id)
        try:
            made = deployments.deploy(session, content, user=owner, note=note, topics=handlers.topics())
        except deployments.BundleRejected as refused:
            if shape == "text":
                raise
            _write(_shown(refused.findings, sorted(content), shape, deployed=False), output)
            sys.exit(FAILED)
        version, new = made.version, made.version > known
        # What was let through may still be worth knowing.
        findings = [] if shape == "text" else deployments.validate(session, content, topics=handlers.topics())
    if shape != "text":
        _write(_shown(findings, sorted(content), shape, deployed=True, version=version, new=new), output)
    elif new:
        click.echo(f"已部署第 {version} 版。 Deployed as version {version}.")
    else:
        click.echo(f"内容与第 {version} 版相同。 The content is that of version {version}.")


@click.command()
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--english", is_flag=True, help="Say it in English.")
def diff(old: Path, new: Path, shape: str, english: bool) -> None:
    """Say in plain words what differs between two bundles: folders, zip files, or single files.

    Exit code 0: nothing that matters; 1: something does; 2: they cannot be read.
    """
    from service import reports
    from service.commands.people.identity import ROLES
    from service.engine.compare import Words, compare

    words = Words({row[0]: row[1] for row in ROLES}, {row[0]: row[2] for row in ROLES})
    before, after = _side(old), _side(new)
    if len(before) == len(after) == 1 and [Path(name).suffix for name in before] == [
        Path(name).suffix for name in after
    ]:
        # Two files may have any names.
        after = {next(iter(before)): next(iter(after.values()))}
    made = compare(before, after, words)
    if shape == "json":
        click.echo(reports.differences_as_json(made))
    else:
        for text in reports.differences(made, english):
            click.echo(text)
        if not made.changes:
            click.echo("没有差别。 No differences." if not english else "No differences.")
    if made.matters:
        sys.exit(FAILED)


def _side(path: Path) -> dict[str, bytes]:
    from service import errors
    from service.commands.procedures import archives

    if path.suffix == ".zip":
        try:
            found = archives.unpack(path.read_bytes())
        except errors.ServiceError as error:
            raise click.UsageError(f"{path}: {error}") from None
        return {name: content for name, content in found.items() if files.belongs(Path(name))}
    found = files.read([path])
    if not found:
        raise click.UsageError(f"{path} 中没有流程图、决策表、表单或模板。 Nothing of a bundle in {path}.")
    return found


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a picture would change.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write one diagram there.")
def layout(paths: tuple[Path, ...], check: bool, output: Path | None) -> None:
    """Draw the pictures of diagrams anew: lanes, left to right, flows at right angles. Nothing else changes."""
    from service.engine import layout as drawing
    from service.engine.xml import UnsafeXml

    diagrams = [path for path in _all(paths) if path.suffix == ".bpmn"]
    if not diagrams:
        raise click.UsageError("没有流程图（.bpmn）。 No diagrams (.bpmn).")
    if output is not None and len(diagrams) != 1:
        raise click.UsageError("--output 只用于一个文件。 --output is for one file.")
    changed = failed = 0
    for path in diagrams:
        before = path.read_bytes()
        try:
            after = drawing.layout(before)
        except UnsafeXml as problem:
            failed += 1
            click.echo(f"{path}: {problem.zh} {problem.en}", err=True)
            continue
        if after == before and output is None:
            continue
        changed += after != before
        if not check:
            (output or path).write_bytes(after)
        click.echo(f"{'需要重画 would change' if check else '已重画 drawn'} {path}")
    if failed or (check and changed):
        sys.exit(FAILED)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="The newest closed cases.")
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--user", "username", default=None, help="In whose name; default: the first process owner.")
def backtest(paths: tuple[Path, ...], limit: int, shape: str, username: str | None) -> None:
    """Decide the closed cases of the database again by the tables and gateways in files and folders. Writes nothing.

    Exit code 0: every decision comes out as it did; 1: some do not; 2: there is nothing to decide by.
    """
    from service import cli, reports
    from service.commands.procedures import backtests

    content = cli.read_files(paths)
    with cli.opened() as database, database.transaction() as session:
        found = backtests.run(session, content, user=cli.account(session, username), limit=limit)
    click.echo(reports.backtest_as_json(found) if shape == "json" else reports.backtest(found))
    if found.differences:
        sys.exit(FAILED)
