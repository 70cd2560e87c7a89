"""``guohe translate``: for process owners who keep their English in git."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from service import english, files

EMPTY = english.write({})


def add_to(group: click.Group) -> None:
    """Put the command into ``guohe``."""
    group.add_command(translate)


@click.command()
@click.argument("root", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a text has no English or is left over.")
def translate(root: Path, check: bool) -> None:
    """Write a line for every Chinese text below a folder into the en.json beside it, empty where it has no English.

    The English that is there stays; what belongs to no text any more is taken away. Run it over everything that is
    deployed together: a text of several folders is translated once.
    """
    from service import engine

    folders = [root / name for name in files.FOLDERS if (root / name).is_dir()] or [root]
    found = sorted(path for folder in folders for path in folder.rglob("*") if files.belongs(path) and path.is_file())
    content = {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    if not content:
        raise click.UsageError("没有找到流程图、决策表或表单。 No diagrams, tables or forms found.")
    for path, data in content.items():
        if english.is_file(path):
            try:
                english.read(data)
            except english.Unreadable as bad:
                raise click.UsageError(f"{path}: {bad.zh} {bad.en}") from None
    made = engine.renewed_english(engine.read_contents(content))
    # A folder without a text has no file.
    changed = [path for path, data in made.items() if data != content.get(path, EMPTY)]
    if not check:
        for path in changed:
            if made[path] == EMPTY:
                (root / path).unlink()
            else:
                (root / path).write_bytes(made[path])
    for path in changed:
        click.echo(f"{'需要更新 would change' if check else '已更新 written'} {path}")
    texts = [text for data in made.values() for text in english.read(data).values()]
    empty = sum(not text for text in texts)
    click.echo(f"{len(texts)} 条文字，{empty} 条还没有英文。 {len(texts)} text(s), {empty} without English.")
    if check and (changed or empty):
        sys.exit(1)
