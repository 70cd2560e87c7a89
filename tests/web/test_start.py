"""Starting a case: what is offered, the start form, in whose name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from service import clock, engine
from service.models.register import Ban
from tests.commands.conftest import Office, diagram
from tests.engine.diagrams import ext
from tests.web.conftest import Browser, field, form, given, path_of, task, text

Open = Callable[..., Browser]

ASKING = diagram(
    f'<startEvent id="s">{ext("""<zeebe:formDefinition formId="asking"/>""")}</startEvent>'
    + task("check", "审核材料", None, "coop.intake")
    + '<endEvent id="e"/>',
    "s -> check -> e",
    pid="asking",
    title="=subject",
)
FORM = form("asking", field("textfield", "subject", "事由", validate={"required": True}))


def test_the_page_lists_what_i_may_start_and_nothing_else(applying: Office, browser: Open) -> None:
    assert "applying" in text(browser("wang").get("/start"))
    assert "您目前没有可以发起的事项" in text(browser("li").get("/start"))


def test_a_case_is_started_with_one_button(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    assert "代表机构 uni" in text(wang.get("/start/applying"))
    started = wang.post("/start/applying", organisation="uni")
    assert started.status_code == 303
    page = text(wang.get(path_of(started)))
    assert "已发起，案号 DB-" in page
    assert "填报申报材料" in page


def test_what_may_not_be_started_is_not_found(applying: Office, browser: Open) -> None:
    assert browser("li").get("/start/applying").status_code == 404
    assert browser("wang").get("/start/nothing").status_code == 404
    assert browser("li").post("/start/applying").status_code == 403
    assert browser("wang").post("/start/nothing").status_code == 404


def test_nobody_starts_in_a_foreign_name(applying: Office, browser: Open) -> None:
    applying.people.organisation("elsewhere")
    assert browser("wang").post("/start/applying", organisation="elsewhere").status_code == 403


def test_who_speaks_for_several_organisations_chooses_one(applying: Office, browser: Open) -> None:
    applying.people.user("both", "applicant.drafter@uni", "applicant.drafter@institute", name="双聘")
    both = browser("both")
    assert "代表机构 institute uni" in text(both.get("/start/applying"))
    refused = both.post("/start/applying")
    assert refused.status_code == 422
    assert "请说明代表哪个机构发起。" in text(refused)
    started = both.post("/start/applying", organisation="institute")
    assert "institute" in text(both.get(path_of(started)))


def test_a_start_form_is_checked_and_keeps_what_was_typed(office: Office, browser: Open) -> None:
    office.deploy(ASKING, asking__form=FORM)
    wang = browser("wang")
    assert given(wang.get("/start/asking"))["draft"]["key"] == f"guohe:{office.wang.id}:start:asking"
    refused = wang.send("/start/asking", {"subject": ""})
    assert refused.status_code == 422
    assert given(refused)["errors"] == {"subject": ["此项必填。"]}
    started = wang.send("/start/asking", {"subject": "请予指导", "more": "不在表单里"})
    assert started.status_code == 303
    page = wang.get(path_of(started))
    assert "请予指导" in text(page)
    assert "data-forget-draft" in page.text
    assert wang.post("/start/asking", values="{").status_code == 400


RULES = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
<decision id="before" name="发起前的核对"><decisionTable id="t" hitPolicy="RULE ORDER">
<input id="i1"><inputExpression id="e1"><text>ban.active</text></inputExpression></input>
<input id="i2"><inputExpression id="e2"><text>count(running)</text></inputExpression></input>
<output id="o1" name="criterion"/><output id="o2" name="article"/><output id="o3" name="message"/>
<output id="o4" name="messageEn"/>
<rule id="r1"><inputEntry id="r1a"><text>true</text></inputEntry><inputEntry id="r1b"><text>-</text></inputEntry>
<outputEntry id="r1c"><text>"BAN"</text></outputEntry><outputEntry id="r1d"><text>"text:art.13"</text></outputEntry>
<outputEntry id="r1e"><text>"禁申期至 " + string(ban.lastOn) + "。"</text></outputEntry>
<outputEntry id="r1f"><text>"Barred until " + string(ban.lastOn) + "."</text></outputEntry></rule>
<rule id="r2"><inputEntry id="r2a"><text>-</text></inputEntry><inputEntry id="r2b"><text>&gt; 0</text></inputEntry>
<outputEntry id="r2c"><text>"RUNNING"</text></outputEntry><outputEntry id="r2d"><text>"assumption"</text></outputEntry>
<outputEntry id="r2e"><text>"在办：" + running[1].number</text></outputEntry>
<outputEntry id="r2f"><text>null</text></outputEntry></rule>
</decisionTable></decision></definitions>""".encode()


def checked(office: Office, **named: str) -> None:
    drawn = diagram(
        '<startEvent id="s"/>' + task("check", "审核材料", None, "coop.intake") + '<endEvent id="e"/>',
        "s -> check -> e",
        pid="checked",
        startCheck="before",
        **named,
    )
    office.deploy(drawn, before__dmn=RULES)


def test_what_the_register_knows_against_a_start_is_told_before_anybody_types(office: Office, browser: Open) -> None:
    checked(office)
    wang = browser("wang")
    for path in ("/start", "/start/checked"):
        assert "登记库已知的条件都满足" in text(wang.get(path))
    uni = office.people.organisation("uni", uscc="91370000MA00000001")
    with office.database.transaction() as session:
        session.add(
            Ban(
                authority_id=uni.authority_id, organisation_id=uni.id, uscc=uni.uscc, reason="试",
                start_on=clock.today(), last_on=date(2999, 1, 2),
            )
        )  # fmt: skip
    started = wang.post("/start/checked", organisation="uni")
    assert started.status_code == 303, "a look informs and refuses nothing"
    for path in ("/start", "/start/checked"):
        page = text(wang.get(path))
        assert "登记库已知有 2 项条件不满足" in page
        assert "禁申期至 2999-01-02。" in page
        assert "第十三条" in page
        assert "在办：checked-" in page
    wang.post("/locale", locale="en")
    page = text(wang.get("/start/checked"))
    assert "Barred until 2999-01-02." in page
    assert "art.13" in page


def test_each_organisation_one_may_start_for_has_a_verdict_of_its_own(office: Office, browser: Open) -> None:
    checked(office)
    office.people.user("both", "applicant.drafter@uni", "applicant.drafter@institute", name="双聘")
    both = browser("both")
    assert both.post("/start/checked", organisation="institute").status_code == 303
    page = text(both.get("/start/checked"))
    assert "institute 登记库已知有 1 项条件不满足" in page
    assert "uni 登记库已知的条件都满足" in page


def test_a_process_that_names_no_decision_of_the_bundle_is_refused(office: Office) -> None:
    drawn = diagram('<startEvent id="s"/><endEvent id="e"/>', "s -> e", startCheck="nothing")
    with pytest.raises(engine.BundleRejected) as raised:
        office.deploy(drawn)
    assert "start-check" in {one.rule for one in raised.value.findings}
