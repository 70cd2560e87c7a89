"""The cockpit in a real browser, as its administrator uses it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from service.engine import layout
from service.upkeep import Upkeep
from tests.browser.conftest import Visitor
from tests.cockpit.conftest import Cockpit, two_tasks
from tests.commands.conftest import Office

Visit = Callable[..., Visitor]
PAGES = ["", "monitor", "heat", "batches", "batches/new", "migration", "audit?verify=1", "policy"]


@pytest.fixture
def stuck(office: Office) -> int:
    """Some cases, and one whose task nobody may do."""
    drawn = layout.layout(two_tasks())
    office.deploy(drawn)
    office.deploy(layout.layout(two_tasks().replace(b'name="b"', b'name="b2"')))
    for number in range(8):
        case = office.start()
        if number % 2:
            office.do(case, "a")
    cockpit = Cockpit(office)
    for person in (office.li, office.zhao):
        cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=person.id, no=False)
    upkeep = Upkeep(office.database, office.settings, "test")
    upkeep.check()
    upkeep.diagnose()
    upkeep.seal()
    return case


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_every_page_is_accessible_and_fits(visitor: Visit, stuck: int, size: str) -> None:
    one = visitor("admin", size=size)
    for path in [*PAGES, f"cases/{stuck}", f"cases/{stuck}/repair/reassign?token=1"]:
        one.go(f"/cockpit/{path}")
        one.page.wait_for_timeout(500)
        if folder := os.environ.get("GUOHE_SCREENSHOTS"):
            name = re.sub("[^a-z]+", "_", path) or "stuck"
            one.page.screenshot(path=f"{folder}/cockpit_{name}_{size}.png", full_page=size == "phone")
        assert one.overflow() <= 1, path
        assert one.axe() == [], path


def test_an_administrator_finds_the_reason_previews_repairs_and_undoes(
    visitor: Visit, stuck: int, office: Office
) -> None:
    shown = visitor("admin").go("/cockpit/")
    page = shown.page
    expect(page.locator("table.list")).to_contain_text("角色无人担任")
    page.locator("table.list a.main").first.click()
    expect(page.locator(".verdict")).to_contain_text("目前无人担任")
    expect(page.locator("[data-cockpit-diagram] svg").first).to_be_visible()
    page.locator("aside .plain-list a", has_text="跳过").first.click()
    page.get_by_role("button", name="预演（不写入、不发送）").click()
    expect(page.locator(".before-after .is-new")).to_have_count(1)
    page.get_by_label("理由（记入审计日志）").fill("岗位空缺，经部门同意")
    page.get_by_role("button", name="执行", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("已执行")
    page.locator("details.record summary").first.click()
    page.get_by_placeholder("撤销理由").fill("补到人了")
    page.get_by_role("button", name="撤销这项修复").click()
    expect(page.locator("#messages")).to_contain_text("已撤销")
    page.goto("/cockpit/audit")
    expect(page.locator("table.list")).to_contain_text("撤销修复")


def test_a_replay_moves_through_the_case(visitor: Visit, stuck: int) -> None:
    shown = visitor("admin").go(f"/cockpit/cases/{stuck}")
    slider = shown.page.locator("[data-replay-at]")
    expect(slider).not_to_have_attribute("max", "0")
    slider.fill("1")
    expect(shown.page.locator("[data-replay-label]")).to_contain_text("1 / ")
    expect(shown.page.locator(".djs-element.gh-active")).not_to_have_count(0)


def test_a_batch_works_itself_off_while_one_looks_on(visitor: Visit, stuck: int, office: Office) -> None:
    page = visitor("admin").go("/cockpit/batches/new?cause=no_member").page
    page.get_by_label("所在环节").select_option("b")
    page.get_by_label("修复", exact=True).select_option("extend")
    expect(page.get_by_label("新的时间（北京时间）")).to_be_visible()
    expect(page.get_by_label("变量（JSON 对象，只写要改的）")).to_be_hidden()
    page.get_by_label("修复", exact=True).select_option("skip")
    expect(page.get_by_label("新的时间（北京时间）")).to_be_hidden()
    expect(page.get_by_label("变量（JSON 对象，只写要改的）")).to_be_visible()
    page.get_by_role("button", name="预演", exact=True).click()
    expect(page.locator("main")).to_contain_text("可行 4")
    page.get_by_label("理由（记入审计日志）").fill("无人办理")
    page.get_by_role("button", name="固定名单并开始").click()
    expect(page.locator("#batch-panel")).to_contain_text("已完成", timeout=20_000)
    expect(page.locator("#batch-panel")).to_contain_text("完成 4")


def test_versions_are_mapped_on_their_diagrams_and_cases_move(visitor: Visit, stuck: int, office: Office) -> None:
    page = visitor("admin").go("/cockpit/migration?process=p").page
    page.locator("#source").select_option(index=0)
    page.locator("#target").select_option(index=1)
    page.get_by_role("button", name="比较").click()
    old, new = page.locator("[data-side=old]"), page.locator("[data-side=new]")
    expect(new.locator("[data-element-id=late]").first).to_be_visible()
    old.locator("[data-element-id=a] .djs-hit").first.click()
    expect(page.locator("[data-map-status]")).to_contain_text("“a” → a（a）")
    expect(new.locator(".gh-map-picked")).to_have_count(1)
    new.locator("[data-element-id=s] .djs-hit").first.click()
    expect(page.locator("[data-map-status]")).to_contain_text("只能对应同一种元素")
    new.locator("[data-element-id=late] .djs-hit").first.click()
    expect(page.locator("select[data-map-source=a]")).to_have_value("late")
    expect(old.locator(".gh-map-renamed")).to_have_count(1)
    if folder := os.environ.get("GUOHE_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/cockpit_mapping_desk.png", full_page=True)
    page.locator("select[data-map-source=a]").select_option("a")
    expect(old.locator(".gh-map-renamed")).to_have_count(0)
    page.get_by_role("button", name="逐件预演").click()
    expect(page.locator("main")).to_contain_text("可以迁移 8 件")
    page.get_by_label("理由（记入审计日志）").fill("改用旧版")
    page.get_by_role("button", name="开始迁移").click()
    expect(page.locator("#batch-panel")).to_contain_text("已暂停", timeout=30_000)
    page.get_by_role("button", name="继续").click()
    expect(page.locator("#batch-panel")).to_contain_text("完成 8", timeout=30_000)
