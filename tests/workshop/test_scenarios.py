"""Scenarios on pages: played in the background, failures at their step, changed without YAML, counted, and a gate."""

from __future__ import annotations

import json
import re
import time

import pytest
from sqlalchemy import select

from service import clock
from service.commands.procedures import deployments, publishing, scenarioruns, workshop
from service.commands.procedures.workshop import Change
from service.models import ScenarioRun, User, WorkingCopy
from service.sandbox import Limits, Runs
from tests.conftest import People
from tests.sandbox import drafts
from tests.web.conftest import Browser, given, path_of, text
from tests.web.conftest import app as app
from tests.web.conftest import browser as browser
from tests.web.conftest import settings as settings

FOLDER = "processes/leave/scenarios"
GRANTED, REFUSED = f"{FOLDER}/granted.yaml", f"{FOLDER}/refused.yaml"
WRONG = """name: 不准
start: {by: applicant.drafter}
steps:
  - do: ask
    data: {days: 9}
  - expect: {tasks: [gone], due: {check: 2026-03-20}}
  - do: check
    data: {verdict: 'no'}
expect: {ended: 'yes'}
"""


@pytest.fixture
def copy_id(database, people: People) -> int:
    """A working copy with two scenarios, one of them wrong."""
    people.user("owner", "platform.owner", "platform.admin", name="陈负责")
    with database.transaction() as session:
        files = {**drafts.files(), GRANTED: drafts.GRANTED.encode(), REFUSED: WRONG.encode()}
        return workshop.create(session, "请假", user=person(session), files=files).id


def person(session):
    return session.scalar(select(User).where(User.username == "owner"))


def hand_in(one: Browser, address: str, fields: dict[str, str]):
    """Send a form that has a field called “path”."""
    return one.client.post(address, data={"csrf_token": one.token, **fields})


def content(database, copy_id: int, path: str) -> str:
    with database.transaction() as session:
        return workshop.files(session, session.get_one(WorkingCopy, copy_id))[path].decode()


def played(one: Browser, copy_id: int) -> str:
    """The page of the scenarios, once they have been played."""
    for _ in range(900):
        answer = one.get(f"/modeler/{copy_id}/scenarios-progress")
        if "HX-Redirect" in answer.headers:
            return one.get(answer.headers["HX-Redirect"]).text
        time.sleep(0.1)
    raise AssertionError("they were not played in 90 seconds")


