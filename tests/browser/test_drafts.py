"""Drafts over bad networks and two windows at once: not a character is lost, and what differs is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from service.models import Task
from tests.browser.conftest import Site, Visitor
from tests.commands.conftest import Office, diagram
from tests.web.conftest import field, form, task

Visit = Callable[..., Visitor]
OPINION = form("opinion", field("textarea", "opinion", "审核意见"), field("textfield", "number", "文号"))
CASE = diagram(
    '<startEvent id="s"/>' + task("check", "审核材料", "opinion", "coop.intake") + '<endEvent id="e"/>',
    "s -> check -> e", caseNumber="DB",
)  # fmt: skip
SAVED = "草稿已自动保存"


@pytest.fixture
def address(office: Office) -> str:
    office.deploy(CASE, opinion__form=OPINION)
    case = office.start()
    return f"/tasks/{office.open(case)['check']}"


def test_what_is_typed_while_the_network_is_cut_is_kept_and_sent_when_it_is_back(address: str, visitor: Visit) -> None:
    li = visitor("li").open_task("审核材料")
    li.expect_complaint("ERR_INTERNET_DISCONNECTED")
    li.fill("审核意见", "第一句。")
    expect(li.page.locator("[data-draft-status]")).to_contain_text(SAVED)
    li.context.set_offline(True)
    li.fill("审核意见", "第一句。断网时写的第二句。")
    expect(li.page.locator("[data-draft-status]")).to_contain_text("草稿已存在本机")
    li.context.set_offline(False)
    expect(li.page.locator("[data-draft-status]")).to_contain_text(SAVED)
    elsewhere = visitor("li", size="phone").go(address).ready()
    assert elsewhere.field("审核意见").locator("textarea").input_value() == "第一句。断网时写的第二句。"


def test_two_windows_of_one_person_are_merged_field_by_field(address: str, visitor: Visit) -> None:
    desk = visitor("li").open_task("审核材料")
    phone = visitor("li", size="phone").go(address).ready()
    desk.fill("审核意见", "在桌前写的意见")
    expect(desk.page.locator("[data-draft-status]")).to_contain_text(SAVED)
    phone.fill("文号", "国科外〔2026〕1号")
    expect(phone.page.locator("[data-draft-status]")).to_contain_text(SAVED)
    expect(phone.field("审核意见").locator("textarea")).to_have_value("在桌前写的意见")

    desk.fill("文号", "国科外〔2026〕2号")
    clash = desk.page.locator("[data-form-conflicts]")
    expect(clash).to_contain_text("文号")
    expect(clash).to_contain_text("我填写的：国科外〔2026〕2号")
    expect(clash).to_contain_text("别处的：国科外〔2026〕1号")
    assert desk.axe() == []
    clash.get_by_role("button", name="采用别处的").click()
    expect(desk.field("文号").locator("input")).to_have_value("国科外〔2026〕1号")
    expect(clash).to_be_hidden()
    assert desk.field("审核意见").locator("textarea").input_value() == "在桌前写的意见"


def test_a_submission_is_taken_back_within_seconds(office: Office, visitor: Visit, site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, undo_seconds=60)
    site.stop()
    site.start()
    office.deploy(CASE, opinion__form=OPINION)
    case = office.start()
    li = visitor("li").open_task("审核材料")
    li.fill("审核意见", "交得太早").submit()
    assert office.instance(case).status == "completed"
    assert li.axe() == []
    li.page.get_by_role("button", name="撤销提交“审核材料”").click()
    li.ready()
    assert "所填内容保留为草稿" in li.text()
    assert li.field("审核意见").locator("textarea").input_value() == "交得太早"
    expect(li.page.locator("form.undo")).to_have_count(0)
    li.fill("审核意见", "这次对了").submit()
    assert office.task(office.rows(Task)[0].id).submitted == {"opinion": "这次对了", "number": ""}


def test_a_server_killed_while_a_form_is_handed_in_loses_nothing(
    office: Office, address: str, visitor: Visit, site: Site
) -> None:
    li = visitor("li").open_task("审核材料")
    li.expect_complaint("ERR_")
    li.fill("审核意见", "写了一整天的意见")
    li.page.route("**/complete", lambda route: (site.stop(), route.continue_()))
    li.page.locator(".action-bar button.btn-primary").click()
    li.page.wait_for_url("chrome-error://**")
    site.start()
    li.page.unroute("**/complete")
    li.go(address).ready()
    assert li.field("审核意见").locator("textarea").input_value() == "写了一整天的意见"
    li.submit()
    assert [one.status for one in office.rows(Task)] == ["completed"]
