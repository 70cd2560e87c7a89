"""What a process owner reaches for first, in a real Chromium: find a file, find a step, its deadline, a new form."""

from __future__ import annotations

import pytest

from tests.browser.test_modeler import BLANK, Shop, blank, saved, shop, until
from tests.browser.workshop import procedures

pytestmark = pytest.mark.browser
__all__ = ["shop"]

DEMONSTRATION = "processes/demonstration_base/demonstration_base.bpmn"


def open_group(page, group):
    header = page.locator(f"[data-group-id='group-{group}'] .bio-properties-panel-group-header")
    header.click()


def find(page, name):
    """Find a step as an input method types it: text comes in, and no key is pressed."""
    page.click("[data-act='find']")
    page.wait_for_selector(".djs-search-open")
    page.keyboard.insert_text(name)
    page.wait_for_selector(".djs-search-result")
    page.keyboard.press("Enter")
    until(page, "guoheModeler.get('selection').get().length === 1")


def test_a_step_of_the_largest_diagram_is_found_by_its_chinese_name_and_its_deadline_changed(shop: Shop):
    copy_id = shop.copy(procedures())
    page = shop.page()
    shop.open(page, copy_id, DEMONSTRATION)
    assert page.evaluate("guoheModeler.get('canvas').zoom()") >= 0.5

    find(page, "推荐审核")
    assert page.evaluate("guoheModeler.get('selection').get()[0].id") == "review_recommendation"
    open_group(page, "guohe-term")
    assert page.input_value("#bio-properties-panel-guohe-term-days") == "deadlines.recommendDays"
    assert "deadlines.dmn" in page.get_attribute(".gh-term-note a", "href")

    page.fill("#bio-properties-panel-guohe-term-days", "二十天")
    page.wait_for_selector("[data-entry-id='guohe-term-days'].has-error")
    page.fill("#bio-properties-panel-guohe-term-days", "20")
    saved(page)
    until(page, "!document.querySelector('[data-entry-id=guohe-term-days].has-error')")
    assert 'dueDate="=workdays(today(), 20)"' in shop.file(copy_id, DEMONSTRATION)
    assert page.watch.problems == []


def test_a_new_form_is_made_at_the_task_that_opens_it(shop: Shop):
    copy_id = shop.copy(blank())
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    page.locator(".djs-shape[data-element-id^='StartEvent']").first.click()
    page.click(".djs-context-pad [data-action='append.append-task']")
    page.keyboard.press("Escape")
    page.click(".djs-context-pad [data-action='replace']")
    page.click(".djs-popup [data-id='replace-with-user-task']")
    open_group(page, "form")
    page.once("dialog", lambda dialog: dialog.accept("复核意见"))
    page.click("[data-group-id='group-form'] .gh-pick-open button")
    page.wait_for_selector("[data-group-id='group-form'] .gh-pick-open a")
    saved(page)
    assert 'formId="leave_form_1"' in shop.file(copy_id, BLANK)
    page.click("[data-group-id='group-form'] .gh-pick-open a")
    page.wait_for_url("**/leave_form_1.form")
    page.wait_for_selector("[data-editor]:not([aria-busy])")
    assert "复核意见" in page.inner_text(".editor-bar h1")
    assert page.watch.problems == []


@pytest.mark.parametrize("size", [(1400, 900), (390, 844)], ids=["desk", "phone"])
def test_a_file_is_found_among_all_procedures(shop: Shop, size):
    copy_id = shop.copy(procedures())
    page = shop.page(size=size)
    page.goto(f"{shop.address}/modeler/{copy_id}")
    page.fill("[data-file-find]", "公示")
    until(page, "[...document.querySelectorAll('[data-file-group]')].filter(one => !one.hidden).length < 10")
    assert page.locator("[data-file-group]:visible h3", has_text="公示").count() == 1
    page.fill("[data-file-find]", "没有这样的名字")
    page.wait_for_selector("[data-file-none]:visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.watch.problems == []


def test_a_link_to_a_step_chooses_it_and_shows_its_properties(shop: Shop):
    copy_id = shop.copy(procedures())
    page = shop.page()
    shop.open(page, copy_id, f"{DEMONSTRATION}#review_recommendation")
    until(page, "window.guoheModeler?.get('selection').get()[0]?.id === 'review_recommendation'")
    page.wait_for_selector("[data-group-id='group-guohe-term']")
    assert page.watch.problems == []