# Playing is the same on both databases, and takes its time.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_scenarios_are_played_put_right_and_counted(browser, copy_id, database):
    owner = browser("owner")
    here = f"/modeler/{copy_id}/scenarios"
    assert "未运行" in text(owner.get(here))
    assert owner.post(here).status_code == 303
    # While they are being played nobody has them played again.
    assert owner.post(here).status_code == 409
    page = played(owner, copy_id)
    assert "1 个未通过" in page
    page = owner.get(f"{here}/{REFUSED}")
    assert re.search(r'id="step-1" class="is-failed"', page.text)
    assert "第 2 步 应有待办“gone”，实际没有，多出待办“审核”。" in text(page)
    assert "应在 2026-03-20 到期，实际在 2026-03-09 到期" in text(page)
    drawn = owner.get(f"/modeler/{copy_id}/scenario-diagram?path={REFUSED}&process=leave").json
    assert (drawn["marks"]["active"], drawn["marks"]["incidents"]) == ([], ["check"])
    assert "应在 2026-03-20 到期" in drawn["notes"]["check"]

    # What happened becomes what is expected, step by step, with as much detail as was expected before.
    hand_in(owner, f"/modeler/{copy_id}/scenario-example", {"path": REFUSED, "number": "1"})
    hand_in(owner, f"/modeler/{copy_id}/scenario-example", {"path": REFUSED})
    assert content(database, copy_id, REFUSED) == WRONG.replace(
        "{tasks: [gone], due: {check: 2026-03-20}}",
        "\n      tasks: [check]\n      due: {check: '2026-03-09'}",
    ).replace("- expect: \n", "- expect:\n").replace("{ended: 'yes'}", "{ended: 'no'}")

    # The form of a step, as it looks when the scenario gets there.
    form = owner.get(f"/modeler/{copy_id}/scenario-form?path={GRANTED}&number=0")
    assert given(form)["values"]["days"] == 2
    assert given(form)["values"]["proof"][0]["name"] == "证明.pdf"
    shown, base = (re.search(rf'name="{name}" value="([^"]*)"', form.text)[1] for name in ("shown", "base"))
    values = {"days": 3, "reason": "探亲", "proof": given(form)["values"]["proof"]}
    done = hand_in(
        owner,
        f"/modeler/{copy_id}/scenario-form",
        {"values": json.dumps(values), "path": GRANTED, "number": "0", "shown": shown or "{}", "base": base},
    )
    assert path_of(done) == f"{here}/{GRANTED}"
    after = content(database, copy_id, GRANTED)
    assert after.startswith("# 一条说明\nname: 三天以内，准假\n")
    assert "  # 等一天\n  - wait: P1D\n" in after
    assert "reason: 探亲" in after

    owner.post(here)
    assert "全部通过" in played(owner, copy_id)
    page = text(owner.get(f"/modeler/{copy_id}/coverage?process=leave"))
    assert "late → 逾期" in page
    marks = owner.get(f"/modeler/{copy_id}/coverage-diagram?process=leave").json["marks"]
    assert marks["missing"] == ["late_expired"]
    assert "g_no" in marks["flows"]

    # Passed on exactly this draft: the gate lets it through, and the next copy has the scenarios.
    with database.transaction() as session:
        publishing.set_policy(session, user=person(session), gate="error", second_approver=False, scenarios=True)
    assert "2 个场景在这一版草稿上全部通过" in text(owner.get(f"/modeler/{copy_id}/publish"))
    published = owner.post(f"/modeler/{copy_id}/publish", note="请假流程上线", scope="new")
    assert published.status_code == 303
    with database.transaction() as session:
        latest = deployments.latest(session, "leave", authority_id=person(session).authority_id)
        again = workshop.create(session, "再改", user=person(session), deployment_id=latest.deployment_id)
        assert {GRANTED, REFUSED} <= workshop.files(session, again).keys()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_scenario_that_ends_its_sandbox_fails_and_the_others_are_played(app, database, copy_id):
    """The one that takes for ever is named; those before and after it have their outcome."""
    endless = "process: leave\nstart: {none: true}\nsteps:\n" + "  - {wait: P3650D}\n" * 6000
    path = f"{FOLDER}/he_waits.yaml"
    with database.transaction() as session:
        workshop.save(session, copy_id, {path: Change(endless.encode(), None)}, user=person(session))
        run_id = scenarioruns.ask(session, copy_id, user=person(session)).id
    Runs(database, Limits(processor=5.0, clock=20.0)).play(run_id)
    with database.transaction() as session:
        run = session.get_one(ScenarioRun, run_id)
        assert run.status == "done"
        assert [run.results[one]["ok"] for one in (GRANTED, path, REFUSED)] == [True, False, False]
        assert "已中止" in run.results[path]["problems"][0]
        assert run.coverage["leave"]["missing_flows"] == ["g_no", "late_expired"]


def test_a_draft_whose_scenarios_fail_or_are_unknown_is_not_published(database, copy_id, browser):
    with database.transaction() as session:
        user = person(session)
        publishing.set_policy(session, user=user, gate="error", second_approver=False, scenarios=True)
        with pytest.raises(publishing.ScenariosOpen) as unknown:
            publishing.propose(session, copy_id, user=user, note="上线")
        assert "2 个还没有在这一版草稿上运行" in unknown.value.zh
        run = scenarioruns.ask(session, copy_id, user=user)
        scenarioruns.begin(session, run.id)
        scenarioruns.record(session, run.id, {GRANTED: {"ok": True}, REFUSED: {"ok": False}})
        scenarioruns.finish(session, run.id, {})
        with pytest.raises(publishing.ScenariosOpen) as failing:
            publishing.propose(session, copy_id, user=user, note="上线")
        assert "1 个未通过，0 个" in failing.value.zh
    page = browser("owner").post(f"/modeler/{copy_id}/publish", note="上线", scope="new")
    assert page.status_code == 409
    assert "场景全部通过" in text(page)
    with database.transaction() as session:
        user = person(session)
        scenarioruns.record(session, run.id, {})
        one_more = scenarioruns.ask(session, copy_id, user=user, paths=[REFUSED])
        assert not one_more.whole
        scenarioruns.begin(session, one_more.id)
        scenarioruns.record(session, one_more.id, {REFUSED: {"ok": True}})
        scenarioruns.finish(session, one_more.id, {})
        assert publishing.propose(session, copy_id, user=user, note="上线").status == "published"
    with database.transaction() as session:
        # One more word in the draft, and nothing is known of it any more.
        present = workshop.current(session, session.get_one(WorkingCopy, copy_id))
        change = Change(drafts.procedure("处长审核"), present[drafts.DRAFT].sha256)
        workshop.save(session, copy_id, {drafts.DRAFT: change}, user=person(session))
        with pytest.raises(publishing.ScenariosOpen):
            publishing.propose(session, copy_id, user=person(session), note="再改")


