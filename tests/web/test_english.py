"""Pages, programs and mail in English: what process owners wrote reads by the English of the case's own deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service import clock
from service.commands.people import identity, telling
from service.commands.procedures import workshop
from service.models import Draft, Instance, Job, Notification, Task, User, WorkingCopy
from service.queries import feeds
from tests.commands.conftest import Office, diagram
from tests.conftest import People
from tests.engine.diagrams import script
from tests.web.conftest import APPLICATION, APPLYING, OPINION, Browser, field, form, given, path_of, task, text

Open = Callable[..., Browser]

ENGLISH = {
    "填报申报材料": "Fill in the application",
    "审核材料": "Check the application",
    "按第八条填写。\n提交后由国际合作司审核。": "Fill it in by article 8.\nThe department checks it.",
    "已办结": "Done",
    "拟认定基地名称": "Name of the base",
    "审核意见": "Opinion",
}

BASE = script("name", '="海洋基地"', "baseName")


def book(**more: str) -> bytes:
    return json.dumps({**ENGLISH, **more}, ensure_ascii=False).encode()


@pytest.fixture
def english(office: Office) -> Office:
    """The two tasks of ``applying``, with English for most of what they say."""
    office.deploy(APPLYING, application__form=APPLICATION, opinion__form=OPINION, en__json=book())
    return office


def in_english(one: Browser) -> Browser:
    one.post("/locale", locale="en")
    return one


def test_a_task_reads_in_the_language_of_its_reader(english: Office, browser: Open) -> None:
    case = english.start("applying")
    task_id = english.open(case)["draft"]
    wang = in_english(browser("wang"))
    assert "Fill in the application" in text(wang.get("/inbox?box=group"))
    page = wang.get(f"/tasks/{task_id}")
    assert "Fill it in by article 8." in text(page)
    assert "The department checks it." in text(page)
    labels = [one.get("label") for one in given(page)["schema"]["components"]]
    assert labels[:2] == ["Name of the base", "发展目标"]  # no English: the Chinese is shown
    assert "Check the application" in text(page)  # what comes next
    wang.post("/locale", locale="zh")
    assert "填报申报材料" in text(wang.get(f"/tasks/{task_id}"))


def test_what_people_type_is_nobodys_text(english: Office, browser: Open) -> None:
    case = english.start("applying")
    wang = in_english(browser("wang"))
    draft = english.open(case)["draft"]
    wang.post(f"/tasks/{draft}/claim")
    sent = {"baseName": "审核材料", "goals": "审核意见", "since": None, "files": []}
    done = wang.send(f"/tasks/{draft}/complete", sent)
    assert done.status_code == 303
    shown = given(wang.get(f"/tasks/{draft}"))
    assert (shown["values"]["baseName"], shown["values"]["goals"]) == ("审核材料", "审核意见")
    assert "Fill in the application" in text(wang.get(f"/cases/{case}"))


def test_a_refused_form_says_the_same_in_both_languages(english: Office, browser: Open) -> None:
    draft = english.open(english.start("applying"))["draft"]
    wang = in_english(browser("wang"))
    wang.post(f"/tasks/{draft}/claim")
    assert set(given(wang.send(f"/tasks/{draft}/complete", {"baseName": "短"}))["errors"]) == {"baseName"}


def test_diagram_history_and_end_of_a_case_are_in_english(english: Office, browser: Open) -> None:
    case = english.start("applying")
    english.do(case, "draft", english.wang, baseName="海洋生物基地")
    li = in_english(browser("li"))
    drawn = li.get(f"/cases/{case}/diagram").get_json()["xml"]
    assert 'name="Check the application"' in drawn
    assert 'id="check"' in drawn
    english.do(case, "check", opinion="同意")
    page = text(li.get(f"/cases/{case}"))
    assert "Check the application" in page
    assert "Done" in page
    assert "审核材料" not in page


def test_a_case_keeps_the_english_of_its_own_deployment(english: Office, browser: Open) -> None:
    old = english.start("applying")
    english.deploy(
        APPLYING,
        application__form=APPLICATION,
        opinion__form=OPINION,
        en__json=book(填报申报材料="Write the application"),
    )
    new = english.start("applying")
    wang = in_english(browser("wang"))
    assert "Fill in the application" in text(wang.get(f"/tasks/{english.open(old)['draft']}"))
    assert "Write the application" in text(wang.get(f"/tasks/{english.open(new)['draft']}"))


def test_without_any_english_everybody_reads_the_chinese(applying: Office, browser: Open) -> None:
    draft = applying.open(applying.start("applying"))["draft"]
    page = text(in_english(browser("wang")).get(f"/tasks/{draft}"))
    assert "填报申报材料" in page


def test_titles_are_read_string_by_string(office: Office, browser: Open) -> None:
    asked = diagram(
        '<startEvent id="s"/>' + BASE + task("a", "甲", None, "applicant.drafter") + '<endEvent id="e"/>',
        "s -> name -> a -> e",
        pid="titled",
        title='="基地变更：" + baseName',
    )
    office.deploy(asked, en__json='{"基地变更：": "Change of a base: ", "甲": "A"}'.encode())
    case = office.start("titled")
    wang = in_english(browser("wang"))
    assert "Change of a base: 海洋基地" in text(wang.get(f"/cases/{case}"))
    assert "Change of a base: 海洋基地" in text(wang.get("/inbox?box=group"))


def test_the_words_of_decision_tables_are_translated_where_a_form_shows_them(office: Office, browser: Open) -> None:
    table = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
      <decision id="items" name="items"><literalExpression id="l"><text>[{label: "实施方案", full: 10}]</text>
      </literalExpression></decision></definitions>"""
    drawn = diagram(
        '<startEvent id="s"/><businessRuleTask id="r"><extensionElements>'
        '<zeebe:calledDecision decisionId="items" resultVariable="items"/></extensionElements></businessRuleTask>'
        + task("a", "甲", "score", "applicant.drafter")
        + '<endEvent id="e"/>',
        "s -> r -> a -> e",
        pid="scored",
    )
    shown: dict[str, Any] = {
        "type": "dynamiclist",
        "id": "L",
        "path": "items",
        "isRepeating": True,
        "allowAddRemove": False,
        "components": [
            {"type": "text", "id": "T", "text": "{{this.label}}"},
            {"type": "expression", "id": "E", "key": "label", "expression": "=this.label", "computeOn": "change"},
            field("textfield", "word", "评语"),
        ],
    }
    english = {"实施方案": "Plan", "评语": "Remark", "甲": "A"}
    office.deploy(
        drawn,
        items__dmn=table.encode(),
        score__form=form("score", shown),
        en__json=json.dumps(english, ensure_ascii=False).encode(),
    )
    case = office.start("scored")
    task_id = office.open(case)["a"]
    wang = in_english(browser("wang"))
    page = given(wang.get(f"/tasks/{task_id}"))
    assert page["values"]["items"] == [{"label": "Plan", "full": 10}]
    wang.post(f"/tasks/{task_id}/claim")
    body = {
        "values": {"items": [{"label": "Plan", "word": "实施方案"}]},
        "opened": {"items": [{"label": "Plan", "full": 10}]},
    }
    assert wang.json(f"/tasks/{task_id}/draft", body).status_code == 200
    with office.database.transaction() as session:
        kept = session.get_one(Draft, (task_id, office.wang.id))
        assert kept.values == {"items": [{"label": "实施方案", "word": "实施方案"}]}
        assert kept.base == {"items": [{"label": "实施方案", "full": 10}]}
    shown = given(wang.get(f"/tasks/{task_id}"))["draft"]
    assert shown["values"] == {"items": [{"label": "Plan", "word": "实施方案"}]}
    assert shown["conflicts"] == []
    assert (
        wang.send(f"/tasks/{task_id}/complete", {"items": [{"label": "Plan", "word": "实施方案"}]}).status_code == 303
    )
    assert office.rows(Task, id=task_id)[0].submitted == {"items": [{"label": "实施方案", "word": "实施方案"}]}


