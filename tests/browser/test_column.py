"""Somebody who has no account reads a public notice and objects to it; the desk gets the task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from service.commands.bases import column
from service.models import Authority
from tests.browser.conftest import SIZES, Visitor
from tests.commands.conftest import Office
from tests.web.test_column import NOTICED, OBJECTION


@pytest.mark.parametrize("size", list(SIZES))
def test_anybody_objects_to_a_notice(office: Office, visitor: Callable[..., Visitor], size: str) -> None:
    office.deploy(NOTICED, objection__form=OBJECTION)
    case = office.start("noticed")
    with office.database.transaction() as session:
        owner = session.scalars(select(Authority.id).order_by(Authority.id)).first()
        assert owner is not None
        column.publish_article(
            session,
            authority_id=owner,
            section="notices",
            title="拟认定公示",
            body="公示期五个工作日。",
            instance_id=case,
        )
    anybody = visitor(None, size).go("/sign-in")
    anybody.page.get_by_role("link", name="国合基地专栏").first.click()
    anybody.page.get_by_role("link", name="拟认定公示").click()
    anybody.page.get_by_role("link", name="提出异议").click()
    anybody.ready().fill("姓名或单位", "某公民").submit(done=False)
    expect(anybody.page.locator("[data-form-problems]")).to_be_visible()
    assert anybody.error("异议内容") == "此项必填。"
    assert anybody.axe() == []
    assert anybody.overflow() <= 0
    anybody.fill("异议内容", "成果系他人所有，请核实。").submit(done=False)
    expect(anybody.page.locator("#messages")).to_contain_text("已收到")
    assert "examine" in office.open(case)
    assert "核实异议" in visitor("li", size).go("/inbox?box=group").text()