def test_steps_are_added_moved_renamed_and_removed_without_yaml(database, copy_id, browser):
    owner = browser("owner")
    edit = f"/modeler/{copy_id}/scenario-edit"
    made = owner.post(f"/modeler/{copy_id}/scenario-new", name="逾期", process="leave", file="expired")
    path = f"{FOLDER}/expired.yaml"
    assert path_of(made) == f"/modeler/{copy_id}/scenarios/{path}"
    for number, fields in enumerate(
        (
            {"verb": "do", "target": "ask", "by": "applicant.drafter", "data": "days: 2"},
            {"verb": "wait", "target": "P30D"},
            {"verb": "expect", "tasks": ""},
        )
    ):
        assert hand_in(owner, edit, {"path": path, "act": "add", "number": str(number), **fields}).status_code == 303
    hand_in(owner, edit, {"path": path, "act": "up", "number": "2"})
    hand_in(owner, edit, {"path": path, "act": "remove", "number": "1"})
    hand_in(owner, edit, {"path": path, "act": "step", "number": "1", "verb": "wait", "target": "next"})
    hand_in(owner, edit, {"path": path, "act": "expect", "expect": "ended: expired"})
    hand_in(owner, edit, {"path": path, "act": "rename", "name": "二十天不办即逾期"})
    assert content(database, copy_id, path) == (
        "name: 二十天不办即逾期\nprocess: leave\nsteps:\n  - do: ask\n    by: applicant.drafter\n"
        "    data: {days: 2}\n  - wait: next\nexpect: {ended: expired}\n"
    )
    page = text(owner.get(f"/modeler/{copy_id}/scenarios/{path}"))
    assert "办理“填写请假单”" in page
    assert "起草人" in page
    refused = hand_in(owner, edit, {"path": path, "act": "step_text", "number": "0", "step": "- {do: a}\n- {do: b}"})
    assert refused.status_code == 400
    broken = hand_in(owner, edit, {"path": path, "act": "text", "text": "name: ["})
    assert broken.status_code == 303
    page = owner.get(f"/modeler/{copy_id}/scenarios/{path}")
    assert "不是有效的 YAML" in text(page)
    # Somebody else has changed it meanwhile: nothing is written over.
    stale = hand_in(owner, edit, {"path": path, "act": "text", "text": "name: 我的\n", "base": "0" * 64})
    assert stale.status_code == 409
    assert content(database, copy_id, path) == "name: [\n"


def test_what_is_expected_is_picked_by_name_and_what_fields_cannot_show_stays(database, copy_id, browser):
    owner = browser("owner")
    edit = f"/modeler/{copy_id}/scenario-edit"
    owner.post(f"/modeler/{copy_id}/scenario-new", name="核对", process="leave", file="expects")
    path = f"{FOLDER}/expects.yaml"
    whole = "name: 核对\nprocess: leave\nsteps:\n  - expect: {tasks: [check, check], mails: [{to: a}]}\nexpect: {number: '1'}\n"
    hand_in(owner, edit, {"path": path, "act": "text", "text": whole})
    for fields in (
        {"verb": "do", "target": "ask", "by": "", "fill": "1"},
        {"verb": "wait", "amount": "10", "unit": "D"},
        {"verb": "wait", "amount": "", "unit": "next"},
        {"verb": "until", "target": "2026-04-01T10:00"},
        {"verb": "expect", "tasks": "check", "due_task": "check", "due_on": "2026-04-02", "ended": "false"},
    ):
        made = hand_in(owner, edit, {"path": path, "act": "add", "number": "0", **fields})
        assert made.status_code == 303
        assert ("scenario-form" in path_of(made)) == ("fill" in fields)
    hand_in(
        owner,
        edit,
        {"path": path, "act": "expect_fields", "ended": "approved", "variable": "days", "value": "3", "no_tasks": "1"},
    )
    hand_in(owner, edit, {"path": path, "act": "expect_step", "number": "5", "tasks": "check"})
    assert content(database, copy_id, path) == (
        "name: 核对\nprocess: leave\nsteps:\n"
        "  - expect:\n      tasks: [check]\n      ended: false\n      due: {check: '2026-04-02'}\n"
        "  - until: 2026-04-01 10:00\n  - wait: next\n  - wait: P10D\n  - do: ask\n"
        "  - expect:\n      tasks: [check, check]\n      mails:\n      - {to: a}\n"
        "expect:\n  number: '1'\n  tasks: []\n  ended: approved\n  variables: {days: 3}\n"
    )
    nan = hand_in(owner, edit, {"path": path, "act": "expect_fields", "variable": "days", "value": "三天"})
    assert nan.status_code == 400
    assert "“天数”应为数字" in text(nan)
    assert (
        hand_in(owner, edit, {"path": path, "act": "add", "verb": "wait", "unit": "D", "amount": "-1"}).status_code
        == 400
    )
    page = text(owner.get(f"/modeler/{copy_id}/scenarios/{path}"))
    assert "由流程规定的人办理" in page


