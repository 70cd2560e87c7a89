"""A process owner changes a diagram, plays it through, records that, runs it, sees what it covers, and publishes."""

from __future__ import annotations

from sqlalchemy import select

from service.commands.procedures import workshop
from service.engine import layout
from service.models import Instance, ProcessDefinition, Task
from tests.browser.conftest import AXE
from tests.browser.test_modeler import Shop, saved, until
from tests.browser.test_modeler import shop as shop
from tests.sandbox import drafts

SIZES = {"desk": (1400, 900), "phone": (390, 844)}
SLOW = 90_000
"""Milliseconds: a sandbox has to be built on a busy machine."""


def axe(page) -> list[str]:
    """What axe-core finds on the page as it stands."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']}: {', '.join(node['target'][0] for node in one['nodes'][:3])}" for one in found["violations"]]


def complaints(page) -> list[str]:
    """What the browser complained about. axe writes empty style attributes while it looks; refused forms answer 422."""
    return [line for line in page.watch.problems if "inline style" not in line and "422" not in line]


def looks_right(page, name: str) -> None:
    """Nothing for axe to find, and nothing sticks out at a desk or on a phone."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, size)
        assert axe(page) == [], (name, size)
    page.set_viewport_size({"width": 1400, "height": 900})


def draft() -> dict[str, bytes]:
    files = drafts.files()
    return {**files, drafts.DRAFT: layout.layout(files[drafts.DRAFT])}


