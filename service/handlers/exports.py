"""Write a long list into a file, part by part.

Each part is a job of its own, so that timers and mails come in between, and a killed worker loses one part at most:
bytes beyond what the row knows are cut off before the next part is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import Session

from service.commands.inbox import exports
from service.config import Settings
from service.models import Export
from service.queries import listing, spreadsheet
from service.queries.page import COUNTED
from service.storage import Folder

from . import case
from .registry import JobContext, topic

PAGES = 5
"""So many pages of 200 rows are one part."""
MOST = 1 << 40


@topic("export")
def export(session: Session, job: JobContext) -> dict[str, Any]:
    """Write the next part, or, after the last one, the file; whoever asked is told."""
    found = session.get(Export, int(case.value(job, "export")))
    if found is None or found.status != "running" or not found.user.active:
        return {}
    part = part_of(job.settings, found.id)
    listed = listing.LISTS[found.name]
    lines, after, last = [], found.after, False
    for _round in range(PAGES):
        page = listed.page(session, found.user, found.asked, after, None if after is None else COUNTED)
        if after is None:
            found.total = None if page.capped else page.total
        lines += [orjson.dumps(listed.row(one, found.words), default=str) for one in page.items]
        after = page.next
        if after is None:
            last = True
            break
    found.written = _append(part, found.written, lines)
    found.rows += len(lines)
    found.after = after
    if last:
        _finish(session, found, part, job.settings)
    else:
        exports.go_on(session, found)
    return {}


def part_of(settings: Settings, export_id: int) -> Path:
    """Where the rows of an export lie until its file is written."""
    return settings.data / "exports" / f"{export_id}.part"


def _append(part: Path, safe: int, lines: Sequence[bytes]) -> int:
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("r+b" if part.exists() else "w+b") as file:
        file.truncate(safe)
        file.seek(safe)
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _finish(session: Session, found: Export, part: Path, settings: Settings) -> None:
    whole = part.with_suffix(f".{found.form}")
    with whole.open("w+b") as file:
        spreadsheet.write(_rows(found.columns, part), file, form=found.form, title=found.title)
        file.seek(0)
        stored = Folder(settings.files).put(file, limit=MOST)
    whole.unlink(missing_ok=True)
    exports.finish(session, found, key=stored.key, size=stored.size, base_url=settings.base_url)
    part.unlink(missing_ok=True)


def _rows(columns: Sequence[str], part: Path) -> Iterator[Sequence[Any]]:
    yield columns
    with part.open("rb") as file:
        for line in file:
            yield orjson.loads(line)