def test_notices_mail_and_calendar_are_in_the_language_of_the_person(office: Office) -> None:
    notice = (
        '<serviceTask id="n" name="告知"><extensionElements><zeebe:taskDefinition type="notify"/><zeebe:taskHeaders>'
        '<zeebe:header key="to" value="coop.intake"/></zeebe:taskHeaders><zeebe:ioMapping>'
        '<zeebe:input source="变更未核准" target="noteTitle"/>'
        '<zeebe:input source="=baseName + &quot; 的变更未核准。&quot;" target="noteText"/>'
        "</zeebe:ioMapping></extensionElements></serviceTask>"
    )
    due = '<zeebe:taskSchedule dueDate="=now() + duration(&quot;P9D&quot;)"/>'
    drawn = diagram(
        '<startEvent id="s"/>' + BASE + notice + task("a", "审核", None, "coop.intake", due) + '<endEvent id="e"/>',
        "s -> name -> n -> a -> e",
        pid="told",
        title='="变更"',
    )
    english = {
        "变更未核准": "Change refused",
        " 的变更未核准。": ": the change was refused.",
        "审核": "Check",
        "变更": "Change",
    }
    office.deploy(drawn, en__json=json.dumps(english, ensure_ascii=False).encode())
    with office.database.transaction() as session:
        for one in (office.li, office.zhao):
            office.fresh(session, one).email = f"{one.username}@example.org"
        identity.set_locale(session, "en", user=office.fresh(session, office.li))
    office.start("told")
    office.work()
    mails = {one.payload["to"]: one.payload for one in office.rows(Job, kind="mail")}
    assert "Change refused" in mails["li@example.org"]["subject"]
    assert "海洋基地: the change was refused." in mails["li@example.org"]["text"]
    assert "\nCase: " in mails["li@example.org"]["text"]
    assert "海洋基地 的变更未核准。" in mails["zhao@example.org"]["text"]
    with office.database.transaction() as session:
        li = office.fresh(session, office.li)
        assert b"Check" in feed_of(session, li)
        assert "审核".encode() in feed_of(session, office.fresh(session, office.zhao))
        found = session.query(Task).filter_by(element_id="a").one()
        telling.remind(session, li.authority_id, now=clock.now() + timedelta(days=30))
        told = {one.text_en for one in session.query(Notification).filter_by(task_id=found.id)}
        assert all("“Check”" in one for one in told)
        assert session.query(Instance).one().title == "变更"


