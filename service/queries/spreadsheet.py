"""Rows as files that spreadsheet programs open, in which nothing that somebody typed becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula begins with, for one program or another."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def harmless(value: Any) -> Any:
    """Return a text so that no program takes it for a formula; anything else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write rows line by line, with the mark by which spreadsheet programs know UTF-8."""
    mark = "\ufeff"
    for row in rows:
        out = io.StringIO()
        csv.writer(out).writerow(["" if value is None else harmless(value) for value in row])
        yield mark + out.getvalue()
        mark = ""


def write(rows: Iterable[Sequence[Any]], file: IO[bytes], *, form: str, title: str) -> None:
    """Write rows into a file as ``csv`` or ``xlsx``."""
    if form == "xlsx":
        workbook(rows, file, title=title)
    else:
        file.writelines(line.encode() for line in csv_lines(rows))


def workbook(rows: Iterable[Sequence[Any]], file: IO[bytes], *, title: str) -> None:
    """Write rows into a workbook with one sheet, row by row; its first row stays in sight."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31])
    sheet.freeze_panes = f"{get_column_letter(1)}2"
    for number, row in enumerate(rows):
        values = [_UNPRINTABLE.sub("", value) if isinstance(value, str) else value for value in map(harmless, row)]
        sheet.append([_bold(sheet, value) for value in values] if number == 0 else values)
    book.save(file)
    file.seek(0)


def _bold(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=value)
    cell.font = Font(bold=True)
    return cell
