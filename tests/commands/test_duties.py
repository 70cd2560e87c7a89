"""Separation of duties: whoever did one step of a case may not do another, whatever else grants it."""

from __future__ import annotations

import pytest

from service import engine, errors, permissions
from service.commands import liveness, repairs, tasks
from service.models import Event, Exclusion, Task
from service.queries import inbox
from service.queries import liveness as rows
from service.upkeep import Upkeep
from tests.commands.conftest import END, START, diagram
from tests.engine.diagrams import ext


def step(node_id: str, name: str, *, to: str = "coop.intake", **named: str) -> str:
    """A user task with properties, for a role or (``@name``) a person."""
    rows = "".join(f'<zeebe:property name="{key}" value="{value}"/>' for key, value in named.items())
    who = f'assignee="{to[1:]}"' if to.startswith("@") else f'candidateGroups="{to}"'
    inner = f"<zeebe:assignmentDefinition {who}/><zeebe:properties>{rows}</zeebe:properties>"
    return f'<userTask id="{node_id}" name="{name}">{ext(inner)}</userTask>'


LINE = f"{START}{step('review', '推荐审核')}{step('sign', '推荐签署', excludes='review')}{END}"
FORK = (
    f"{START}<parallelGateway id='f'/>{step('left', '甲方核对')}{step('right', '乙方核对', excludes='left')}"
    f"<parallelGateway id='j'/>{END}"
)


@pytest.fixture
def line(office):
    """A case in which Li has just reviewed what somebody else must sign."""
    office.deploy(diagram(LINE, "s->review; review->sign; sign->e"))
    case = office.start()
    office.do(case, "review", office.li)
    return case


def refused(office, act):
    with office.database.transaction() as session, pytest.raises(errors.ServiceError) as raised:
        act(session)
    return raised.value


def offered(office, user):
    with office.database.transaction() as session:
        person = office.fresh(session, user)
        counted = inbox.counts(session, person)["group"]
        found = [one.element_id for one in inbox.tasks(session, person, box="group").items]
        assert counted == len(found)
        by_creation = inbox.tasks(session, person, box="group", sort="created").items
        assert sorted(found) == sorted(one.element_id for one in by_creation)
        return found


def test_who_reviewed_is_neither_offered_the_signature_nor_may_give_it(office, line):
    sign = office.open(line)["sign"]
    assert offered(office, office.li) == []
    assert offered(office, office.zhao) == ["sign"]
    for act in (tasks.claim, lambda session, task, user: tasks.complete(session, task, {}, user=user)):
        error = refused(office, lambda session, act=act: act(session, sign, user=office.fresh(session, office.li)))
        assert error.code == "excluded"
        assert error.zh == "您已办理过本案的“推荐审核”，依规不得再办理“推荐签署”。"
        assert "推荐审核" in error.en
    office.complete(sign, office.zhao)
    assert office.instance(line).status == "completed"


def test_a_task_is_not_handed_to_who_must_keep_away(office, line):
    sign = office.open(line)["sign"]

    def assign(session):
        tasks.assign(session, sign, user=office.fresh(session, office.zhao), assignee=office.fresh(session, office.li))

    error = refused(office, assign)
    assert (error.code, error.field) == ("excluded", "assignee")
    assert error.zh.startswith("李明已办理过本案的“推荐审核”")


def test_an_administrator_does_not_reassign_it_to_them_either(office, line):
    sign = office.task(office.open(line)["sign"])

    def reassign(session):
        wish = {"token": sign.token, "assignee": "li"}
        repairs.perform(session, line, "reassign", wish, user=office.fresh(session, office.admin), reason="试")

    assert "推荐审核" in refused(office, reassign).zh


def test_the_pair_is_apart_whichever_step_comes_first(office):
    office.deploy(
        diagram(
            f"{START}{step('sign', '签署', excludes='review')}{step('review', '审核')}{END}",
            "s->sign; sign->review; review->e",
        )
    )
    case = office.start()
    office.do(case, "sign", office.li)
    assert offered(office, office.li) == []
    review = office.open(case)["review"]
    assert refused(office, lambda s: tasks.claim(s, review, user=office.fresh(s, office.li))).code == "excluded"


def test_of_two_parallel_branches_one_person_takes_one(office):
    office.deploy(diagram(FORK, "s->f; f->left; f->right; left->j; right->j; j->e"))
    case = office.start()
    left, right = office.open(case)["left"], office.open(case)["right"]
    with office.database.transaction() as session:
        tasks.claim(session, left, user=office.fresh(session, office.li))
    assert offered(office, office.li) == []
    error = refused(office, lambda s: tasks.claim(s, right, user=office.fresh(s, office.li)))
    assert error.zh == "您正在办理“甲方核对”，依规不得同时办理“乙方核对”；放回前一步后方可。"
    with office.database.transaction() as session:
        tasks.release(session, left, user=office.fresh(session, office.li))
    assert set(offered(office, office.li)) == {"left", "right"}
    office.complete(right, office.li)
    assert offered(office, office.li) == []
    office.complete(left, office.zhao)
    assert office.instance(case).status == "completed"


def test_a_step_in_a_called_process_counts_as_well(office):
    inner = diagram(f"{START}{step('check', '形式审查')}{END}", "s->check; check->e", pid="inner")
    outer = diagram(
        f'{START}<callActivity id="c">{ext("""<zeebe:calledElement processId="inner"/>""")}</callActivity>'
        f"{step('decide', '决定', excludes='inner/check')}{END}",
        "s->c; c->decide; decide->e",
    )
    office.deploy(inner, outer)
    case = office.start()
    office.do(case, "check", office.li)
    assert offered(office, office.li) == []
    assert offered(office, office.zhao) == ["decide"]


