"""Starting a case: what is offered, the start form, in whose name."""

from __future__ import annotations

from collections.abc import Callable

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