def test_a_run_whose_server_died_can_be_asked_for_again(database, copy_id, browser):
    with database.transaction() as session:
        run = scenarioruns.ask(session, copy_id, user=person(session))
        scenarioruns.begin(session, run.id)
        run.beat_at = clock.now() - scenarioruns.DEAD_AFTER
    assert "上次运行中断了" in text(browser("owner").get(f"/modeler/{copy_id}/scenarios"))
    with database.transaction() as session:
        assert scenarioruns.ask(session, copy_id, user=person(session)).status == "queued"
        for _ in range(scenarioruns.KEPT + 2):
            for row in session.scalars(select(ScenarioRun)):
                row.status = "done"
            session.flush()
            scenarioruns.ask(session, copy_id, user=person(session))
        assert len(session.scalars(select(ScenarioRun)).all()) == scenarioruns.KEPT


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_start_is_filled_in_by_its_form_and_the_text_around_it_stays(database, copy_id, browser):
    owner = browser("owner")
    began = drafts.procedure().replace(
        b'<startEvent id="s" name="\xe5\x8f\x91\xe8\xb5\xb7"/>',
        '<startEvent id="s" name="发起"><extensionElements><zeebe:formDefinition formId="ask"/></extensionElements>'
        "</startEvent>".encode(),
    )
    written = "# 从发起开始\nname: 发起时填写\nstart: {by: applicant.drafter, data: {days: 2}}\nsteps:\n  - do: check # 审核\n"
    path = f"{FOLDER}/begun.yaml"
    with database.transaction() as session:
        copy = session.get_one(WorkingCopy, copy_id)
        base = workshop.current(session, copy)[drafts.DRAFT].sha256
        changes = {drafts.DRAFT: Change(began, base), path: Change(written.encode(), None)}
        workshop.save(session, copy_id, changes, user=person(session), kind="save")
    page = text(owner.get(f"/modeler/{copy_id}/scenarios/{path}"))
    assert "天数 2" in page
    assert "用真实表单填写" in page

    form = owner.get(f"/modeler/{copy_id}/scenario-form?path={path}&number=start")
    assert given(form)["values"]["days"] == 2
    shown, base = (re.search(rf'name="{name}" value="([^"]*)"', form.text)[1] for name in ("shown", "base"))
    done = hand_in(
        owner,
        f"/modeler/{copy_id}/scenario-form",
        {
            "values": json.dumps({"days": 4, "reason": "探亲"}),
            "path": path,
            "number": "start",
            "shown": shown,
            "base": base,
        },
    )
    assert done.status_code == 303
    after = content(database, copy_id, path)
    assert after.startswith("# 从发起开始\nname: 发起时填写\nstart:\n")
    assert "days: 4" in after
    assert "reason: 探亲" in after
    assert after.endswith("steps:\n  - do: check # 审核\n")

    hand_in(owner, f"/modeler/{copy_id}/scenario-edit", {"path": path, "act": "start", "by": "", "base": ""})
    after = content(database, copy_id, path)
    assert "by: applicant.drafter" not in after
    assert "days: 4" in after
    assert owner.get(f"/modeler/{copy_id}/scenario-form?path={path}&number=dance").status_code == 400