def test_people_of_a_party_must_keep_away_whatever_role_they_hold(office):
    wei = office.people.user("wei", "coop.intake", "applicant.liaison@uni", name="魏宁")
    office.deploy(diagram(f"{START}{step('assess', '评估', excludesParties='applicant')}{END}", "s->assess; assess->e"))
    case = office.start()
    assert offered(office, wei) == []
    assert offered(office, office.li) == ["assess"]
    assess = office.open(case)["assess"]
    error = refused(office, lambda s: tasks.claim(s, assess, user=office.fresh(s, wei)))
    assert error.zh == "您所在机构是本案的申报机构，依规须回避“评估”。"


def test_a_task_that_the_diagram_gives_to_the_wrong_person_is_taken_back_and_reported(office):
    office.deploy(
        diagram(
            f"{START}{step('review', '审核')}{step('sign', '签署', to='@li', excludes='review')}{END}",
            "s->review; review->sign; sign->e",
        )
    )
    case = office.start()
    office.do(case, "review", office.li)
    sign = office.open(case)["sign"]
    assert office.task(sign).assignee_id is None
    assert [one.data["because"] for one in office.rows(Event, instance_id=case, kind="released")] == ["excluded"]
    Upkeep(office.database, office.settings, "test").check()
    (incident,) = office.incidents(case)
    assert incident.cause == "all_excluded"
    assert "须回避" in incident.message_zh


def test_the_liveness_rule_says_when_all_who_may_do_a_task_are_excluded(office):
    office.deploy(
        diagram(
            f"{START}{step('review', '审核')}{step('check', '复核', excludes='review')}"
            f"{step('sign', '签署', excludes='review, check')}{END}",
            "s->review; review->check; check->sign; sign->e",
        )
    )
    case = office.start()
    office.do(case, "review", office.li)
    office.do(case, "check", office.zhao)
    with office.database.transaction() as session:
        (finding,) = rows.findings(session, instance_id=case)
        assert finding.cause == "all_excluded"
        assert "须回避" in liveness.sentence(finding)[0]
    Upkeep(office.database, office.settings, "test").check()
    assert [one.cause for one in office.incidents(case)] == ["all_excluded"]
    assert office.instance(case).status == "incident"
    qian = office.people.user("qian", "coop.intake", name="钱进")
    Upkeep(office.database, office.settings, "test").check()
    assert office.incidents(case) == []
    office.do(case, "sign", qian)
    assert office.instance(case).status == "completed"


def test_each_round_of_a_multi_instance_task_can_ask_for_another_person(office):
    loop = '<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=[1,2]"/></extensionElements></multiInstanceLoopCharacteristics>'
    task = step("count", "清点", excludes="count").replace("</userTask>", f"{loop}</userTask>")
    office.deploy(diagram(f"{START}{task}{END}", "s->count; count->e"))
    case = office.start()
    first, second = [one.id for one in office.rows(Task, instance_id=case, status="open")]
    office.complete(first, office.li)
    assert offered(office, office.li) == []
    assert refused(office, lambda s: tasks.complete(s, second, {}, user=office.fresh(s, office.li))).code == "excluded"
    office.complete(second, office.zhao)
    assert office.rows(Exclusion, task_id=second)


def test_a_case_that_is_migrated_follows_the_new_diagram(office, line):
    del line
    office.deploy(diagram(LINE.replace("excludes", "unused"), "s->review; review->sign; sign->e"))
    case = office.start()
    office.do(case, "review", office.li)
    assert offered(office, office.li) == ["sign"]
    target = office.deploy(diagram(LINE, "s->review; review->sign; sign->e"))
    with office.database.transaction() as session:
        admin = office.fresh(session, office.admin)
        repairs.perform(session, case, "migrate", {"deployment": target}, user=admin, reason="新版要求职责分离")
    assert offered(office, office.li) == []


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"excludes": "nothing"}, "excludes-unknown"),
        ({"excludes": "elsewhere/review"}, "excludes-unknown"),
        ({"excludes": "sign"}, "excludes-itself"),
        ({"excludesParties": "experts"}, "excludes-party"),
        ({"personal": "yes"}, "personal-bad"),
    ],
)
def test_a_diagram_that_separates_what_is_not_there_is_refused(office, wrong, rule):
    drawn = diagram(
        f"{START}{step('review', '审核')}{step('sign', '签署', **wrong)}{END}", "s->review; review->sign; sign->e"
    )
    with pytest.raises(engine.BundleRejected) as raised:
        office.deploy(drawn)
    (finding,) = [one for one in raised.value.findings if one.severity == "error"]
    assert (finding.rule, finding.element_id) == (rule, "sign")
    assert "签署" in finding.zh


def test_the_rule_for_one_task_and_the_rule_for_lists_agree(office, line):
    sign = office.open(line)["sign"]
    with office.database.transaction() as session:
        task = session.get_one(Task, sign)
        for user in (office.fresh(session, office.li), office.fresh(session, office.zhao)):
            listed = session.query(Task.id).filter(Task.id == task.id, permissions.kept_away([user], Task.id)).all()
            assert bool(listed) == permissions.is_excluded(user, task)
            assert permissions.may_claim(user, task, task.candidates) == (user.username == "zhao")
