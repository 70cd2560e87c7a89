"""Process owners draw in a real Chromium; what they draw is in the working copy, and checked as they draw."""

from __future__ import annotations

import json

import pytest

from service.commands.procedures import workshop
from service.models import WorkingCopy
from tests.browser import workshop as site
from tests.conftest import People

pytestmark = pytest.mark.browser

BLANK = "processes/leave/leave.bpmn"


class Shop:
    """The application with a working copy, and pages of people who look at it."""

    def __init__(self, database, address, browser, people):
        self.database, self.address, self.browser, self.people = database, address, browser, people
        self.contexts = []

    def copy(self, files, name="请假流程"):
        with self.database.transaction() as session:
            owner = self.person(session, "owner")
            return workshop.create(session, name, user=owner, files=files).id

    def person(self, session, username):
        from service.models import User

        return session.query(User).filter_by(username=username).one()

    def page(self, username="owner", size=(1400, 900)):
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
        self.contexts.append(context)
        context.set_default_timeout(8000)
        page = context.new_page()
        page.watch = site.Watch(page)
        site.sign_in(page, self.address, username)
        return page

    def open(self, page, copy_id, path):
        page.goto(f"{self.address}/modeler/{copy_id}/files/{path}")
        page.wait_for_selector("[data-editor]:not([aria-busy])")

    def file(self, copy_id, path):
        with self.database.transaction() as session:
            copy = session.get_one(WorkingCopy, copy_id)
            return workshop.files(session, copy)[path].decode()


@pytest.fixture
def shop(sqlite_template, tmp_path, chromium, request):
    from tests.conftest import sqlite_database

    with sqlite_database(request) as database:
        people = People(database)
        people.user("owner", "platform.owner", name="陈负责", password=site.PASSWORD)
        people.user("colleague", "platform.owner", name="林同事", password=site.PASSWORD)
        people.user("wang", "applicant.drafter@uni", name="王芳", password=site.PASSWORD)
        with site.served(database, tmp_path) as address:
            made = Shop(database, address, chromium, people)
            yield made
            for context in made.contexts:
                context.close()


def blank(path=BLANK, title="请假"):
    from service.commands.procedures import blanks

    return {path: blanks.blank(path, title)}


def add_task(page, x=420, y=300):
    """Drag a task out of the palette onto the canvas and make it a user task."""
    box = page.locator(".djs-palette .entry[data-action='create.task']").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.wait_for_selector(".djs-context-pad [data-action='replace']")
    page.keyboard.press("Escape")


def until(page, condition, seconds=8):
    """Wait for something in the page. Playwright's own wait evaluates in the page, which its policy forbids."""
    for _ in range(seconds * 20):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def saved(page):
    until(page, "document.querySelector('[data-save-state]').dataset.level === 'good'")


def test_a_task_is_drawn_given_a_role_and_a_form_and_its_findings_vanish(shop):
    copy_id = shop.copy(
        {**blank(), "forms/leave/ask.form": json.dumps({"id": "ask", "type": "default", "components": []}).encode()}
    )
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    page.wait_for_selector(".finding")
    assert "没有" in page.inner_text("[data-check-list]")

    start = page.locator(".djs-shape[data-element-id^='StartEvent']").first
    start.click()
    page.click(".djs-context-pad [data-action='append.append-task']")
    page.keyboard.type("填写请假单")
    page.keyboard.press("Enter")
    page.click(".djs-context-pad [data-action='replace']")
    page.click(".djs-popup [data-id='replace-with-user-task']")
    page.wait_for_selector(".djs-context-pad [data-action='append.end-event']")
    page.click(".djs-context-pad [data-action='append.end-event']")
    until(page, "document.querySelectorAll('.djs-shape[data-element-id]').length >= 3")
    page.wait_for_selector(".finding.is-error")
    until(page, "document.querySelector('[data-check-list]').innerText.includes('没有指定办理人')")

    page.locator(".djs-shape[data-element-id^='Activity']").click()
    page.click("[data-group-id='group-guohe-role'] .bio-properties-panel-group-header")
    page.select_option("#bio-properties-panel-guohe-role-pick", "coop.intake")
    page.click("[data-group-id='group-form'] .bio-properties-panel-group-header")
    page.select_option("#bio-properties-panel-guohe-form-pick", "ask")
    until(page, "document.querySelector('[data-check-summary]').textContent.startsWith('没有问题')")
    saved(page)

    drawn = shop.file(copy_id, BLANK)
    assert 'name="填写请假单"' in drawn
    assert 'candidateGroups="coop.intake"' in drawn
    assert 'formId="ask"' in drawn
    assert "zeebe:userTask" in drawn
    assert page.watch.problems == []


