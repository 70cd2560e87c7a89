"""Many tasks with one opinion: those that fail say why, the others go through, nothing typed is lost."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import expect

from service.models import Task
from tests.browser.conftest import Visitor
from tests.commands.conftest import Office, diagram
from tests.web.conftest import field, form, task

Visit = Callable[..., Visitor]
OPINION = json.loads(
    form("opinion", field("textarea", "opinion", "签署意见", validate={"required": True, "minLength": 4}))
)
TOGETHER = json.dumps({**OPINION, "properties": {"bulk": "true"}}).encode()
CASE = diagram(
    '<startEvent id="s"/>' + task("sign", "签署意见", "opinion", "coop.intake") + '<endEvent id="e"/>',
    "s -> sign -> e", caseNumber="DB",
)  # fmt: skip


def test_some_of_many_fail_and_the_rest_goes_through(office: Office, visitor: Visit) -> None:
    office.deploy(CASE, opinion__form=TOGETHER)
    cases = [office.start() for _ in range(4)]
    li, zhao = visitor("li").go("/inbox"), visitor("zhao")
    li.page.get_by_role("link", name="批量办理").click()
    li.ready()
    li.page.get_by_label("全选").check()
    # Meanwhile somebody else, at another desk, takes one of them.
    zhao.go(f"/tasks/{office.open(cases[1])['sign']}")
    zhao.page.get_by_role("button", name="领取此任务").click()
    li.page.get_by_role("button", name="用同一意见提交所选").click()
    expect(li.page.locator("[data-form-problems]")).to_contain_text("有 1 处需要修改")
    li.fill("签署意见", "同意，请照此办理")
    assert li.axe() == []
    li.page.get_by_role("button", name="用同一意见提交所选").click()
    expect(li.page.locator("#results-title")).to_be_visible()
    assert "3 件成功，共 4 件" in li.text()
    expect(li.page.locator(".bulk-list .late")).to_contain_text("赵强")
    assert li.axe() == []
    assert li.overflow() <= 0
    done = {one.instance_id for one in office.rows(Task) if one.status == "completed"}
    assert done == {cases[0], cases[2], cases[3]}
    assert {one.submitted["opinion"] for one in office.rows(Task) if one.submitted} == {"同意，请照此办理"}


def test_what_must_be_done_one_by_one_is_only_claimed_together(office: Office, visitor: Visit) -> None:
    office.deploy(CASE, opinion__form=json.dumps(OPINION).encode())
    for _ in range(3):
        office.start()
    li = visitor("li", size="phone").go("/bulk")
    assert li.page.get_by_role("button", name="用同一意见提交所选").count() == 0
    li.page.locator("input[name=task]").nth(0).check()
    li.page.locator("input[name=task]").nth(1).check()
    li.page.get_by_role("button", name="只领取所选").click()
    assert "2 件成功，共 2 件" in li.text()
    assert sum(one.assignee_id == office.li.id for one in office.rows(Task)) == 2
    assert li.axe() == []
    assert li.overflow() <= 0
