"""A form on paper: labels, values, tables, who signed – as a PDF made of nothing but what it is given.

The characters that occur are embedded, so that a file looks the same on every machine and in twenty years. Where no
font is at hand (``fonts.installed``) the one is named that most readers of PDF supply, STSong-Light.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from service import fonts

CID = "STSong-Light"
CHINESE = re.compile("[\u2e80-\uffef]")
LONG_WORD = 18
"""A word of so many letters has to break anywhere, or it runs out of a narrow cell."""
_one_at_a_time = threading.Lock()
LONGEST = 20_000
"""So many characters of one value are printed; nobody reads more on paper."""
CELL = 1_500
"""... and of one cell of a table, which may not be longer than a page."""


@dataclass(frozen=True, slots=True)
class Value:
    """One field: what it is called and what stands in it, a line for each item."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a list or a table, under what the columns are called."""

    label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A group of the form."""

    label: str
    parts: tuple[Value | Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that stands on the paper. ``of_pages`` has ``{page}`` and ``{pages}`` in it."""

    title: str
    number: str
    case: str
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    signed_label: str = ""
    signed: Sequence[tuple[str, str, str]] = field(default=())
    of_pages: str = "{page} / {pages}"
    empty: str = "—"


def write(sheet: Sheet, *, font: str = "") -> bytes:
    """Return the sheet as a PDF of A4 pages, each with the case number and its page number."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    name = _font(font or fonts.installed())
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=22 * mm, bottomMargin=20 * mm,
        title=f"{sheet.number} {sheet.title}", author="", subject=sheet.case,
    )  # fmt: skip
    # A font is read with one cursor, whoever reads.
    with _one_at_a_time:
        document.build(_story(sheet, name, document.width), canvasmaker=_numbered(sheet, name))
    return out.getvalue()


@cache
def _font(font: str) -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    if font:
        name = f"guohe-{Path(font).stem}"
        pdfmetrics.registerFont(TTFont(name, font))
        return name
    pdfmetrics.registerFont(UnicodeCIDFont(CID))
    return CID


def _story(sheet: Sheet, font: str, width: float) -> list[Any]:
    from reportlab.lib.enums import TA_CENTER
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, Spacer

    body = ParagraphStyle("body", fontName=font, fontSize=10, leading=15, wordWrap="CJK")
    small = ParagraphStyle("small", parent=body, fontSize=9, leading=13)
    head = ParagraphStyle("head", parent=body, fontSize=12, leading=18, spaceBefore=10, spaceAfter=4)
    title = ParagraphStyle("title", parent=body, fontSize=17, leading=24, alignment=TA_CENTER, spaceAfter=2)
    under = ParagraphStyle("under", parent=body, alignment=TA_CENTER, spaceAfter=8)

    # Chinese may break anywhere, words of Latin letters only between them.
    latin = {style.name: ParagraphStyle(f"{style.name}-latin", parent=style, wordWrap=None) for style in (body, small)}

    def paragraph(text: str, style: Any = body) -> Any:
        if not CHINESE.search(text) and max(map(len, text.split()), default=0) < LONG_WORD:
            style = latin.get(style.name, style)
        return Paragraph(escape(text).replace("\n", "<br/>"), style)

    story: list[Any] = [paragraph(sheet.title, title), paragraph(f"{sheet.number}  {sheet.case}".strip(), under)]
    if sheet.facts:
        story.append(_grid([[paragraph(a, small), paragraph(b, small)] for a, b in sheet.facts], [0.28, 0.72], width))
    for section in sheet.sections:
        if section.label:
            story.append(paragraph(section.label, head))
        else:
            story.append(Spacer(1, 8))
        story += _parts(sheet, section, paragraph, small, width)
    if sheet.signed:
        story.append(paragraph(sheet.signed_label, head))
        rows = [[paragraph(cell, small) for cell in line] for line in sheet.signed]
        story.append(_grid(rows, [0.4, 0.35, 0.25], width))
    return story


def _parts(sheet: Sheet, section: Section, paragraph: Any, small: Any, width: float) -> list[Any]:
    from reportlab.platypus import Spacer

    story: list[Any] = []
    short: list[list[Any]] = []

    def close() -> None:
        if short:
            story.append(_grid(list(short), [0.28, 0.72], width))
            short.clear()

    for part in section.parts:
        if isinstance(part, Table):
            close()
            if part.label:
                story += [Spacer(1, 4), paragraph(part.label)]
            rows = [part.columns, *part.rows]
            count = max(len(part.columns), 1)
            cells = [[paragraph(cell[:CELL], small) for cell in row] for row in rows]
            story.append(_grid(cells, [1 / count] * count, width, headed=True))
            continue
        text = "\n".join(part.lines)[:LONGEST] or sheet.empty
        if len(text) > CELL:  # longer than a row of a table may be: running text
            close()
            story += [Spacer(1, 4), paragraph(part.label), *(paragraph(line) for line in text.split("\n"))]
        else:
            short.append([paragraph(part.label, small), paragraph(text, small)])
    close()
    return story


def _grid(rows: list[list[Any]], widths: Sequence[float], width: float, *, headed: bool = False) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import LongTable, TableStyle

    style = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.HexColor("#9aa5b1")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    if headed:
        style.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eef1f5")))
    else:
        style.append(("BACKGROUND", (0, 0), (0, -1), colors.HexColor("#f6f8fa")))
    table = LongTable(
        rows, colWidths=[part * width for part in widths], repeatRows=1 if headed else 0, splitInRow=1
    )  # fmt: skip
    table.setStyle(TableStyle(style))
    return table


def _numbered(sheet: Sheet, font: str) -> Any:
    """A canvas that waits with the page numbers until it knows how many pages there are."""
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, state in enumerate(self._kept, start=1):
                self.__dict__.update(state)
                self.setFont(font, 8.5)
                self.drawString(20 * mm, 285 * mm, sheet.number)
                self.drawRightString(190 * mm, 285 * mm, sheet.title[:40])
                self.drawCentredString(105 * mm, 11 * mm, sheet.of_pages.format(page=page, pages=len(self._kept)))
                super().showPage()
            super().save()

    return Numbered
