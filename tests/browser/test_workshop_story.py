"""A process owner's whole way in a real Chromium: draw, connect, choose, put right, simulate, publish, and a case runs."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from service.commands.cases import instances
from service.models import Task, TaskCandidate
from tests.browser.test_modeler import BLANK, Shop, blank, saved, shop, until

pytestmark = pytest.mark.browser
__all__ = ["shop"]

FORM = {
    "id": "ask",
    "type": "default",
    "schemaVersion": 16,
    "components": [
        {
            "type": "group",
            "path": "leave",
            "id": "G",
            "components": [{"type": "number", "key": "days", "id": "F", "label": "天数"}],
        }
    ],
}
FORMS = {"forms/leave/ask.form": json.dumps(FORM).encode()}


def middle(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=5)
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def choose_in_panel(page, group, select_id, value):
    header = page.locator(f"[data-group-id='group-{group}'] .bio-properties-panel-group-header")
    if "open" not in (header.get_attribute("class") or ""):
        header.click()
    page.select_option(f"#bio-properties-panel-{select_id}", value)


def test_a_procedure_is_drawn_put_right_simulated_published_and_runs(shop: Shop):
    shop.people.user("li", "coop.intake", name="李明")
    copy_id = shop.copy({**blank(), **FORMS})
    page = shop.page()
    shop.open(page, copy_id, BLANK)

    # A task by drag out of the palette, connected with the start.
    x, y = middle(page, ".djs-shape[data-element-id^='StartEvent']")
    tool = middle(page, ".djs-palette .entry[data-action='create.task']")
    drag(page, tool, (x + 300, y))
    page.wait_for_selector(".djs-shape[data-element-id^='Activity']")
    page.keyboard.press("Escape")
    page.click(".djs-palette .entry[data-action='global-connect-tool']")
    drag(page, (x, y), (x + 300, y))
    page.wait_for_selector(".djs-connection[data-element-id^='Flow']", state="attached")

    page.mouse.click(x + 100, y + 180)
    # The list of findings takes room from the canvas: nothing is clicked while that happens.
    until(page, "document.querySelector('[data-check-list]').innerText.includes('结束事件')", 20)

    # It becomes a user task with a name, a role and a form, and an end follows it.
    task = page.locator(".djs-shape[data-element-id^='Activity']").first
    for _ in range(3):
        # The end of a drag swallows one click.
        task.click()
        if page.locator(".djs-context-pad [data-action='replace']").count():
            break
        page.mouse.click(x + 100, y + 180)
    page.click(".djs-context-pad [data-action='replace']")
    page.click(".djs-popup [data-id='replace-with-user-task']")
    page.wait_for_selector(".djs-context-pad [data-action='append.end-event']")
    page.click(".djs-context-pad [data-action='append.end-event']")
    until(page, "document.querySelector('[data-check-list]').innerText.includes('没有指定办理人')", 20)
    page.mouse.click(x + 100, y + 180)
    page.locator(".djs-shape[data-element-id^='Activity']").first.click()
    choose_in_panel(page, "guohe-role", "guohe-role-pick", "coop.intake")
    choose_in_panel(page, "form", "guohe-form-pick", "ask")
    page.locator(".djs-shape[data-element-id^='Activity']").first.dblclick()
    page.keyboard.type("审批请假")
    page.mouse.click(x + 100, y + 180)
    page.wait_for_selector(".djs-label:has-text('审批请假')", state="attached")

    # The due date reads a misspelt variable; the finding says which was meant, and is put right.
    write_due(page, "=leav.until")
    until(page, "document.querySelector('[data-check-list]').innerText.includes('leav.until')", 20)
    write_due(page, "")
    until(page, "!document.querySelector('[data-check-list]').innerText.includes('leav.until')", 20)
    page.mouse.click(x + 100, y + 180)
    choose_in_panel(page, "guohe-case", "guohe-starter", "applicant.drafter")
    until(
        page,
        "!document.querySelector('[data-check-list] .finding.is-error, [data-check-list] .finding.is-warning')",
        20,
    )
    saved(page)

    # A token runs to the end.
    page.click("[data-act='simulate']")
    page.locator(".bts-context-pad[title='触发']:visible").first.click()
    page.wait_for_selector(".bts-element-notification:has-text('已结束')", timeout=20000)
    page.click("[data-act='simulate']")
    saved(page)

    # What runs came out of the drawing.
    page.goto(f"{shop.address}/modeler/{copy_id}/publish")
    page.fill("#note", "新的请假流程")
    page.click("aside .btn-primary")
    page.wait_for_url("**/publications/*")
    assert "已发布" in page.inner_text("body")
    with shop.database.transaction() as session:
        case = instances.start(session, "leave", {}, user=shop.person(session, "wang"))
        task = session.scalars(select(Task).where(Task.instance_id == case.id)).one()
        assert (task.name, task.form_id, task.status) == ("审批请假", "ask", "open")
        offered = session.scalars(select(TaskCandidate).where(TaskCandidate.task_id == task.id)).all()
        assert offered
    assert page.watch.problems == []


def write_due(page, text):
    """Change the due date as the panel does, as one undoable step."""
    page.evaluate(
        """text => {
          const modeler = window.guoheModeler, element = modeler.get('elementRegistry').find(one => one.type === 'bpmn:UserTask');
          const extensions = element.businessObject.get('extensionElements'), factory = modeler.get('bpmnFactory');
          const others = extensions.get('values').filter(one => one.$type !== 'zeebe:TaskSchedule');
          const made = factory.create('zeebe:TaskSchedule', {dueDate: text});
          made.$parent = extensions;
          modeler.get('modeling').updateModdleProperties(element, extensions, {values: text ? [...others, made] : others});
        }""",
        text,
    )


def test_the_feel_editor_is_offered_what_is_known_at_the_element(shop: Shop):
    from tests.engine.diagrams import user
    from tests.workshop.drawings import DESK, straight

    diagram = straight().decode()
    diagram = diagram.replace(user("a", DESK), user("a", DESK + '<zeebe:formDefinition formId="ask"/>'))
    copy_id = shop.copy({BLANK: diagram.encode(), **FORMS})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    known = page.evaluate(
        """async () => {
          const modeler = window.guoheModeler, element = modeler.get('elementRegistry').get('a_e');
          return await modeler.get('variableResolver').getVariablesForElement(element.businessObject);
        }"""
    )
    leave = next(one for one in known if one["name"] == "leave")
    assert [entry["name"] for entry in leave["entries"]] == ["days"]
    assert leave["info"] == "由 表单“a” 写入"
    assert {"caseNumber", "parties", "profile"} <= {one["name"] for one in known}
    # The marks at the elements are those of the list: what the browser finds by itself, and what the server says.
    until(page, "document.querySelector('[data-check-summary]').textContent !== '正在检查…'")
    assert page.watch.problems == []


def test_a_form_is_previewed_as_each_task_opens_it(shop: Shop):
    from tests.engine.diagrams import process, user

    ask = user(
        "a", '<zeebe:formDefinition formId="ask"/><zeebe:assignmentDefinition candidateGroups="applicant.drafter"/>'
    )
    judge = user(
        "b", '<zeebe:formDefinition formId="judge"/><zeebe:assignmentDefinition candidateGroups="coop.intake"/>'
    )
    diagram = process('<startEvent id="s"/><endEvent id="e"/>' + ask + judge, "s -> a -> b -> e", pid="leave")
    shows = {"type": "text", "id": "T", "text": "{{ leave.days }} / {{ caseNumber }}"}
    form = {
        **FORM,
        "id": "judge",
        "components": [shows, {"type": "textfield", "key": "opinion", "id": "O", "label": "意见"}],
    }
    copy_id = shop.copy({BLANK: diagram, **FORMS, "forms/leave/judge.form": json.dumps(form).encode()})
    page = shop.page()
    shop.open(page, copy_id, "forms/leave/judge.form")
    page.click("[data-view='preview']")
    page.wait_for_selector("#preview-role option:nth-child(3)", state="attached")
    assert page.locator("#preview-role option").nth(2).text_content().endswith("b（leave）")
    page.select_option("#preview-role", "0")
    until(page, "document.querySelector('.preview-place').innerText.includes('1 / 示例')")
    page.select_option("#preview-role", "reader")
    until(page, "document.querySelector('.preview-place input').readOnly")
    assert page.watch.problems == []


def test_a_gap_is_shown_at_its_column_and_an_overlap_at_its_cell(shop: Shop):
    from tests.workshop.test_table_analysis import table

    content = table("UNIQUE", [("amount", "number")], [("< 10", "1"), ("[8..20]", "2"), ("> 30", "3")])
    copy_id = shop.copy({**blank(), "processes/leave/t.dmn": content})
    page = shop.page()
    shop.open(page, copy_id, "processes/leave/t.dmn")
    page.wait_for_selector("th.gh-cell-warning[data-col-id='i0']", timeout=20000)
    page.wait_for_selector("td.gh-cell-warning[data-element-id='r1c0']")
    assert "(20..30]" in page.get_attribute("th.gh-cell-warning", "title")
    assert page.watch.problems == []


def test_tools_of_the_trade_copy_align_colour_find_and_the_map(shop: Shop):
    from tests.workshop.drawings import straight

    copy_id = shop.copy({BLANK: straight()})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    count = (
        "document.querySelectorAll(\".djs-shape[data-element-id^='Activity'], .djs-shape[data-element-id='a']\").length"
    )
    x, y = middle(page, ".djs-shape[data-element-id='a']")
    x, y = x - 30, y - 22  # beside the flows, which are drawn from middle to middle
    page.mouse.click(x, y)
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    page.mouse.move(x, y + 170)
    page.mouse.move(x + 40, y + 175)
    page.mouse.click(x + 40, y + 175)
    until(page, f"{count} === 2")

    # Two at once: their left edges in one line.
    page.mouse.click(x + 200, y + 230)
    page.mouse.click(x, y)
    page.keyboard.down("Shift")
    page.mouse.click(x + 40, y + 175)
    page.keyboard.up("Shift")
    page.click(".djs-context-pad [data-action='align-elements']")
    page.click(".djs-popup [data-id='align-elements-left']")
    lefts = "new Set(window.guoheModeler.get('elementRegistry').filter(one => one.type === 'bpmn:UserTask').map(one => one.x)).size"
    until(page, f"{lefts} === 1")

    page.mouse.click(x, y)
    page.click(".djs-context-pad [data-action='set-color']")
    page.locator(".djs-popup [data-id='blue-color']").click()
    until(page, "!!window.guoheModeler.get('elementRegistry').get('a').di.get('color:background-color')")

    page.click("[data-act='find']")
    page.wait_for_selector(".djs-search-input input")
    page.keyboard.type("a")
    page.wait_for_selector(".djs-search-result")
    page.keyboard.press("Escape")
    page.click(".djs-minimap .toggle")
    page.wait_for_selector(".djs-minimap.open")
    saved(page)
    assert page.watch.problems == []


@pytest.mark.parametrize("size", [(1400, 900), (390, 844)], ids=["desk", "phone"])
def test_backtest_and_template_pages_are_readable_by_everybody(shop: Shop, size):
    from tests.browser.conftest import AXE
    from tests.workshop.test_hostile_files import word

    copy_id = shop.copy({**blank(), "processes/leave/templates/letter.docx": word("{{ caseNumber }}")})
    page = shop.page(size=size)
    for path in (f"{copy_id}/backtest", f"{copy_id}/files/processes/leave/templates/letter.docx"):
        page.goto(f"{shop.address}/modeler/{path}")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [one["id"] for one in found["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
