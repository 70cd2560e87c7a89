"""Forms on paper: a PDF made by the server, read back as a viewer reads it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from service import clock, config, fonts, sheet
from service.commands.people import deputies
from tests.commands.conftest import Office, diagram
from tests.web.conftest import Browser, field, form, task

Open = Callable[..., Browser]

FORM = form(
    "report",
    {"type": "text", "id": "T1", "text": "请如实填写。"},
    {"type": "group", "id": "G", "path": "report", "label": "基本情况", "components": [
        field("textfield", "name", "单位名称"),
        field("radio", "kind", "类别", values=[{"label": "研究所", "value": "institute"}]),
        field("textarea", "secret", "不适用的内容", conditional={"hide": '=report.kind = "institute"'}),
        {"type": "dynamiclist", "id": "L", "path": "partners", "label": "合作单位", "isRepeating": True,
         "allowAddRemove": True, "defaultRepetitions": 0, "components": [
            {"type": "textfield", "id": "L1", "key": "partner", "label": "外方"},
            {"type": "number", "id": "L2", "key": "funds", "label": "经费"}]},
        field("attachments", "files", '="证明" + "材料"'),
    ]},
)  # fmt: skip
READ = form(
    "decision",
    {"type": "table", "id": "T", "label": "申报内容", "dataSource": '=[{item: "名称", value: report.name}]',
     "columns": [{"label": "项目", "key": "item"}, {"label": "内容", "key": "value"}]},
    field("select", "who", "承办人", valuesExpression='=[{label: "甲处室", value: "a"}]'),
)  # fmt: skip
PROCESS = diagram(
    '<startEvent id="s"/>'
    + task("fill", "填写报告", "report", "applicant.drafter")
    + task("decide", "审定报告", "decision", "coop.assessor")
    + '<endEvent id="e"/>',
    "s -> fill -> decide -> e",
    pid="paper",
    title='="纸面报告"',
    caseNumber="PR",
)


def read(content: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(content)
    return [page.get_textpage().get_text_range().replace("\r\n", "") for page in document]


@pytest.fixture
def paper(office: Office) -> Office:
    office.deploy(PROCESS, report__form=FORM, decision__form=READ)
    office.case = office.start("paper")
    return office


def test_a_form_is_printed_with_labels_values_tables_files_and_who_handed_it_in(paper: Office, browser: Open) -> None:
    wang = browser("wang")
    uploaded = wang.upload("证明.pdf", b"%PDF-1.4\n%%EOF").get_json()
    fill = paper.open(paper.case)["fill"]
    wang.send(f"/tasks/{fill}/complete", {"report": {
        "name": "海洋<研究所> & 伙伴", "kind": "institute", "files": [uploaded],
        "partners": [{"partner": "外方研究院", "funds": 12}, {"partner": "Institut B", "funds": 3}],
    }})  # fmt: skip
    assert f'href="/tasks/{fill}.pdf"' in wang.get(f"/tasks/{fill}").text
    answer = wang.get(f"/tasks/{fill}.pdf")
    assert answer.mimetype == "application/pdf"
    assert "PR-" in answer.headers["Content-Disposition"]
    (page,) = read(answer.data)
    for said in ("填写报告", "纸面报告", "PR-", "请如实填写。", "基本情况", "单位名称", "海洋<研究所> & 伙伴", "研究所",
                 "合作单位", "外方研究院", "Institut B", "12", "证明材料", "证明.pdf", "办结“填写报告”", "王芳",
                 "第 1 页，共 1 页"):  # fmt: skip
        assert said.replace(" ", "") in page.replace(" ", ""), said
    assert "不适用的内容" not in page


def test_whoever_acted_in_somebodys_place_stands_there_so(paper: Office, browser: Open) -> None:
    chen = paper.people.user("chen", "coop.assessor", name="陈评")
    paper.do(paper.case, "fill", paper.wang, report={"name": "海洋研究所", "kind": "institute"})
    with paper.database.transaction() as session:
        absent, deputy = paper.fresh(session, chen), paper.fresh(session, paper.li)
        deputies.appoint(session, absent, deputy, user=absent, first_day=clock.today(), last_day=clock.today())
    li, decide = browser("li"), paper.open(paper.case)["decide"]
    (page,) = read(li.get(f"/tasks/{decide}.pdf").data)
    assert "申报内容" in page
    assert "海洋研究所" in page
    assert "尚未提交" in page
    paper.complete(decide, paper.li, who="a")
    (page,) = read(li.get(f"/tasks/{decide}.pdf").data)
    assert "李明（代陈评）" in page
    assert "甲处室" in page
    li.post("/locale", locale="en")
    assert "Page 1 of 1" in read(li.get(f"/tasks/{decide}.pdf").data)[0]


def test_a_form_is_printed_for_nobody_who_may_not_read_it(paper: Office, browser: Open) -> None:
    paper.people.user("other", "applicant.drafter@elsewhere")
    fill = paper.open(paper.case)["fill"]
    assert browser("other").get(f"/tasks/{fill}.pdf").status_code == 404
    assert browser("li").get("/tasks/999999.pdf").status_code == 404


@pytest.mark.parametrize("length", [0, 1499, 1501, 60_000])
def test_a_long_text_runs_over_as_many_pages_as_it_needs(length: int) -> None:
    made = sheet.Sheet(
        title="长文", number="PR-1", case="案件",
        sections=(
            sheet.Section("组", (
                sheet.Value("正文", ("长" * length,)),
                sheet.Table("表", ("列",), tuple(("格" * 2000,) for _ in range(3))),
            )),
        ),
        signed_label="办理记录", signed=[("办结", "某人", date(2026, 3, 1).isoformat())],
        of_pages="第 {page} 页，共 {pages} 页",
    )  # fmt: skip
    pages = read(sheet.write(made))
    assert f"第 {len(pages)} 页，共 {len(pages)} 页" in pages[-1]
    assert all("PR-1" in page for page in pages)
    whole = "".join(pages)
    assert whole.count("长") >= min(length, sheet.LONGEST)
    assert "某人" in whole


def letters(content: bytes) -> list[tuple[str, bool]]:
    """The fonts of the characters of a PDF, and whether the file brings them along."""
    found: set[tuple[str, bool]] = set()
    document = pypdfium2.PdfDocument(content)
    for page in document:
        for part in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
            font = pdfium.FPDFTextObj_GetFont(part)
            name = ctypes.create_string_buffer(200)
            pdfium.FPDFFont_GetBaseFontName(font, name, 200)
            found.add((name.value.decode(), bool(pdfium.FPDFFont_GetIsEmbedded(font))))
    return sorted(found)


def test_the_characters_that_occur_are_embedded_and_can_be_copied() -> None:
    text = "国际科技合作基地〔2026〕1号“示范型” Überblick ㎡ 鑫璟翀"
    made = sheet.write(sheet.Sheet(title=text, number="PR-1", case="案件", of_pages="第 {page} 页，共 {pages} 页"))
    assert letters(made)
    assert all(embedded and "WenQuanYi" in name for name, embedded in letters(made)), letters(made)
    assert text.replace(" ", "") in read(made)[0].replace(" ", "")
    assert len(made) < 60_000


def test_many_threads_print_at_once() -> None:
    titles = [f"{chr(0x4E00 + 97 * n)}号报告" * 5 for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda title: sheet.write(sheet.Sheet(title=title, number="1", case="案")), titles))
    for title, content in zip(titles, made, strict=True):
        assert title in read(content)[0]


def test_without_the_installed_font_readers_supply_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "PACKAGE", "no_such_package")
    fonts.installed.cache_clear()
    try:
        made = sheet.write(sheet.Sheet(title="年度报告", number="PR-1", case="案件"))
    finally:
        monkeypatch.undo()
        fonts.installed.cache_clear()
    assert ("STSong-Light", False) in letters(made)


def test_a_font_of_ones_own_has_to_be_one_that_can_be_embedded(tmp_path: Path) -> None:
    cubic = tmp_path / "cubic.ttc"
    cubic.write_bytes(b"ttcf\0\2\0\0\0\0\0\1" + (16).to_bytes(4) + b"OTTO" + bytes(20))
    for path in (cubic, tmp_path / "nowhere.ttf", tmp_path):
        with pytest.raises(config.WrongSetting) as wrong:
            config.read({"GUOHE_DATA": str(tmp_path / "data"), "GUOHE_PDF_FONT": str(path)})
        assert "PostScript" in wrong.value.en
    chosen = config.read({"GUOHE_DATA": str(tmp_path / "data"), "GUOHE_PDF_FONT": fonts.installed()})
    assert chosen.pdf_font == fonts.installed()


def test_words_of_latin_letters_are_broken_between_them() -> None:
    words = "International cooperation in science and technology of the institutes"
    rows = ((words, "一", "二", "三"),)
    made = sheet.Sheet(
        title="t", number="1", case="c", sections=(sheet.Section("", (sheet.Table("", tuple("abcd"), rows),)),)
    )
    document = pypdfium2.PdfDocument(sheet.write(made))
    lines = document[0].get_textpage().get_text_range().split("\r\n")
    assert "cooperation" in " ".join(lines)
    assert all(word in " ".join(lines).split() for word in words.split())
