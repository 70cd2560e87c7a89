"""Two people on one task, in two windows at once: delegation, comments, what lies ahead."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.commands.conftest import Office, diagram
from tests.web.conftest import field, form, task

Visit = Callable[..., Visitor]
OPINION = form("opinion", field("textarea", "opinion", "审核意见", validate={"required": True}))
DUE = "<zeebe:taskSchedule dueDate='=workdays(today(), 5)'/>"
CASE = diagram(
    '<startEvent id="s"/>' + task("check", "审核材料", "opinion", "coop.intake", DUE)
    + task("answer", "答复", "opinion", "applicant.drafter") + '<endEvent id="e" name="已答复"/>',
    "s -> check -> answer -> e", caseNumber="DB",
)  # fmt: skip


def test_two_people_work_on_one_task_and_talk_about_it(office: Office, visitor: Visit) -> None:
    office.deploy(CASE, opinion__form=OPINION)
    case = office.start()
    office.start()
    li, zhao, wang = visitor("li").open_task("审核材料", "DB-"), visitor("zhao"), visitor("wang")
    assert "第 1 步，共 2 步：审核材料" in li.text()
    expect(li.page.locator(".ahead")).to_contain_text("答复")
    assert "第 0 个工作日，共 5" in li.text()
    li.page.get_by_text("怎样计算").click()
    expect(li.page.locator(".clock-steps")).to_contain_text("期限 5 个工作日")

    li.fill("审核意见", "请赵强核对数据")
    expect(li.page.locator("[data-draft-status]")).to_contain_text("草稿已自动保存")
    li.page.get_by_text("委托同事办理").click()
    assert li.axe() == []
    li.page.get_by_role("button", name="委托", exact=True).click()
    expect(li.page.locator("#messages")).to_contain_text("已委托赵强办理“审核材料”")

    zhao.go(f"/tasks/{office.open(case)['check']}").ready()
    assert zhao.field("审核意见").locator("textarea").input_value() == "请赵强核对数据"
    zhao.fill("审核意见", "数据属实，建议同意")
    zhao.page.get_by_role("button", name="交回李明").click()
    expect(zhao.page.locator("#messages")).to_contain_text("交回委托人")

    li.go(f"/tasks/{office.open(case)['check']}").ready()
    assert li.field("审核意见").locator("textarea").input_value() == "数据属实，建议同意"
    talk = li.page.locator("#comments")
    talk.get_by_label("谁能看到").select_option(label="仅内部")
    talk.get_by_label("提醒某人").select_option("王芳")
    talk.locator("textarea").type("请看 <img src=x onerror=alert(1)>")
    li.expect_complaint("422")
    talk.get_by_role("button", name="发表").click()
    expect(talk.locator(".note-danger")).to_contain_text("王芳看不到")
    expect(talk.locator("textarea")).to_have_value("@王芳 请看 <img src=x onerror=alert(1)>")
    talk.get_by_label("谁能看到").select_option(label="申报机构可见")
    talk.get_by_role("button", name="发表").click()
    expect(talk.locator(".talk-text")).to_have_text("@王芳 请看 <img src=x onerror=alert(1)>")
    assert li.axe() == []
    assert li.overflow() <= 0

    wang.go("/notifications")
    assert "李明在案件" in wang.text()
    wang.go(f"/cases/{case}")
    expect(wang.page.locator(".talk-text")).to_have_text("@王芳 请看 <img src=x onerror=alert(1)>")
    assert wang.axe() == []

    other = visitor("li", size="phone").go("/inbox?box=group")
    other.page.get_by_role("button", name="领取").first.click()
    li.page.locator("[data-form] textarea").first.focus()
    li.page.keyboard.press("Control+Enter")
    li.page.wait_for_url("**/tasks/*")
    expect(li.page.locator("#messages")).to_contain_text("“审核材料”已提交")
    other.go(li.page.url).ready()
    assert other.overflow() <= 0
    assert other.axe() == []
    other.page.get_by_text("搁置或调整优先级").click()
    other.page.get_by_label("搁置到（届时重新出现）").fill("2099-01-05")
    other.page.get_by_role("button", name="保存安排").click()
    expect(other.page.locator("#messages")).to_contain_text("搁置到 2099-01-05")
    other.go("/inbox?box=later")
    expect(other.page.locator("tr a.main")).to_have_text("审核材料")
