"""Every page at a desk and on a phone: axe finds nothing, nothing sticks out, the browser complains about nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from service.db import Database
from service.models import Instance, Task
from service.models.register import Base
from tests.browser.conftest import SIZES, Site, Visitor
from tests.browser.ministry import opened

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def ministry(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The fictional ministry with its running cases. The tests of this file only look."""
    folder = tmp_path_factory.mktemp("ministry")
    shutil.copyfile(sqlite_template, folder / "guohe.db")
    database = Database(f"sqlite:///{folder}/guohe.db", synchronous="OFF")
    with opened(database, folder, cases=True) as site:
        yield site
    database.close()


@pytest.fixture
def look(chromium: Browser, ministry: Site) -> Iterator[Visit]:
    windows: list[Visitor] = []

    def visit(username: str | None, size: str, locale: str = "zh") -> Visitor:
        window = Visitor(chromium, ministry, size)
        windows.append(window)
        if username:
            window.sign_in(username)
        english = window.page.get_by_role("button", name="English")
        if locale == "en" and english.count():
            english.click()
            window.page.wait_for_load_state()
        return window

    yield visit
    for one in windows:
        one.context.close()
    assert [line for one in windows for line in one.unexpected()] == []


def one(site: Site, query: object) -> object:
    with site.database.transaction(readonly=True) as session:
        return session.scalars(query).first()  # type: ignore[call-overload]


def open_task(site: Site, element: str) -> int:
    found = one(site, select(Task.id).where(Task.element_id == element, Task.status == "open").order_by(Task.id))
    assert isinstance(found, int), f"no open task {element}"
    return found


def is_fine(window: Visitor) -> None:
    window.page.wait_for_load_state("networkidle")
    window.page.wait_for_timeout(300)
    assert window.axe() == []
    assert window.overflow() <= 0


