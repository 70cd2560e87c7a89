"""For everybody: by keyboard alone, in the dark and with high contrast, and at twice the size."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import rows
from tests.browser.conftest import SIZES, Site, Visitor
from tests.commands.conftest import Office

Visit = Callable[..., Visitor]
PAGES = (
    "/inbox?box=group",
    "/start",
    "/cases",
    "/register",
    "/notifications",
    "/account",
    "/tasks/{task}",
    "/cases/{case}",
)


@pytest.fixture
def desk(office: Office) -> dict[str, int]:
    """Two tasks of two cases that a desk may claim."""
    people = office.people
    with office.database.transaction() as session:
        people.session = session
        of = rows.definition(session, people.authority().id, "demo", name="示例流程")
        group = [(people.organisation("coop"), "coop.intake")]
        for number in range(2):
            case = rows.instance(session, of, title=f"案件{number}")
            task = rows.task(session, case, groups=group, name=f"审查{number}")
        people.session = None
    return {"task": task.id, "case": case.id}


def test_the_inbox_is_worked_by_keyboard_alone(visitor: Visit, desk: dict[str, int], site: Site) -> None:
    window = visitor("li").go("/inbox?box=group")
    page, press = window.page, window.page.keyboard.press
    press("?")
    sheet = page.get_by_role("dialog", name="键盘快捷键")
    expect(sheet).to_be_visible()
    assert window.axe() == []
    press("Escape")
    expect(sheet).to_be_hidden()
    press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("cojk?")
    expect(page.locator("#q")).to_have_value("cojk?")
    expect(page.locator(".empty")).to_be_visible()
    with page.expect_response(lambda answer: answer.url.endswith("q=") or "q=&" in answer.url):
        page.fill("#q", "")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("#q").blur()
    press("j")
    expect(page.locator("tbody a.main").nth(0)).to_be_focused()
    press("j")
    expect(page.locator("tbody a.main").nth(1)).to_be_focused()
    seen = page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    )
    assert re.fullmatch(r"solid[2-9]px", seen), "the focus is seen"
    press("k")
    press("c")
    expect(page.locator(".panel-done")).to_contain_text("已领取“审查0”")
    press("g")
    press("i")
    page.wait_for_url("**/inbox")
    press("n")
    page.wait_for_url("**/tasks/*")
    expect(page.locator("h1")).to_contain_text("审查0")
    page.locator("body").press("?")
    page.get_by_label("关闭单键快捷键").check()
    press("Escape")
    page.goto("/inbox?box=group")
    press("j")
    expect(page.locator("tbody a.main").first).not_to_be_focused()


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("theme", ["深色", "高对比"])
def test_pages_in_the_theme_that_was_chosen(
    visitor: Visit, desk: dict[str, int], site: Site, size: str, theme: str
) -> None:
    window = visitor("li", size)
    window.page.locator("details.menu summary").first.click()
    window.page.get_by_role("button", name=theme).click()
    window.page.wait_for_load_state()
    root = window.page.locator("html")
    for path in PAGES:
        window.go(path.format(**desk))
        if theme == "深色":
            expect(root).to_have_attribute("data-bs-theme", "dark")
        else:
            assert root.get_attribute("data-contrast") is not None
        assert window.axe() == [], path
        assert window.overflow() <= 0, path


def test_without_a_choice_pages_follow_the_system(visitor: Visit, desk: dict[str, int], site: Site) -> None:
    page = visitor("li").page
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_at_twice_the_size_nothing_is_lost(visitor: Visit, desk: dict[str, int], site: Site) -> None:
    window = visitor("li")
    window.page.set_viewport_size({"width": 700, "height": 450})  # what is left of 1400 at 200 %
    for path in PAGES:
        assert window.go(path.format(**desk)).overflow() <= 0, path
    window.page.set_viewport_size({"width": 320, "height": 640})
    for path in PAGES:
        assert window.go(path.format(**desk)).overflow() <= 0, path
