"""A Word template in a real Chromium: a wrong placeholder is named, a right one is seen in draft, compare and publish."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from service.commands.procedures import deployments, workshop
from tests.browser.test_modeler import Shop, shop
from tests.engine.diagrams import process, user
from tests.workshop.test_compare import template
from tests.workshop.test_placeholders import APPLY, END, START, letter

pytestmark = pytest.mark.browser
__all__ = ["shop"]

FOLDER = "processes/notice"
LETTER = f"{FOLDER}/templates/letter.docx"
WRONG = "{% for p in application.partners %}合作方：{{ p.nmae }}{% endfor %}"
RIGHT = "{% for p in application.partners %}合作单位：{{ p.name }}{% endfor %}"


def word(text: str) -> bytes:
    return template("关于合作的通知", text)["t.docx"]


def test_a_template_is_uploaded_named_wrong_put_right_compared_and_published(shop: Shop):
    apply = user(
        "a", '<zeebe:formDefinition formId="apply"/><zeebe:assignmentDefinition candidateGroups="applicant.drafter"/>'
    )
    diagram = process(START + END + apply + letter(), "s -> a -> t -> e", pid="notice")
    first = {f"{FOLDER}/notice.bpmn": diagram, "forms/notice/apply.form": APPLY, LETTER: word("此致")}
    with shop.database.transaction() as session:
        owner = shop.person(session, "owner")
        deployed = deployments.deploy(session, first, user=owner).id
        copy_id = workshop.create(session, "合作通知", user=owner, deployment_id=deployed).id
    page = shop.page()
    copy = f"{shop.address}/modeler/{copy_id}"

    page.goto(copy)
    upload(page, word(WRONG))
    page.goto(copy)
    finding = page.locator(".finding", has_text="p.nmae")
    expect(finding).to_contain_text("是不是“p.name”？")
    expect(finding).to_contain_text("模板“letter”的占位符")

    right = word(RIGHT)
    upload(page, right)
    page.goto(copy)
    expect(page.locator("[data-check-summary]")).not_to_have_text("正在检查…")
    expect(page.locator(".finding", has_text="占位符")).to_have_count(0)
    page.goto(f"{copy}/files/{LETTER}")
    row = page.locator(".placeholder-list li", has_text="p.name")
    expect(row).to_contain_text("application.partners.name")
    expect(row).to_contain_text("有内容")

    page.goto(copy)
    page.get_by_role("link", name="改了什么").first.click()
    expect(page.locator("main")).to_contain_text("合作单位：{{ p.name }}")
    page.goto(f"{copy}/publish")
    page.fill("#note", "通知里列出合作单位")
    page.click("aside .btn-primary")
    page.wait_for_url(re.compile("/publications/"))
    with shop.database.transaction() as session:
        assert deployments.bundle(session, deployed + 1).templates["letter.docx"] == right
    assert page.watch.problems == []


def upload(page, content: bytes) -> None:
    """Choose a file from the disk and send it, into the place of the one that is there."""
    page.set_input_files("#uploads", {"name": "letter.docx", "mimeType": "application/zip", "buffer": content})
    page.fill("#upload-folder", f"{FOLDER}/templates")
    page.check("input[name=replace]")
    with page.expect_navigation():
        page.locator(".upload-form button").click()
