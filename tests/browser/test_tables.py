"""Decision tables in a real Chromium: a cell that is no FEEL is said at the cell, and the graph of decisions is drawn."""

from __future__ import annotations

import pytest

from tests.browser.test_modeler import Shop, blank, saved, shop, until
from tests.workshop.test_table_analysis import table

pytestmark = pytest.mark.browser
__all__ = ["shop"]

TABLE = "processes/leave/t.dmn"


def opened(shop: Shop):
    content = table("UNIQUE", [("amount", "number")], [("< 10", "1"), (">= 10", "2")])
    copy_id = shop.copy({**blank(), TABLE: content})
    page = shop.page()
    shop.open(page, copy_id, TABLE)
    page.wait_for_selector("td[data-element-id='r0c0']")
    return page, copy_id


def test_a_cell_that_is_no_feel_is_marked_and_mended_where_it_stands(shop: Shop):
    page, _copy = opened(shop)
    cell = page.locator(
        "td[data-element-id='r0c0'] .content-editable, td[data-element-id='r0c0'] [contenteditable]"
    ).first
    cell.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("< 10 +")
    page.keyboard.press("Tab")
    page.wait_for_selector("td.gh-cell-error[data-element-id='r0c0']", timeout=20000)
    assert page.get_attribute("td[data-element-id='r0c0']", "title")
    cell.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("< 10")
    page.keyboard.press("Tab")
    until(page, "!document.querySelector('td.gh-cell-error')", 20)
    saved(page)
    assert page.watch.problems == []


def test_a_decision_is_added_to_the_graph_and_becomes_a_tab_of_its_own(shop: Shop):
    page, copy_id = opened(shop)
    page.click(".editor-acts button:has-text('决策关系图')")
    page.wait_for_selector(".djs-palette .entry[data-action='create.decision']")
    box = page.locator(".djs-palette .entry[data-action='create.decision']").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(700, 300, steps=6)
    page.mouse.move(720, 500, steps=6)
    page.mouse.up()
    until(page, "document.querySelectorAll('.djs-shape[data-element-id^=\\'Decision_\\']').length >= 1")
    saved(page)
    assert shop.file(copy_id, TABLE).count("<decision ") == 2
    assert page.watch.problems == []