def test_every_element_shows_where_it_comes_from_and_what_is_changed_shows_at_once(shop):
    path = "processes/reprimand/reprimand.bpmn"
    copy_id = shop.copy({path: site.procedures()[path]})
    page = shop.page()
    shop.open(page, copy_id, path)
    badge = "[data-container-id='{}'] .gh-source"
    page.wait_for_selector(badge.format("sign_notice"), state="attached")
    assert page.get_attribute(badge.format("sign_notice"), "title").startswith("办法规定 第十三条")
    assert page.get_attribute(badge.format("take_number"), "title").startswith("实践做法")
    assert page.get_attribute(badge.format("passed_since"), "title").startswith("系统约定")

    page.locator(".djs-element[data-element-id='sign_notice']").first.click()
    page.click("[data-group-id='group-guohe-source'] .bio-properties-panel-group-header")
    page.fill("[data-group-id='group-guohe-source'] input", "practice")
    until(page, f'document.querySelector("{badge.format("sign_notice")}").title.startsWith("实践做法")')
    assert page.watch.problems == []


def test_a_finding_leads_to_its_element(shop):
    from tests.workshop.drawings import deadlock

    copy_id = shop.copy({BLANK: deadlock()})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    page.locator(".finding:has-text('死锁') .link-button", has_text="定位").click()
    page.wait_for_selector(".djs-element.selected[data-element-id='j']")


def test_a_deadlock_is_played_step_by_step(shop):
    from tests.workshop.drawings import deadlock

    copy_id = shop.copy({BLANK: deadlock()})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    page.click(".finding button:text-is('演示路径')")
    page.wait_for_selector(".gh-walking")
    page.wait_for_selector(".djs-element.gh-stuck-here", timeout=15000)
    assert page.locator(".gh-walked").count() >= 3


def test_what_was_typed_before_a_crash_is_there_again(shop):
    copy_id = shop.copy(blank())
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    # The network dies, and then the browser: nothing reaches the server.
    context = page.context
    context.set_offline(True)
    add_task(page)
    until(page, "document.querySelector('[data-save-state]').dataset.level === 'bad'")
    page.close(run_before_unload=False)
    assert "bpmn:task" not in shop.file(copy_id, BLANK)
    context.set_offline(False)
    again = context.new_page()
    shop.open(again, copy_id, BLANK)
    again.wait_for_selector("text=已恢复上次没来得及保存的修改")
    assert again.locator(".djs-shape[data-element-id^='Activity']").count() == 1
    saved(again)
    assert "bpmn:task" in shop.file(copy_id, BLANK)


def test_restored_work_can_be_discarded(shop):
    copy_id = shop.copy(blank())
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    context = page.context
    context.set_offline(True)
    add_task(page)
    until(page, "document.querySelector('[data-save-state]').dataset.level === 'bad'")
    page.close(run_before_unload=False)
    context.set_offline(False)
    again = context.new_page()
    shop.open(again, copy_id, BLANK)
    again.click("text=放弃这些修改")
    until(again, "document.querySelectorAll(\".djs-shape[data-element-id^='Activity']\").length === 0")
    assert "bpmn:task" not in shop.file(copy_id, BLANK)


def test_two_owners_at_once_choose_whose_version_counts(shop):
    copy_id = shop.copy(blank())
    mine, theirs = shop.page(), shop.page("colleague")
    shop.open(mine, copy_id, BLANK)
    shop.open(theirs, copy_id, BLANK)
    add_task(theirs)
    saved(theirs)
    add_task(mine, 520, 360)
    add_task(mine, 720, 360)
    mine.wait_for_selector("[data-editor-note]:not([hidden])")
    assert "林同事" in mine.inner_text("[data-editor-note]")
    assert shop.file(copy_id, BLANK).count("<bpmn:task") == 1
    mine.click("text=以我的为准")
    saved(mine)
    assert shop.file(copy_id, BLANK).count("<bpmn:task") == 2
    with shop.database.transaction() as session:
        copy = session.get_one(WorkingCopy, copy_id)
        assert workshop.at(session, copy, 2)[BLANK].count(b"<bpmn:task") == 1


def test_theirs_can_be_taken_without_losing_the_page(shop):
    copy_id = shop.copy(blank())
    mine, theirs = shop.page(), shop.page("colleague")
    shop.open(mine, copy_id, BLANK)
    shop.open(theirs, copy_id, BLANK)
    add_task(theirs)
    saved(theirs)
    add_task(mine, 520, 360)
    add_task(mine, 720, 360)
    mine.click("text=以对方的为准")
    until(mine, "document.querySelectorAll(\".djs-shape[data-element-id^='Activity']\").length === 1")


def test_the_simulation_runs_a_token_to_the_end(shop):
    from tests.workshop.drawings import straight

    copy_id = shop.copy({BLANK: straight()})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    page.click("[data-act='simulate']")
    assert page.inner_text("[data-act='simulate']") == "结束模拟"
    page.locator(".bts-context-pad[title='触发']:visible").first.click()
    page.wait_for_selector(".bts-element-notification:has-text('已结束')", timeout=20000)
    page.click("[data-act='simulate']")
    assert page.inner_text("[data-act='simulate']") == "令牌模拟"
    assert page.watch.problems == []