def test_a_changed_diagram_is_tried_out_recorded_played_and_published(shop: Shop):
    copy_id = shop.copy(draft(), "请假")
    page = shop.page()
    page.set_default_timeout(20_000)
    shop.open(page, copy_id, drafts.DRAFT)
    page.locator(".djs-element[data-element-id='check']").click()
    page.click("[data-group-id='group-general'] .bio-properties-panel-group-header")
    page.fill("#bio-properties-panel-name", "处长审核")
    page.keyboard.press("Tab")
    saved(page)
    until(page, "document.querySelector('[data-save-state]').dataset.level === 'good'")
    assert "处长审核" in shop.file(copy_id, drafts.DRAFT)

    page.get_by_role("link", name="试运行", exact=True).click()
    assert page.locator("#process").input_value() == "leave"
    looks_right(page, "tryouts")
    page.locator("form:has(#process) button").click()
    page.wait_for_selector("form[action$='/start'] button", timeout=SLOW)
    page.click("form[action$='/start'] button")
    page.wait_for_selector("#tryout-form:not([aria-busy])")
    # The real form: what is missing is said at its field, before anything is sent.
    page.click("form[action$='/do'] button")
    page.wait_for_selector("[data-form-problems]:not([hidden])")
    page.locator("#tryout-form").get_by_label("天数").fill("2")
    page.set_input_files(
        "#tryout-form input[type=file]", {"name": "证明.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    page.wait_for_selector(".gh-files-list a:has-text('证明.pdf')")
    page.click("form[action$='/do'] button")
    page.wait_for_selector("#doing-title:has-text('处长审核')")
    page.wait_for_selector(".djs-element.gh-active[data-element-id='check']")
    assert "国际合作司受理" in page.inner_text(".role-tabs")
    looks_right(page, "tryout")
    page.fill("#days", "2")
    page.click("form:has(#days) button")
    page.wait_for_selector(".tryout-now:has-text('2026-03-04 09:00')")
    page.wait_for_selector("#tryout-form:not([aria-busy])")
    page.locator("#tryout-form .fjs-input-group").click()
    page.locator("#tryout-form .fjs-dropdownlist-item", has_text="不同意").last.click()
    page.click("form[action$='/do'] button")
    page.wait_for_selector("text=已结束：不准")
    # One step back, and the other way.
    page.click("text=退回一步")
    page.wait_for_selector("#doing-title:has-text('处长审核')", timeout=SLOW)
    page.wait_for_selector("#tryout-form:not([aria-busy])")
    page.locator("#tryout-form .fjs-input-group").click()
    page.locator("#tryout-form .fjs-dropdownlist-item", has_text="同意").first.click()
    page.click("form[action$='/do'] button")
    page.wait_for_selector("text=已结束：准假")
    page.wait_for_selector(".djs-element.gh-taken[data-element-id='g_yes']", state="attached")
    page.fill("#scenario-name", "三天以内，准假")
    page.fill("#scenario-file", "granted")
    page.click("text=保存场景")

    page.wait_for_url("**/scenarios/**/granted.yaml")
    looks_right(page, "scenario")
    page.get_by_role("button", name="运行", exact=True).click()
    page.wait_for_selector(".note-good:has-text('通过')", timeout=SLOW)
    page.wait_for_selector(".djs-element.gh-taken[data-element-id='g_yes']", state="attached")
    page.goto(f"{shop.address}/modeler/{copy_id}/scenarios")
    page.click("text=全部运行")
    page.wait_for_selector(".coverage-table", timeout=SLOW)
    looks_right(page, "scenarios")
    page.click(".coverage-table a")
    page.wait_for_selector(".djs-element.gh-missing[data-element-id='late_expired']", state="attached")
    assert page.locator(".djs-element.gh-taken[data-element-id='g_yes']").count() == 1
    looks_right(page, "coverage")

    page.goto(f"{shop.address}/modeler/{copy_id}/publish")
    assert "1 个场景在这一版草稿上全部通过" in page.inner_text("main")
    page.fill("#note", "审核改由处长办理")
    page.click("form[action$='/publish'] button.btn-primary")
    page.wait_for_selector("text=已发布")
    with shop.database.transaction() as session:
        definition = session.scalars(select(ProcessDefinition).where(ProcessDefinition.latest)).one()
        assert definition.process_id == "leave"
        # Whatever was played, no case and no task has come about.
        assert session.scalars(select(Instance.id)).all() == []
        assert session.scalars(select(Task.id)).all() == []
    assert complaints(page) == []


def test_a_scenario_is_put_right_through_its_form_and_its_failure_stands_at_the_step(shop: Shop):
    wrong = drafts.GRANTED.replace("days: 2", "days: 9").replace("ended: yes", "ended: no")
    path = "processes/leave/scenarios/granted.yaml"
    copy_id = shop.copy({**draft(), path: wrong.encode()}, "请假")
    page = shop.page()
    page.set_default_timeout(20_000)
    page.goto(f"{shop.address}/modeler/{copy_id}/scenarios/{path}")
    page.get_by_role("button", name="运行", exact=True).click()
    page.wait_for_selector(".card.is-failed", timeout=SLOW)
    assert "案件应以“不准”结束，实际案件已经结束（准假）。" in page.inner_text(".note-danger")
    looks_right(page, "failed scenario")
    page.locator("#step-0 .step-edit summary").click()
    page.locator("#step-0").get_by_text("用真实表单填写").click()
    page.wait_for_selector("#scenario-form:not([aria-busy])", timeout=SLOW)
    field = page.locator("#scenario-form").get_by_label("天数")
    assert field.input_value() == "9"
    looks_right(page, "scenario form")
    field.fill("3")
    page.click("text=写入场景")
    page.wait_for_url("**/granted.yaml#step-0")
    page.locator("section:has(#expect-title)").get_by_text("以实际结果为预期").click()
    page.wait_for_selector("text=已采用实际结果", timeout=SLOW)
    with shop.database.transaction() as session:
        from service.models import WorkingCopy

        text = workshop.files(session, session.get_one(WorkingCopy, copy_id))[path].decode()
    assert text == wrong.replace(
        "{days: 9, proof: [!file 证明.pdf]}", "\n      days: 3\n      proof: [!file '证明.pdf']"
    ).replace("data: \n", "data:\n").replace("expect:\n  ended: no\n", "expect: {ended: 'yes'}\n")
    assert complaints(page) == []
