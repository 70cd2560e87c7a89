"""Finding work in a real browser: words and filters together, views, groups, and what is new without a reload."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from service.models import Task
from tests import rows
from tests.browser.conftest import SIZES, Site, Visitor
from tests.commands.conftest import Office

Visit = Callable[..., Visitor]


@pytest.fixture
def desk(office: Office) -> Office:
    """A desk with a dozen open tasks of two regions."""
    people = office.people
    with office.database.transaction() as session:
        people.session = session
        of = rows.definition(session, people.authority().id, "innovation_park", name="国际创新园认定")
        group = [(people.organisation("coop"), "coop.intake")]
        recommender = people.organisation("sd", name="山东省科技厅")
        for number in range(12):
            region = "山东" if number % 3 else "浙江"
            applicant = people.organisation(f"u{number}", name=f"第{number:02}大学", region=region)
            parties = {"applicant": applicant, "recommender": recommender}
            case = rows.instance(session, of, parties, title=f"海洋生物资源与深海装备国际科技合作示范创新园{number:02}")
            rows.task(session, case, groups=group, name="形式审查", element_id="check")
            if number < 2:
                rows.task(session, case, groups=group, name="登记来文", element_id="log")
        people.session = None
    return office


def add(office: Office, title: str) -> int:
    with office.database.transaction() as session:
        office.people.session = session
        of = rows.definition(session, office.people.authority().id, f"other_{title}", latest=False)
        case = rows.instance(session, of, {"applicant": office.people.organisation("u1")}, title=title)
        task: Task = rows.task(session, case, groups=[(office.people.organisation("coop"), "coop.intake")])
        office.people.session = None
        return task.id


def test_words_and_filters_hold_together_and_a_view_keeps_them(visitor: Visit, desk: Office, site: Site) -> None:
    li = visitor("li").go("/inbox?box=group").page
    lines = li.locator("tbody tr")
    expect(lines).to_have_count(14)
    li.locator("summary", has_text="筛选").click()
    li.locator(".facet a", has_text="浙江").click()
    expect(lines).to_have_count(5)
    expect(li.locator(".facet a", has_text="山东")).to_contain_text("9")
    li.locator(".facet a", has_text="形式审查").click()
    expect(lines).to_have_count(4)
    li.fill("#q", "创新园09")
    expect(lines).to_have_count(1)
    assert li.evaluate("document.querySelector('details.facets').open") is True
    li.get_by_text("存为视图").click()
    li.fill("#view-name", "浙江九号")
    li.select_option("#view-share", index=2)
    li.get_by_role("button", name="保存", exact=True).click()
    expect(li.locator(".note")).to_contain_text("已保存视图“浙江九号”。")
    zhao = visitor("zhao").go("/inbox").page
    zhao.locator(".views a", has_text="浙江九号").click()
    expect(zhao.locator("tbody tr")).to_have_count(1)
    expect(zhao.locator("#q")).to_have_value("创新园09")
    assert zhao.locator(".view-away").count() == 0, "only its owner deletes a view"
    assert visitor("wang").go("/inbox").page.locator(".views").count() == 0
    li.get_by_role("button", name="删除视图“浙江九号”").click()
    expect(li.locator(".views")).to_have_count(0)


def test_tasks_of_one_case_stand_together(visitor: Visit, desk: Office, site: Site) -> None:
    li = visitor("li").go("/inbox?box=group").page
    li.select_option("#sort", "case")
    expect(li.locator("tr.group")).to_have_count(12)
    first = li.locator("tbody tr").nth(0)
    assert "group" in (first.get_attribute("class") or "")
    group = li.locator("tr.group", has_text="创新园01")
    below = group.locator("xpath=following-sibling::tr")
    expect(below.nth(0)).to_contain_text("创新园01")
    expect(below.nth(1)).to_contain_text("创新园01")
    expect(below.nth(2)).to_have_class(re.compile("group"))


def test_new_tasks_appear_without_a_reload_but_never_under_the_pointer(
    visitor: Visit, desk: Office, site: Site
) -> None:
    window = visitor("li").go("/inbox?box=group")
    li = window.page
    li.evaluate("window.same = true")
    look = "document.dispatchEvent(new Event('guohe:look'))"
    with li.expect_response(lambda answer: "/inbox" in answer.url) as first:
        li.evaluate(look)
    assert first.value.status == 200
    li.wait_for_timeout(200)
    with li.expect_response(lambda answer: "/inbox" in answer.url) as second:
        li.evaluate(look)
    assert second.value.status == 304, "nothing is new, and nothing is sent"
    add(desk, "新到的联合研究中心")
    li.evaluate(look)
    expect(li.locator("tbody tr", has_text="新到的联合研究中心")).to_have_count(1)
    expect(li.locator("#inbox-tabs")).to_contain_text("15")
    add(desk, "又来一件")
    li.locator("tbody tr").nth(2).hover()
    li.evaluate(look)
    expect(li.locator("[data-news] button")).to_be_visible()
    expect(li.locator("tbody tr", has_text="又来一件")).to_have_count(0)
    assert window.axe() == []
    li.locator("[data-news] button").click()
    expect(li.locator("tbody tr", has_text="又来一件")).to_have_count(1)
    assert li.evaluate("window.same") is True


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_filters_are_fine_for_everybody(visitor: Visit, desk: Office, site: Site, size: str, theme: str) -> None:
    window = visitor("li", size).go("/inbox?box=group&region=浙江&sort=case")
    window.page.evaluate(f"document.documentElement.dataset.bsTheme = '{theme}'")
    window.page.locator("summary", has_text="筛选").click()
    window.page.get_by_text("存为视图").click()
    assert window.axe() == []
    assert window.overflow() <= 0