ELEMENTS = """() => {
  const modeler = window.guoheModeler, factory = modeler.get('elementFactory'), modeling = modeler.get('modeling');
  const root = modeler.get('canvas').getRootElement();
  const events = ['Timer', 'Message', 'Error', 'Escalation', 'Signal', 'Conditional', 'Link', 'Compensate', 'Terminate'];
  const shapes = [];
  for (const type of ['UserTask', 'ServiceTask', 'ScriptTask', 'SendTask', 'ReceiveTask', 'ManualTask', 'BusinessRuleTask',
      'CallActivity', 'Task', 'SubProcess', 'ExclusiveGateway', 'ParallelGateway', 'InclusiveGateway', 'EventBasedGateway',
      'ComplexGateway', 'DataObjectReference', 'DataStoreReference', 'TextAnnotation', 'Group'])
    shapes.push({type: 'bpmn:' + type});
  for (const kind of events) {
    if (!['Error', 'Escalation', 'Link', 'Compensate', 'Terminate'].includes(kind))
      shapes.push({type: 'bpmn:StartEvent', eventDefinitionType: `bpmn:${kind}EventDefinition`});
    if (!['Timer', 'Conditional', 'Link'].includes(kind))
      shapes.push({type: 'bpmn:EndEvent', eventDefinitionType: `bpmn:${kind}EventDefinition`});
    if (['Timer', 'Message', 'Signal', 'Conditional'].includes(kind))
      shapes.push({type: 'bpmn:IntermediateCatchEvent', eventDefinitionType: `bpmn:${kind}EventDefinition`});
  }
  return shapes.map((one, index) => modeling.createShape(factory.createShape(one),
      {x: 300 + 150 * (index % 8), y: 300 + 120 * Math.floor(index / 8)}, root).id);
}"""

SHOW = """async ids => {
  const modeler = window.guoheModeler, selection = modeler.get('selection'), registry = modeler.get('elementRegistry');
  const found = {};
  for (const id of [null, ...ids]) {
    selection.select(id ? registry.get(id) : null);
    await new Promise(done => setTimeout(done, 60));
    for (const header of document.querySelectorAll('.panel .bio-properties-panel-group-header:not(.open)')) header.click();
    await new Promise(done => setTimeout(done, 60));
    for (const label of document.querySelectorAll('.panel label, .panel .bio-properties-panel-group-header-title, .panel option')) {
      const text = label.textContent.trim();
      if (/[A-Za-z]{3}/.test(text) && !/[\\u4e00-\\u9fff]/.test(text)) found[text] = id;
    }
    if (id) {
      const pad = modeler.get('popupMenu');
      pad.open(registry.get(id), 'bpmn-replace', {x: 200, y: 200});
      await new Promise(done => setTimeout(done, 30));
      pad.close();
    }
  }
  return {labels: found, missing: window.guoheUntranslated()};
}"""

KEPT = {"ID", "FEEL", "BPMN", "JSON", "HTML", "CMMN"}


def test_no_word_of_the_diagram_editor_is_left_in_english(shop):
    copy_id = shop.copy(blank())
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    ids = page.evaluate(ELEMENTS)
    seen = page.evaluate(SHOW, ids)
    assert seen["missing"] == []
    codes = {text for text in seen["labels"] if "_" in text or text in KEPT or text.islower()}
    assert {text: at for text, at in seen["labels"].items() if text not in codes} == {}
    assert page.watch.problems == []


def test_a_page_of_the_workshop_is_closed_to_others(shop):
    copy_id = shop.copy(blank())
    page = shop.page("wang")
    assert page.goto(f"{shop.address}/modeler").status == 403
    assert page.goto(f"{shop.address}/modeler/{copy_id}").status == 404
    assert page.goto(f"{shop.address}/modeler/{copy_id}/files/{BLANK}").status == 404


def test_the_editor_fits_a_phone(shop):
    copy_id = shop.copy(blank())
    page = shop.page(size=(390, 844))
    shop.open(page, copy_id, BLANK)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for tab in ("panel", "problems", "files", "canvas"):
        page.click(f"[data-pane-tab='{tab}']")
        assert page.locator(f"[data-pane-tab='{tab}']").get_attribute("aria-selected") == "true"
    assert page.locator("[data-canvas]").is_visible()


def test_a_file_that_would_hang_the_editor_is_not_opened_and_the_former_one_comes_back(shop):
    files = blank()
    copy_id = shop.copy(files)
    deep = b"<x>" * 100_000 + b"</x>" * 100_000
    page = shop.page()
    page.goto(f"{shop.address}/modeler/{copy_id}")
    page.set_input_files("#uploads", {"name": "leave.bpmn", "mimeType": "text/xml", "buffer": deep})
    page.fill("#upload-folder", "processes/leave")
    page.check("input[name=replace]")
    page.click(".upload-form button")
    page.wait_for_selector(".finding:has-text('嵌套超过 100 层')")
    page.goto(f"{shop.address}/modeler/{copy_id}/files/{BLANK}")
    assert "XML 嵌套超过 100 层" in page.inner_text("main .note")
    assert not page.locator("[data-editor]").count()
    page.get_by_role("button", name="把这个文件恢复到第 1 版").click()
    page.wait_for_selector("[data-editor]:not([aria-busy]) .djs-shape")
    assert shop.file(copy_id, BLANK) == files[BLANK].decode()
    assert page.watch.problems == []
