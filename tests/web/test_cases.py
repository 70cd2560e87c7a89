"""Cases: the list, one case, its diagrams and records, and messages into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.commands.conftest import Office, diagram
from tests.engine.diagrams import ext
from tests.web.conftest import Browser, field, form, given, path_of, task, text

Open = Callable[..., Browser]


def test_a_case_shows_its_parties_where_it_is_and_what_happened(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="海洋生物示范基地")
    page = text(browser("wang").get(f"/cases/{case_id}"))
    assert "海洋生物示范基地" in page
    assert "申报机构 uni" in page
    assert "办结“填报申报材料”" in page
    assert "审核材料 coop · 国际合作司受理" in page
    assert "已逾期" in page


def test_an_ended_case_says_so(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="海洋生物示范基地")
    applying.do(case_id, "check", applying.li, opinion="同意")
    page = text(browser("wang").get(f"/cases/{case_id}"))
    assert "案件已于" in page
    assert "案件结束：已办结" in page
    assert "已办结" in text(browser("wang").get("/cases?state=over"))


def test_cases_are_listed_searched_and_filtered(applying: Office, browser: Open) -> None:
    for name in ("甲示范基地", "乙示范基地"):
        applying.do(applying.start("applying"), "draft", applying.wang, baseName=name)
    wang = browser("wang")
    everything = text(wang.get("/cases"))
    assert "甲示范基地" in everything
    assert "乙示范基地" in everything
    found = text(wang.get("/cases?q=甲"))
    assert "甲示范基地" in found
    assert "乙示范基地" not in found
    assert "没有符合条件的案件" in text(wang.get("/cases?process=other"))
    assert "还没有案件" in text(wang.get("/cases?state=over"))
    assert wang.get("/cases?state=nonsense").status_code == 404
    assert wang.get("/cases?after=nonsense").status_code == 400
    assert wang.get("/cases", headers={"HX-Request": "true"}).text.lstrip().startswith("<section")


def test_many_cases_come_in_pages(applying: Office, browser: Open) -> None:
    for _number in range(27):
        applying.start("applying")
    wang = browser("wang")
    first = wang.get("/cases")
    link = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert wang.get(link).text.count("<tr") == 3


@pytest.mark.parametrize("path", ["", "/diagram", "/messages/x", "/records/1"])
def test_a_strangers_case_does_not_exist(applying: Office, browser: Open, path: str) -> None:
    case_id = applying.start("applying")
    applying.people.user("other", "applicant.drafter@elsewhere", name="外人")
    assert browser("other").get(f"/cases/{case_id}{path}").status_code == 404
    assert browser("wang").get(f"/cases/999999{path}").status_code == 404
    assert text(browser("other").get("/cases")).count("DB-") == 0


def test_the_diagram_comes_with_where_the_case_is(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    applying.do(case_id, "draft", applying.wang, baseName="海洋生物示范基地")
    wang = browser("wang")
    answer = wang.get(f"/cases/{case_id}/diagram").json
    assert '<process id="applying"' in answer["xml"]
    assert answer["marks"]["active"] == ["check"]
    assert set(answer["marks"]["done"]) == {"s", "draft"}
    assert set(answer["marks"]["flows"]) == {"s_draft", "draft_check"}
    assert wang.get(f"/cases/{case_id}/diagram?process=nonsense").status_code == 404


def test_what_was_handed_in_opens_inside_the_case(applying: Office, browser: Open) -> None:
    case_id = applying.start("applying")
    task_id = applying.open(case_id)["draft"]
    applying.complete(task_id, applying.wang, baseName="海洋生物示范基地")
    li = browser("li")
    assert "填报申报材料" in text(li.get(f"/cases/{case_id}"))
    part = li.get(f"/cases/{case_id}/records/{task_id}")
    assert given(part)["readOnly"] is True
    assert given(part)["values"]["baseName"] == "海洋生物示范基地"
    assert "<html" not in part.text
    assert li.get(f"/cases/{case_id}/records/{applying.open(case_id)['check']}").status_code == 404
    other = applying.start("applying")
    assert li.get(f"/cases/{other}/records/{task_id}").status_code == 404


WITHDRAWAL = form(
    "withdrawal",
    field("textarea", "reason", "撤回理由", validate={"required": True}),
    field("textfield", "by", "撤回人", properties={"prefill": '=me.name + "：" + caseNumber'}),
)
WITHDRAWABLE = diagram(
    '<startEvent id="s"/>'
    + task("check", "审核材料", None, "coop.intake")
    + '<boundaryEvent id="b" name="撤回申报" attachedToRef="check">'
    + ext(
        '<zeebe:properties><zeebe:property name="sender" value="applicant.drafter"/>'
        '<zeebe:property name="form" value="withdrawal"/></zeebe:properties>'
    )
    + '<messageEventDefinition messageRef="m"/></boundaryEvent><endEvent id="e"/><endEvent id="w" name="已撤回"/>',
    "s -> check -> e; b -> w",
    pid="withdrawable",
    globals='<message id="m" name="withdrawn">'
    + ext('<zeebe:subscription correlationKey="=caseNumber"/>')
    + "</message>",
)


def test_a_party_sends_a_message_that_the_diagram_offers(office: Office, browser: Open) -> None:
    office.deploy(WITHDRAWABLE, withdrawal__form=WITHDRAWAL)
    case_id = office.start("withdrawable")
    wang = browser("wang")
    assert "撤回申报" in text(wang.get(f"/cases/{case_id}"))
    opened = wang.get(f"/cases/{case_id}/messages/withdrawn")
    assert "撤回理由" in opened.text
    assert given(opened)["values"]["by"].startswith("王芳：withdrawable-")
    refused = wang.send(f"/cases/{case_id}/messages/withdrawn", {"reason": ""})
    assert refused.status_code == 422
    assert given(refused)["errors"] == {"reason": ["此项必填。"]}
    sent = wang.send(f"/cases/{case_id}/messages/withdrawn", {"reason": "另有安排"})
    assert (sent.status_code, path_of(sent)) == (303, f"/cases/{case_id}")
    assert "案件结束：已撤回" in text(wang.get(f"/cases/{case_id}"))
    assert wang.send(f"/cases/{case_id}/messages/withdrawn", {"reason": "再来"}).status_code == 409


def test_a_message_that_is_not_offered_is_not_found(office: Office, browser: Open) -> None:
    office.deploy(WITHDRAWABLE, withdrawal__form=WITHDRAWAL)
    case_id = office.start("withdrawable")
    li = browser("li")
    assert "撤回申报" not in text(li.get(f"/cases/{case_id}"))
    assert li.get(f"/cases/{case_id}/messages/withdrawn").status_code == 404
    assert li.send(f"/cases/{case_id}/messages/withdrawn", {"reason": "x"}).status_code == 404
    assert browser("wang").get(f"/cases/{case_id}/messages/nonsense").status_code == 404


def test_an_incident_is_named_on_the_case(office: Office, browser: Open) -> None:
    office.deploy(
        diagram('<startEvent id="s"/><exclusiveGateway id="g" name="分流"/><endEvent id="e"/><endEvent id="f"/>',
                "s -> g -[=missing.value = 1]-> e; g -[=missing.value = 2]-> f", pid="broken")
    )  # fmt: skip
    case_id = office.start("broken")
    page = text(browser("wang").get(f"/cases/{case_id}"))
    assert "此案件有 1 处异常" in page
    assert "异常待处理" in page
