"""Deputies, notices and webhooks as people use them, and what the first look at the inbox costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import icalendar
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from service import clock
from service.models import Deputy, NoticeSetting, Task, Webhook
from tests.browser.conftest import Site, Visitor
from tests.commands.conftest import Office, diagram
from tests.web.conftest import field, form, task

Visit = Callable[..., Visitor]
DUE = '<zeebe:taskSchedule dueDate="=workdays(today(), 5)"/>'
CASE = diagram(
    '<startEvent id="s"/>' + task("review", "推荐审核", "opinion", "coop.assessor", DUE) + '<endEvent id="e"/>',
    "s -> review -> e",
    title='="海洋研究所申报"',
    caseNumber="DB",
)
OPINION = form("opinion", field("textarea", "opinion", "审核意见", validate={"required": True}))


def test_a_colleague_stands_in_and_every_record_says_so(office: Office, visitor: Visit) -> None:
    chen = office.people.user("chen", "coop.assessor", name="陈评")
    office.deploy(CASE, opinion__form=OPINION)
    case = office.start()
    absent = visitor("chen").go("/account")
    absent.page.get_by_role("link", name="代理安排").click()
    page = absent.page
    absent.expect_complaint("422")
    page.get_by_label("代理人（同机构同事）").select_option(label="李明（li）")
    page.get_by_label("至（含当日）").fill((clock.today() - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="确定").click()
    expect(page.locator("#last_day-error")).to_contain_text("结束日期不能早于开始日期")
    expect(page.get_by_label("代理人（同机构同事）")).to_have_value(str(office.li.id))
    assert absent.axe() == []
    page.get_by_label("至（含当日）").fill((clock.today() + timedelta(days=3)).isoformat())
    page.get_by_role("button", name="确定").click()
    expect(page.locator("table.list")).to_contain_text("李明 代 陈评")
    expect(page.locator("table.list")).to_contain_text("生效中")

    li = visitor("li").go("/notifications")
    assert "代理" in li.text()
    li.go("/inbox?box=deputy")
    li.page.locator("a.main", has_text="推荐审核").click()
    li.page.get_by_role("button", name="代为领取").click()
    li.ready()
    li.fill("审核意见", "同意推荐").submit()
    absent.go(f"/cases/{case}")
    assert "李明（代陈评）" in absent.text()
    (done,) = office.rows(Task, instance_id=case)
    assert (done.completed_by_id, done.on_behalf_of_id) == (office.li.id, chen.id)

    absent.go("/account/deputies")
    absent.page.get_by_role("button", name="撤销：李明代陈评").click()
    expect(absent.page.locator("body")).to_contain_text("没有代理安排")
    assert office.rows(Deputy)[0].revoked_at is not None
    office.start()
    li.go("/inbox?box=deputy")
    assert li.page.locator("a.main", has_text="推荐审核").count() == 0


def settings_of(office: Office) -> list[NoticeSetting]:
    with office.database.transaction(readonly=True) as session:
        return list(session.scalars(select(NoticeSetting)))


def test_notices_are_chosen_and_the_calendar_address_is_read_by_another_program(office: Office, visitor: Visit) -> None:
    office.people.user("chen", "coop.assessor", name="陈评")
    office.deploy(CASE, opinion__form=OPINION)
    office.start()
    chen = visitor("chen")
    chen.open_task("推荐审核").go("/account")
    chen.page.get_by_role("link", name="通知与日历").click()
    chen.page.get_by_label("邮件：新的待领任务").select_option("never")
    chen.page.get_by_label("站内通知：新的待领任务").check()
    chen.page.get_by_role("button", name="保存").click()
    expect(chen.page.locator("body")).to_contain_text("通知设置已保存")
    expect(chen.page.get_by_label("站内通知：新的待领任务")).to_be_checked()
    saved = {one.kind: (one.bell, one.mail) for one in settings_of(office)}
    assert saved["offered"] == (True, "never")
    chen.page.get_by_role("button", name="生成订阅地址").click()
    address = chen.page.get_by_label("日历订阅地址").input_value()
    assert chen.axe() == []
    path = re.sub(r"^https?://[^/]+", "", address)
    stranger = chen.page.context.browser.new_context()  # type: ignore[union-attr]
    answer = stranger.request.get(chen.site.url + path)
    (event,) = icalendar.Calendar.from_ical(answer.body()).walk("VEVENT")
    assert "推荐审核" in str(event["SUMMARY"])
    stranger.close()
    chen.page.get_by_role("button", name="撤销地址").click()
    assert chen.context.request.get(path).status == 404


def test_an_administrator_finds_webhooks_in_the_cockpit_and_loses_nothing_typed(office: Office, visitor: Visit) -> None:
    admin = visitor("admin").go("/cockpit/")
    admin.page.get_by_role("link", name="回调与提醒").click()
    admin.page.wait_for_url("**/admin/webhooks")
    page = admin.page
    admin.expect_complaint("422")
    page.get_by_label("新地址（https）").fill("https://127.0.0.1/hook")
    page.get_by_label("发起", exact=True).check()
    page.get_by_role("button", name="添加").click()
    expect(page.locator("#url-error")).not_to_be_empty()
    expect(page.get_by_label("新地址（https）")).to_have_value("https://127.0.0.1/hook")
    expect(page.get_by_label("发起", exact=True)).to_be_checked()
    assert admin.axe() == []
    page.get_by_label("新地址（https）").fill("https://93.184.215.14/hook")
    page.get_by_role("button", name="添加").click()
    secret = page.get_by_label("签名密钥", exact=True).input_value()
    assert secret.startswith("whsec_")
    admin.go("/admin/webhooks")
    assert secret not in admin.page.content(), "it is shown once"
    (hook,) = office.rows(Webhook)
    assert (hook.url, "started" in hook.kinds, hook.active) == ("https://93.184.215.14/hook", True, True)
    page.get_by_role("button", name=re.compile("^删除")).click()
    expect(page.locator("body")).not_to_contain_text("93.184.215.14")
    assert office.rows(Webhook) == []


def test_the_first_look_at_the_inbox_with_an_empty_cache_is_light(
    chromium: Browser, office: Office, site: Site
) -> None:
    office.people.user("chen", "coop.assessor", name="陈评")
    office.deploy(CASE, opinion__form=OPINION)
    for _ in range(30):
        office.start()
    window = Visitor(chromium, site)
    requests, bytes_sent = window.first_look("chen", "/inbox?box=group")
    expect(window.page.locator("tbody a.main").first).to_be_visible()
    assert requests <= 8
    assert bytes_sent <= 120 * 1024
    window.context.close()
    assert window.unexpected() == []