def feed_of(session: Any, user: Any) -> bytes:
    return feeds.calendar(session, user, base_url="http://guohe.test")


# The page of a draft


@pytest.fixture
def draft(applying: Office, people: People, browser: Open) -> tuple[Browser, int]:
    """A process owner in front of a working copy of the two tasks."""
    people.user("owner", "platform.owner", name="陈负责")
    owner = browser("owner")
    with applying.database.transaction() as session:
        user = session.query(User).filter_by(username="owner").one()
        copy = workshop.create(session, "草稿", user=user, files={
            "processes/applying/applying.bpmn": APPLYING,
            "forms/applying/opinion.form": OPINION,
            "forms/applying/application.form": APPLICATION,
        })  # fmt: skip
        return owner, copy.id


def test_the_draft_lists_its_texts_with_where_they_stand(draft: tuple[Browser, int]) -> None:
    owner, copy = draft
    page = owner.get(f"/modeler/{copy}/english?folder=forms/applying")
    assert "审核意见" in text(page)
    assert "审核材料 F_opinion" in text(page)
    assert "forms/applying – 5 条，缺 5 条" in text(page)


def test_english_is_kept_in_the_draft_as_any_other_change(draft: tuple[Browser, int], applying: Office) -> None:
    owner, copy = draft
    path = f"/modeler/{copy}/english"
    sent = {"folder": "forms/applying", "chinese": ["审核意见", "发展目标"], "before": ["", ""]}
    done = owner.post(path, **sent, english=["Opinion", ""])
    assert (done.status_code, path_of(done)) == (303, f"{path}?folder=forms/applying")
    with applying.database.transaction() as session:
        held = workshop.files(session, session.get_one(WorkingCopy, copy))
        assert json.loads(held["forms/applying/en.json"]) == {
            "拟认定基地名称": "", "发展目标": "", "成立日期": "", "证明材料": "", "审核意见": "Opinion"
        }  # fmt: skip
    page = owner.get(path)
    assert "缺 4 条" in text(page)
    assert "英文：forms/applying" in text(owner.get(f"/modeler/{copy}"))
    opened = owner.get(f"/modeler/{copy}/files/forms/applying/en.json")
    assert (opened.status_code, path_of(opened)) == (303, f"{path}?folder=forms/applying")


def test_whoever_saves_over_the_english_of_another_loses_nothing(draft: tuple[Browser, int]) -> None:
    owner, copy = draft
    path = f"/modeler/{copy}/english"
    sent = {"folder": "forms/applying", "chinese": "审核意见", "before": ""}
    owner.post(path, **sent, english="Opinion")
    refused = owner.post(path, **sent, english="View")
    assert refused.status_code == 409
    assert ">View</textarea>" in refused.text
    assert "“审核意见”的英文已由他人改为“Opinion”" in text(refused)


def test_english_that_cannot_be_used_is_kept_and_said_beside_it(draft: tuple[Browser, int]) -> None:
    owner, copy = draft
    path = f"/modeler/{copy}/english"
    owner.post(path, folder="forms/applying", chinese="审核意见", before="", english="=1")
    assert "英文以“=”开头" in text(owner.get(f"{path}?folder=forms/applying"))