PAGES = [
    (None, "/sign-in"),
    (None, "/column/"),
    (None, "/column/sections/notices"),
    (None, "/column/sections/management"),
    (None, "/column/articles/1"),
    (None, "/column/bases"),
    (None, "/column/bases/{base}"),
    ("coop.intake", "/column/"),
    ("coop.intake", "/inbox"),
    ("coop.intake", "/inbox?box=group"),
    ("coop.intake", "/inbox?box=waiting"),
    ("coop.intake", "/inbox?box=done"),
    ("coop.intake", "/inbox?q=nothing-like-this"),
    ("haidai.drafter", "/start"),
    ("coop.intake", "/start"),
    ("haidai.drafter", "/start/demonstration_base"),
    ("banned.drafter", "/start"),
    ("banned.drafter", "/start/demonstration_base"),
    ("coop.intake", "/exports"),
    ("coop.intake", "/cases"),
    ("coop.intake", "/cases?state=over"),
    ("coop.intake", "/cases/{over}"),
    ("coop.intake", "/cases/{active}"),
    ("haidai.drafter", "/cases/{own}"),
    ("coop.intake", "/tasks/{check_form}"),
    ("haidai.drafter", "/tasks/{draft_application}"),
    ("coop.intake", "/tasks/{finished}"),
    ("coop.intake", "/register"),
    ("coop.intake", "/register?q=nothing-like-this"),
    ("coop.intake", "/register/{base}"),
    ("haidai.drafter", "/register/{base}"),
    ("haidai.drafter", "/notifications"),
    ("platform.admin", "/notifications"),
    ("coop.intake", "/account"),
    ("coop.intake", "/bulk"),
    ("coop.intake", "/account/notices"),
    ("haidai.drafter", "/account/deputies"),
    ("platform.admin", "/account/deputies"),
    ("platform.admin", "/admin/webhooks"),
]


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize(("username", "path"), PAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(
    look: Visit, ministry: Site, username: str | None, path: str, size: str
) -> None:
    ids = {
        "over": one(ministry, select(Instance.id).where(Instance.status == "completed")),
        "active": one(ministry, select(Instance.id).where(Instance.status == "active")),
        "own": one(ministry, select(Instance.id).order_by(Instance.id.desc())),
        "check_form": open_task(ministry, "check_form"),
        "draft_application": open_task(ministry, "draft_application"),
        "finished": one(ministry, select(Task.id).where(Task.status == "completed")),
        "base": one(ministry, select(Base.number).order_by(Base.id)),
    }
    window = look(username, size).go(path.format(**ids))
    is_fine(window)


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("path", ["/nowhere", "/tasks/999999", "/cases/999999"])
def test_error_pages_are_pages_too(look: Visit, size: str, path: str) -> None:
    window = look("coop.intake", size)
    window.expect_complaint("404")
    is_fine(window.go(path))


@pytest.mark.parametrize("path", ["/inbox?box=group", "/cases/1", "/register", "/notifications", "/start"])
def test_the_pages_are_fine_in_english(look: Visit, path: str) -> None:
    window = look("platform.admin", "desk", "en").go(path)
    assert window.page.locator("html").get_attribute("lang") == "en"
    is_fine(window)


@pytest.mark.parametrize("path", ["/inbox?box=group", "/cases/1", "/tasks/{check_form}", "/register"])
def test_the_pages_are_fine_in_the_dark(look: Visit, ministry: Site, path: str) -> None:
    window = look("coop.intake", "desk").go(path.format(check_form=open_task(ministry, "check_form")))
    window.page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    is_fine(window)


def test_the_diagram_shows_where_the_case_is_and_moves_by_keyboard(look: Visit, ministry: Site) -> None:
    running = Instance.process_id == "demonstration_base", Instance.status == "active"
    case_id = one(ministry, select(Instance.id).where(*running).order_by(Instance.id))
    window = look("coop.intake", "desk").go(f"/cases/{case_id}")
    expect(window.page.locator(".djs-container .gh-active").first).to_be_visible()
    assert window.page.locator(".djs-container .gh-done").count() > 3
    assert window.page.locator(".djs-container .gh-taken").count() > 3
    expect(window.page.locator(".gh-here").first).to_have_text("进行中")
    expect(window.page.locator(".bjs-powered-by")).to_be_visible()
    place = window.page.locator("[data-diagram-place]")

    def seen() -> str:
        return window.page.locator(".djs-container .viewport").get_attribute("transform") or ""

    before = seen()
    place.focus()
    for key in ("+", "ArrowRight", "ArrowDown"):
        window.page.keyboard.press(key)
        assert seen() != before
        before = seen()
    window.page.get_by_role("button", name="适合窗口").click()
    assert seen() != before
    called = window.page.locator(".sub-tabs a").nth(1)
    called.click()
    expect(window.page.locator(".djs-container").first).to_be_visible()


def test_a_case_is_found_claimed_and_put_back_without_a_new_page(look: Visit, ministry: Site) -> None:
    window = look("coop.intake", "desk").go("/inbox?box=group")
    window.page.evaluate("window.same = true")
    row = window.page.locator("tbody tr").first
    name = row.locator("a.main").inner_text()
    row.get_by_role("button", name=re.compile("领取")).click()
    expect(window.page.locator(".panel-done")).to_contain_text(f"已领取“{name}”")
    window.page.locator(".tabs a", has_text="我的待办").click()
    expect(window.page.locator("tbody tr")).to_have_count(1)
    assert "box=mine" in window.page.url
    window.page.get_by_role("button", name=re.compile("放回")).click()
    expect(window.page.locator(".empty")).to_contain_text("待办已全部办结")
    window.page.locator(".tabs a", has_text="可领取").click()
    window.page.fill("#q", "没有这样的案件")
    expect(window.page.locator(".empty")).to_contain_text("没有符合条件的任务")
    assert "q=" in window.page.url
    window.page.fill("#q", "")
    expect(window.page.locator("tbody tr").first).to_be_visible()
    assert window.page.evaluate("document.activeElement.id") == "q"
    assert window.page.evaluate("window.same") is True
    window.page.go_back()
    expect(window.page.locator("#inbox-panel")).to_be_visible()


def test_characters_typed_while_a_list_is_on_its_way_are_kept_and_looked_for(look: Visit) -> None:
    window = look("coop.intake", "desk").go("/inbox?box=group")
    network = window.context.new_cdp_session(window.page)
    slow = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", slow)
    window.page.locator(".tabs a", has_text="已办").click()
    window.page.locator("#q").press_sequentially("没有这样的案件", delay=60)
    expect(window.page.locator(".empty")).to_contain_text("没有符合条件的任务")
    expect(window.page.locator("#q")).to_have_value("没有这样的案件")
    assert window.page.evaluate("document.activeElement.id") == "q"
    assert "box=done" in window.page.url
    window.page.get_by_role("search").get_by_role("link", name="清除条件").click()
    expect(window.page.locator("#q")).to_have_value("")
    window.page.locator(".tabs a", has_text="可领取").click()
    button = window.page.locator("tbody").get_by_role("button", name=re.compile("领取")).first
    button.click()
    window.page.locator("#q").press_sequentially("没有这个")
    expect(window.page.locator(".empty")).to_contain_text("没有符合条件的任务")
    window.page.wait_for_timeout(1200)
    expect(window.page.locator(".empty")).to_contain_text("没有符合条件的任务")
    expect(window.page.locator("#q")).to_have_value("没有这个")
    window.go("/inbox").page.get_by_role("button", name=re.compile("放回")).click()
    expect(window.page.locator(".empty")).to_contain_text("待办已全部办结")


def test_menus_open_and_close_by_keyboard(look: Visit) -> None:
    window = look("coop.intake", "desk")
    menu = window.page.locator("details.menu")
    window.page.locator("details.menu summary").focus()
    window.page.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    assert window.axe() == []
    window.page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    assert window.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    window.go("/inbox").page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.className") == "skip"


def test_demo_accounts_are_found_by_typing(look: Visit) -> None:
    window = look(None, "desk").go("/sign-in")
    window.page.fill("#find", "海岱大学 起草")
    expect(window.page.locator(".door-person:visible")).to_have_count(1)
    window.page.fill("#find", "没有这个人")
    expect(window.page.locator("[data-door-none]")).to_be_visible()
    assert window.axe() == []
    window.page.fill("#find", "海岱大学 haidai.drafter")
    window.page.locator(".door-person:visible").click()
    window.page.wait_for_url("**/inbox")


def test_the_first_page_of_the_inbox_is_light(look: Visit) -> None:
    window = look(None, "desk").go("/sign-in")
    window.enter("coop.intake")
    sizes: list[int] = []
    window.page.on("response", lambda answer: sizes.append(len(answer.body())))
    window.page.goto("/inbox", wait_until="networkidle")
    assert len(sizes) <= 8
    assert sum(sizes) < 400_000
