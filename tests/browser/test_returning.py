"""A form goes back and forth: fields named in the form itself, remarks at each, old beside new at the end."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.commands.conftest import Office
from tests.commands.test_returns import APPLICATION, RETURNING, REVIEW, WHOLE

Visit = Callable[..., Visitor]
NASTY = "请写明 {{secret}} 与 <b>三年</b>目标"


def test_a_reviewer_names_fields_and_sees_afterwards_what_changed(office: Office, visitor: Visit) -> None:
    office.deploy(RETURNING, application__form=APPLICATION, review__form=REVIEW)
    case = office.start()
    office.do(case, "draft", office.wang, application={**WHOLE, "goals": "三年内建成示范基地"})

    li = visitor("li").open_task("check")
    li.page.get_by_text("查看完整的申报表单").click()
    whole = li.page.locator("#reviewed-form")
    expect(whole.locator(".fjs-form")).to_be_visible()
    assert whole.locator("input").first.input_value() == "海洋研究所"
    whole.get_by_role("button", name="要求修改此项 目标").click()
    expect(li.page.locator("[data-draft-status]")).to_contain_text("“目标”已列入需要修改的字段")
    form = li.page.locator("#task-form")
    form.get_by_label("退回", exact=True).check()
    li.fill("要求", NASTY, within=form)
    assert li.axe() == []
    li.submit()

    wang = visitor("wang").open_task("draft")
    remark = wang.page.locator(".gh-remark")
    expect(remark).to_have_text(f"需要修改： {NASTY}")
    goals = wang.field("目标").locator("textarea")
    assert goals.get_attribute("aria-describedby").startswith(f"{goals.get_attribute('id')}-remark")  # type: ignore[union-attr]
    assert wang.field("名称").locator("input").get_attribute("readonly") is not None
    assert "只有下列 1 处可以修改" in wang.text()
    wang.page.locator("a[data-to-field]").click()
    assert wang.page.evaluate("document.activeElement.id") == goals.get_attribute("id")
    assert wang.axe() == []
    assert wang.overflow() <= 0
    goals.fill("五年内建成示范基地，并每年评估")
    wang.submit()
    assert office.variables(case)["application"] == {**WHOLE, "goals": "五年内建成示范基地，并每年评估"}

    again = li.go(f"/tasks/{office.open(case)['check']}").ready()
    row = again.page.locator(".changes-table tbody tr")
    expect(row).to_have_count(1)
    assert row.locator("td").nth(0).inner_text() == "三年内建成示范基地"
    assert row.locator("td").nth(1).inner_text() == "五年内建成示范基地，并每年评估"
    assert row.locator("del").inner_text() == "三"
    assert row.locator("ins").all_inner_texts() == ["五", "，并每年评估"]
    assert f"曾要求：{NASTY}" in row.inner_text()
    assert again.axe() == []
    phone = visitor("li", size="phone").go(f"/tasks/{office.open(case)['check']}").ready()
    assert phone.overflow() <= 0
    assert phone.axe() == []
