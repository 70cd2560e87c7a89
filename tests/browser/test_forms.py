"""Forms in a real browser: fill, correct, attach, lose nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site, Visitor
from tests.commands.conftest import Office, diagram
from tests.web.conftest import field, form, task

Visit = Callable[..., Visitor]
PDF = b"%PDF-1.7\n" + b"0" * 100

APPLICATION = form(
    "application",
    field("textfield", "baseName", "基地名称", validate={"required": True, "minLength": 4}),
    field("textarea", "goals", "发展目标"),
    {"type": "datetime", "key": "since", "id": "F_since", "subtype": "date", "dateLabel": "成立日期"},
    field("number", "staff", "专职人员", decimalDigits=0, validate={"min": 0}),
    field("select", "kind", "类型", values=[{"label": "大学", "value": "u"}, {"label": "研究院", "value": "i"}]),
    field("textfield", "faculty", "学院名称", conditional={"hide": '=kind != "u"'}, validate={"required": True}),
    field("attachments", "files", "证明材料", accept=".pdf,.docx", validate={"required": True}, maxFiles=3),
    {
        "type": "dynamiclist", "id": "F_partners", "path": "partners", "label": "合作伙伴", "isRepeating": True,
        "allowAddRemove": True, "defaultRepetitions": 0,
        "components": [field("textfield", "name", "伙伴名称", validate={"required": True})],
    },
)  # fmt: skip
APPLYING = diagram(
    '<startEvent id="s"/>' + task("draft", "填报申报材料", "application", "applicant.drafter")
    + task("check", "审核材料", "opinion", "coop.intake") + '<endEvent id="e"/>',
    "s -> draft -> check -> e", pid="applying", title="=baseName", caseNumber="DB",
)  # fmt: skip
OPINION = form("opinion", field("textarea", "opinion", "审核意见", validate={"required": True}))


@pytest.fixture
def case(office: Office) -> int:
    office.deploy(APPLYING, application__form=APPLICATION, opinion__form=OPINION)
    return office.start("applying")


def submitted(office: Office, case_id: int) -> dict[str, object]:
    rows = [row for row in office.rows(__import__("service.models", fromlist=["Task"]).Task) if row.submitted]
    return dict(next(row.submitted for row in rows if row.instance_id == case_id))


def test_a_form_is_filled_with_files_and_handed_in(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "海洋生物示范基地").fill("成立日期", "2001年3月5日").fill("专职人员", "12")
    wang.choose("类型", "大学").fill("学院名称", "海洋学院")
    wang.attach("证明材料", ("合作协议.pdf", PDF), ("人员名单.docx", b"PK\x03\x04" + b"0" * 50))
    wang.page.click("text=添加一项")
    wang.fill("伙伴名称", "弗劳恩霍夫协会")
    wang.submit()
    assert "“填报申报材料”已提交。" in wang.text()
    kept = submitted(office, case)
    assert kept["since"] == "2001-03-05"
    assert kept["staff"] == 12
    assert kept["faculty"] == "海洋学院"
    assert [one["name"] for one in kept["files"]] == ["合作协议.pdf", "人员名单.docx"]  # type: ignore[attr-defined]
    assert kept["partners"] == [{"name": "弗劳恩霍夫协会"}]
    li = visitor("li").go(f"/cases/{case}")
    li.page.locator(".record summary").first.click()
    expect(li.page.locator(".record .fjs-form")).to_be_visible()
    assert (
        li.page.locator('.record input[value="海洋生物示范基地"], .record input').first.input_value()
        == "海洋生物示范基地"
    )
    with li.page.expect_download() as download:
        li.page.locator(".record a", has_text="合作协议.pdf").click()
    assert download.value.suggested_filename == "合作协议.pdf"


def test_what_is_wrong_stands_at_the_field_and_above_the_form(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "短").fill("成立日期", "2001-13-45").fill("专职人员", "-3")
    wang.page.click("text=添加一项")
    wang.submit(done=False)
    summary = wang.page.locator("[data-form-problems]")
    expect(summary).to_contain_text("有 5 处需要修改后才能提交")
    assert wang.error("基地名称") == "至少填写 4 个字。"
    assert wang.error("成立日期") == "日期请写作 2026-03-15 的形式。"
    assert wang.error("专职人员") == "不能小于 0。"
    assert wang.error("证明材料") == "此项必填。"
    assert wang.error("伙伴名称") == "此项必填。"
    assert wang.page.evaluate("document.activeElement.closest('.fjs-form-field').innerText").startswith("基地名称")
    wang.fill("基地名称", "海洋生物示范基地")
    expect(summary).to_contain_text("有 4 处")
    summary.locator("a", has_text="专职人员").click()
    assert wang.page.evaluate("document.activeElement.value") == "-3"
    assert wang.field("成立日期").locator("input").first.input_value() == "2001-13-45"


def test_an_error_sentence_moves_nothing(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    goals = wang.field("发展目标")
    before = goals.bounding_box()
    wang.fill("基地名称", "短")
    expect(wang.field("基地名称").locator(".fjs-form-field-error")).to_be_visible()
    assert goals.bounding_box() == before


def test_the_server_says_no_and_nothing_typed_is_lost(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.expect_complaint("422")
    wang.fill("基地名称", "海洋生物示范基地").fill("发展目标", "写了很久的目标").attach("证明材料", ("协议.pdf", PDF))
    # A browser that does not check, as an old or a tampered one.
    wang.page.evaluate(
        """() => {
            const form = document.querySelector('form[data-sends]');
            const values = {baseName: '短', goals: '写了很久的目标', files: [], since: null, partners: []};
            form.querySelector('[name=values]').value = JSON.stringify(values);
            HTMLFormElement.prototype.submit.call(form);
        }"""
    )
    wang.page.wait_for_url("**/complete")
    wang.ready()
    assert wang.error("基地名称") == "至少填写 4 个字。"
    assert wang.error("证明材料") == "此项必填。"
    assert wang.field("发展目标").locator("textarea").input_value() == "写了很久的目标"
    wang.fill("基地名称", "海洋生物示范基地").attach("证明材料", ("协议.pdf", PDF)).submit()
    assert submitted(office, case)["goals"] == "写了很久的目标"


def test_hidden_fields_are_neither_asked_nor_sent(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "海洋生物示范基地").attach("证明材料", ("协议.pdf", PDF))
    wang.choose("类型", "大学").fill("学院名称", "不该送出").choose("类型", "研究院")
    expect(wang.page.locator("text=学院名称")).to_have_count(0)
    wang.submit()
    assert "faculty" not in submitted(office, case)


def test_files_that_cannot_be_taken_say_why(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.expect_complaint("415")
    box = wang.field("证明材料")
    chosen = box.locator("input[type=file]")
    for name, content, sentence in [
        ("照片.png", b"\x89PNG\r\n\x1a\n", "文件“照片.png”的类型不在允许范围内（.pdf .docx）。"),
        ("空的.pdf", b"", "文件“空的.pdf”是空的。"),
        ("太大.pdf", PDF + b"0" * 3 * 1024 * 1024, "文件“太大.pdf”超过 2 MB 的上限。"),
        ("假的.pdf", b"not a pdf at all", "文件内容与扩展名“.pdf”不符。"),
    ]:
        chosen.set_input_files([{"name": name, "mimeType": "application/pdf", "buffer": content}])
        expect(box.locator(".gh-files-refused")).to_have_text(sentence)
    assert wang.axe() == []
    wang.attach("证明材料", *[(f"{number}.pdf", PDF) for number in range(3)])
    chosen.set_input_files([{"name": "四.pdf", "mimeType": "application/pdf", "buffer": PDF}])
    expect(box.locator(".gh-files-refused")).to_have_text("最多可上传 3 个文件。")
    box.get_by_role("button", name="移除 1.pdf").click()
    expect(box.locator(".gh-files-list li")).to_have_count(2)


def test_files_are_dropped_onto_the_field(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    dropped = wang.page.evaluate_handle(
        """() => { const data = new DataTransfer();
            data.items.add(new File(['%PDF-1.7 ' + '0'.repeat(99)], '拖来的.pdf', {type: 'application/pdf'})); return data; }"""
    )
    area = wang.field("证明材料").locator(".gh-files")
    area.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(area).to_have_class(re.compile("is-over"))
    area.dispatch_event("drop", {"dataTransfer": dropped})
    expect(area.locator("li a")).to_have_text("拖来的.pdf")


def test_a_form_is_filled_by_keyboard_alone(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    keys = wang.page.keyboard
    wang.field("基地名称").locator("input").focus()
    keys.type("海洋生物示范基地")
    keys.press("Tab")
    keys.type("目标")
    keys.press("Tab")
    keys.type("2001-3-5")
    keys.press("Tab")
    assert wang.page.evaluate("document.activeElement.getAttribute('aria-label')") == "打开日历：成立日期"
    keys.press("Enter")
    expect(wang.page.locator(".flatpickr-calendar.open")).to_be_visible()
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(wang.field("成立日期").locator("input").first).to_have_value("2001-03-06")
    wang.attach("证明材料", ("协议.pdf", PDF))
    wang.page.locator(".action-bar button.btn-primary").focus()
    keys.press("Enter")
    wang.page.wait_for_url("**/inbox")
    assert submitted(office, case)["since"] == "2001-03-06"


def test_what_is_typed_survives_a_closed_window(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "打了一半的名字").attach("证明材料", ("协议.pdf", PDF))
    expect(wang.page.locator("[data-draft-status]")).to_contain_text("草稿已自动保存")
    elsewhere = visitor("wang").open_task("填报申报材料")
    expect(elsewhere.page.locator("[data-draft-restored]")).to_be_visible()
    assert elsewhere.field("基地名称").locator("input").input_value() == "打了一半的名字"
    expect(elsewhere.field("证明材料").locator("li a")).to_have_text("协议.pdf")
    assert elsewhere.axe() == []
    elsewhere.page.click("text=放弃这份草稿")
    elsewhere.page.wait_for_load_state()
    elsewhere.ready()
    expect(elsewhere.field("基地名称").locator("input")).to_have_value("")


def test_what_is_typed_survives_an_ended_session(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.expect_complaint("401")
    with office.database.transaction() as session:
        from service.commands.people import identity

        identity.sign_out_everywhere(session, office.fresh(session, office.wang))
    wang.fill("基地名称", "海洋生物示范基地").fill("发展目标", "会话已过期时写的")
    expect(wang.page.locator("[data-draft-status]")).to_contain_text("登录已过期")
    wang.field("证明材料").locator("input[type=file]").set_input_files(
        [{"name": "协议.pdf", "mimeType": "application/pdf", "buffer": PDF}]
    )
    expect(wang.field("证明材料").locator(".gh-files-refused")).to_have_text("请先登录。")
    wang.page.reload()
    wang.page.wait_for_url("**/sign-in?next=/tasks/*")
    task_page = wang.page.url.split("next=")[1]
    wang.enter("wang")
    wang.go(task_page)
    wang.ready()
    assert wang.field("发展目标").locator("textarea").input_value() == "会话已过期时写的"
    wang.attach("证明材料", ("协议.pdf", PDF)).submit()


def test_what_is_typed_survives_a_dead_server(office: Office, case: int, site: Site, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.expect_complaint("ERR_CONNECTION_REFUSED")
    wang.expect_complaint("ERR_CONNECTION_RESET")
    wang.attach("证明材料", ("协议.pdf", PDF))
    site.stop()
    wang.fill("基地名称", "海洋生物示范基地").fill("发展目标", "断网时写的")
    expect(wang.page.locator("[data-draft-status]")).to_contain_text("网络不通")
    site.start()
    wang.page.reload()
    wang.ready()
    assert wang.field("发展目标").locator("textarea").input_value() == "断网时写的"
    wang.submit()
    assert submitted(office, case)["goals"] == "断网时写的"


def test_after_handing_in_no_copy_stays_in_the_browser(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "海洋生物示范基地").attach("证明材料", ("协议.pdf", PDF)).submit()
    assert wang.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('guohe:'))") == []


def test_signing_out_leaves_nothing_in_the_browser_but_the_draft_on_the_server(case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    page_of_task = wang.page.url
    wang.fill("基地名称", "打了一半的名字")
    expect(wang.page.locator("[data-draft-status]")).to_contain_text("草稿已自动保存")
    assert wang.page.evaluate("Object.keys(localStorage).some(key => key.startsWith('guohe:'))") is True
    wang.page.locator("details.menu summary").click()
    wang.page.get_by_role("button", name="退出登录").click()
    wang.page.wait_for_url("**/sign-in")
    assert wang.page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('guohe:'))") == []
    wang.enter("wang")
    wang.go(page_of_task).ready()
    assert wang.field("基地名称").locator("input").input_value() == "打了一半的名字"


def test_two_clicks_hand_in_once(office: Office, case: int, visitor: Visit) -> None:
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("基地名称", "海洋生物示范基地").attach("证明材料", ("协议.pdf", PDF))
    wang.page.evaluate(
        "() => { const b = document.querySelector('.action-bar button.btn-primary'); b.click(); b.click(); b.click(); }"
    )
    wang.page.wait_for_url("**/inbox")
    assert office.kinds(case).count("completed") == 1


def test_markup_in_what_is_typed_stays_text(office: Office, case: int, visitor: Visit) -> None:
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    wang = visitor("wang").open_task("填报申报材料")
    wang.page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    wang.fill("基地名称", evil).fill("发展目标", evil).attach("证明材料", (f"{'x' * 20}.pdf", PDF)).submit()
    for path in (f"/cases/{case}", "/inbox?box=done", "/inbox?box=waiting"):
        wang.go(path)
        assert "onerror" in wang.text()
