"""Separation of duties: whoever did one step of a case may not do another, whatever else grants it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service import clock, engine, errors, permissions
from service.commands.administration import liveness, repairs
from service.commands.inbox import tasks
from service.commands.people import deputies
from service.models import Event, Exclusion, Organisation, Task
from service.models.register import Expert
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


RELATED = "={partner: [application.projects.partner, application.partners], joint: application.units}"


@pytest.fixture
def named(office):
    """Starts a case whose application names organisations; experts appointed by name score it."""
    office.people.organisation("acme", name="远方研究所", name_en="Far Away Institute")
    office.people.organisation("joint", name="联合大学")
    office.people.organisation("pool", name="其他机构")
    office.deploy(
        diagram(
            f"{START}{step('fill', '填报')}"
            f"{step('score', '评审打分', to='@ma', excludesParties='applicant, partner, joint')}{END}",
            "s->fill; fill->score; score->e",
            relatedParties=RELATED,
            starter="platform.admin",
        )
    )

    def start(**application):
        return office.start(user=office.admin, application=application)

    return start


@pytest.mark.parametrize(
    ("employer", "written", "application", "said"),
    [
        ("acme", "", {"projects": [{"partner": " 远方 研究所"}]}, "您所在机构是本案的合作方（远方 研究所），依规须回避“评审打分”。"),
        ("acme", "", {"partners": [{"name": "某所", "nameEn": "FAR AWAY INSTITUTE"}]}, "合作方（某所）"),
        ("joint", "", {"units": ["甲所", "联合大学"]}, "联合申报（共建）单位（联合大学）"),
        (None, "西域大学（分校）", {"units": [{"name": "西域大学(分校)"}]}, "联合申报（共建）单位（西域大学(分校)）"),
    ],
)  # fmt: skip
def test_an_expert_of_an_organisation_that_the_case_names_is_refused(
    office, named, employer, written, application, said
):
    ma = expert(office, "ma", employer, written)
    case = named(**application)
    office.do(case, "fill")
    score = office.open(case)["score"]
    assert office.task(score).assignee_id is None, "the diagram had given it to them"
    error = refused(office, lambda s: tasks.complete(s, score, {}, user=office.fresh(s, ma)))
    assert error.code == "excluded"
    assert said in error.zh
    assert "must keep away" in error.en


def test_an_expert_of_elsewhere_scores_and_a_later_change_of_the_file_counts(office, named):
    ma = expert(office, "ma", "pool", "")
    case = named(partners=[{"name": "远方研究所"}])
    office.do(case, "fill")
    assert office.task(office.open(case)["score"]).assignee_id == ma.id
    with office.database.transaction() as session:
        admin = office.fresh(session, office.admin)
        wish = {"variables": {"application": {"partners": [{"name": "其他机构"}]}}}
        repairs.perform(session, case, "variables", wish, user=admin, reason="补正合作方")
    score = office.open(case)["score"]
    assert office.task(score).assignee_id is None
    assert refused(office, lambda s: tasks.complete(s, score, {}, user=office.fresh(s, ma))).code == "excluded"


def test_a_deputy_of_somebody_at_a_partner_is_refused_as_well(office):
    partner = office.people.user("qin", "coop.assessor", "applicant.liaison@acme", name="秦岭")
    office.people.organisation("acme", name="远方研究所")
    score = step("score", "评审打分", to="coop.assessor", excludesParties="partner")
    office.deploy(
        diagram(
            f"{START}{step('fill', '填报')}{score}{END}",
            "s->fill; fill->score; score->e",
            relatedParties=RELATED,
            starter="platform.admin",
        )
    )
    today = clock.today()
    with office.database.transaction() as session:
        absent, stand_in = office.fresh(session, partner), office.fresh(session, office.li)
        deputies.appoint(session, absent, stand_in, user=absent, first_day=today, last_day=today)
    for named, said in (
        ("别处", None),
        ("acme", "您所代理的秦岭所在机构是本案的合作方（acme），依规须回避“评审打分”。"),
    ):
        case = office.start(user=office.admin, application={"partners": [named]})
        office.do(case, "fill", office.zhao)
        task = office.open(case)["score"]
        if said is None:
            office.complete(task, office.li)
            continue
        error = refused(office, lambda s, task=task: tasks.complete(s, task, {}, user=office.fresh(s, office.li)))
        assert (error.code, error.zh) == ("excluded", said)


def expert(office, name, employer, written):
    person = office.people.user(name, "experts.reviewer", name="马老师")
    with office.database.transaction() as session:
        works_at = session.scalar(select(Organisation).where(Organisation.code == employer)) if employer else None
        session.add(
            Expert(
                user_id=person.id, authority_id=person.authority_id, employer_name=written,
                employer_id=works_at.id if works_at else None,
            )
        )  # fmt: skip
    return person


def test_related_parties_that_are_no_feel_are_refused(office):
    with pytest.raises(engine.BundleRejected) as raised:
        office.deploy(diagram(f"{START}{step('fill', '填报')}{END}", "s->fill; fill->e", relatedParties="partners"))
    assert [one.rule for one in raised.value.findings if one.severity == "error"] == ["related-parties"]
