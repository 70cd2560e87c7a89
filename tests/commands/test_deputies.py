"""Deputies: who stands in for whom, what that lets them do, and what it never does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import clock, errors, permissions
from service.commands.inbox import tasks
from service.commands.people import deputies
from service.models import AuditRecord, Event, Task
from service.queries import inbox
from service.upkeep import Upkeep
from tests.commands.conftest import END, START, diagram
from tests.commands.test_duties import refused, step

TWO = (
    f"{START}{step('review', '推荐审核', to='coop.assessor')}"
    f"{step('sign', '签发', to='coop.signatory', excludes='review')}{END}"
)


@pytest.fixture
def desk(office):
    """Chen assesses, Du signs; Li and Zhao take in; the process has a review and a signature."""
    office.chen = office.people.user("chen", "coop.assessor", name="陈评")
    office.du = office.people.user("du", "coop.signatory", name="杜签")
    office.deploy(diagram(TWO, "s->review; review->sign; sign->e"))
    return office


def appoint(office, principal, deputy, *, by=None, first=0, last=7, **limits):
    with office.database.transaction() as session:
        people = [office.fresh(session, one) for one in (principal, deputy, by or principal)]
        today = clock.today()
        made = deputies.appoint(
            session,
            people[0],
            people[1],
            user=people[2],
            first_day=today + timedelta(days=first),
            last_day=today + timedelta(days=last),
            **limits,
        )
        return made.id


def no(office, principal, deputy, **more):
    with pytest.raises(errors.ServiceError) as raised:
        appoint(office, principal, deputy, **more)
    return raised.value


def lent(office, user):
    with office.database.transaction() as session:
        person = office.fresh(session, user)
        found = inbox.tasks(session, person, box="deputy").items
        for one in session.query(Task).filter(Task.status == "open"):
            reached = permissions.appointment(person, one, one.candidates) is not None
            own = one.assignee_id is None and permissions.is_offered(person, one.candidates)
            assert (one.id in {line.id for line in found}) == (reached and not own)
        return [(one.element_id, one.on_behalf_of) for one in found]


def test_a_deputy_finds_takes_and_hands_in_the_tasks_of_the_absent_and_the_record_says_so(desk):
    case = desk.start()
    review = desk.open(case)["review"]
    assert lent(desk, desk.li) == []
    appoint(desk, desk.chen, desk.li)
    assert lent(desk, desk.li) == [("review", "陈评")]
    assert lent(desk, desk.zhao) == []
    with desk.database.transaction() as session:
        tasks.claim(session, review, user=desk.fresh(session, desk.li))
    assert desk.task(review).on_behalf_of_id == desk.chen.id
    desk.complete(review, desk.li)
    (done,) = desk.rows(Event, instance_id=case, kind="completed")
    assert (done.user_id, done.data["on_behalf_of"]["name"]) == (desk.li.id, "陈评")
    with desk.database.transaction() as session:
        (line,) = inbox.tasks(session, desk.fresh(session, desk.li), box="done").items
        assert line.on_behalf_of == "陈评"
    Upkeep(desk.database, desk.settings, "test").seal()
    said = [one.content for one in desk_records(desk, case) if one.kind == "completed"]
    assert '"on_behalf_of":{"id":' in said[0]
    assert '"username":"chen"' in said[0]


def desk_records(office, case):
    with office.database.transaction() as session:
        return session.query(AuditRecord).filter_by(instance_id=case).order_by(AuditRecord.seq).all()


def test_a_task_in_the_hands_of_the_absent_is_taken_over(desk):
    case = desk.start()
    review = desk.open(case)["review"]
    with desk.database.transaction() as session:
        tasks.claim(session, review, user=desk.fresh(session, desk.chen))
    appoint(desk, desk.chen, desk.li)
    assert lent(desk, desk.li) == [("review", "陈评")]
    desk.complete(review, desk.li)
    assert desk.task(review).completed_by_id == desk.li.id


def test_standing_in_never_defeats_separation_of_duties_in_any_direction(desk):
    case = desk.start()
    appoint(desk, desk.chen, desk.li)
    appoint(desk, desk.du, desk.li, signs=True)
    appoint(desk, desk.du, desk.zhao, signs=True)
    desk.do(case, "review", desk.li)
    sign = desk.open(case)["sign"]
    assert lent(desk, desk.li) == []
    error = refused(desk, lambda s: tasks.claim(s, sign, user=desk.fresh(s, desk.li)))
    assert error.code == "excluded"
    assert error.zh.startswith("您已办理过本案的“推荐审核”")
    assert lent(desk, desk.zhao) == [("sign", "杜签")]
    desk.complete(sign, desk.zhao)
    assert desk.instance(case).status == "completed"


def test_whoever_had_a_step_done_in_their_name_must_keep_away_and_so_must_their_deputy(desk):
    both = desk.people.user("bao", "coop.assessor", "coop.signatory", name="包全")
    case = desk.start()
    appoint(desk, both, desk.li)
    desk.do(case, "review", desk.li)
    sign = desk.open(case)["sign"]
    assert lent(desk, both) == []
    error = refused(desk, lambda s: tasks.claim(s, sign, user=desk.fresh(s, both)))
    assert error.zh == "您已办理过本案的“推荐审核”，依规不得再办理“签发”。"
    appoint(desk, both, desk.zhao, signs=True)
    error = refused(desk, lambda s: tasks.claim(s, sign, user=desk.fresh(s, desk.zhao)))
    assert error.zh == "您所代理的包全已办理过本案的“推荐审核”，依规不得再办理“签发”。"


def test_limits_of_period_process_role_and_signature_hold(desk):
    desk.deploy(diagram(f"{START}{step('other', '另案', to='coop.assessor')}{END}", "s->other; other->e", pid="q"))
    first, second = desk.start("p"), desk.start("q")
    del first, second
    appoint(desk, desk.chen, desk.li, process_id="q")
    assert lent(desk, desk.li) == [("other", "陈评")]
    appoint(desk, desk.chen, desk.zhao, first=2, last=3)
    assert lent(desk, desk.zhao) == []
    with clock.travel(clock.now() + timedelta(days=2)):
        assert len(lent(desk, desk.zhao)) == 2
    with clock.travel(clock.now() + timedelta(days=4)):
        assert lent(desk, desk.zhao) == []
    assert no(desk, desk.du, desk.zhao).zh == "按所选限制没有任何事项可以代理：签署类岗位须勾选“可代为签署”。"
    assert no(desk, desk.chen, desk.zhao, role="coop.signatory").field == "role"


def test_the_end_of_an_arrangement_ends_the_right_to_hand_in(desk):
    case = desk.start()
    review = desk.open(case)["review"]
    arrangement = appoint(desk, desk.chen, desk.li)
    with desk.database.transaction() as session:
        tasks.claim(session, review, user=desk.fresh(session, desk.li))
    with desk.database.transaction() as session:
        deputies.revoke(session, arrangement, user=desk.fresh(session, desk.chen))
    error = refused(desk, lambda s: tasks.complete(s, review, {}, user=desk.fresh(s, desk.li)))
    assert error.zh == "您已不再代理陈评，请放回此任务。"
    with desk.database.transaction() as session:
        tasks.release(session, review, user=desk.fresh(session, desk.chen))
    desk.complete(review, desk.chen)


@pytest.mark.parametrize(
    ("first", "last", "field", "sentence"),
    [
        (-1, 3, "first_day", "开始日期不能早于今天。"),
        (3, 2, "last_day", "结束日期不能早于开始日期。"),
        (0, 400, "last_day", "代理期最长一年。"),
    ],
)
def test_days_that_make_no_sense_are_refused(desk, first, last, field, sentence):
    error = no(desk, desk.chen, desk.li, first=first, last=last)
    assert (error.field, error.zh) == (field, sentence)


def test_deputies_in_a_circle_are_refused_and_so_are_absent_ones(desk):
    appoint(desk, desk.li, desk.zhao)
    error = no(desk, desk.zhao, desk.li)
    assert error.zh == "循环代理：同一时期李明的任务（直接或辗转）由赵强代理。"
    assert no(desk, desk.chen, desk.li).zh.startswith("李明在此期间也不在岗")
    appoint(desk, desk.zhao, desk.chen)
    assert no(desk, desk.chen, desk.li).zh.startswith("循环代理")
    appoint(desk, desk.chen, desk.li, first=30, last=31)


def test_outsiders_experts_and_oneself_are_no_deputies(desk):
    assert "不在同一机构" in no(desk, desk.chen, desk.wang).zh
    assert no(desk, desk.chen, desk.chen).zh == "不能由本人代理本人。"
    expert = desk.people.user("zhuan", "experts.reviewer", name="专家")
    other = desk.people.user("jia", "experts.reviewer", name="贾家")
    assert "须由本人办理" in no(desk, expert, other).zh
    assert no(desk, desk.chen, desk.li, by=desk.zhao).code == "forbidden"


def test_a_personal_task_is_not_lent(desk):
    desk.deploy(
        diagram(
            f"{START}{step('own', '本人意见', to='coop.assessor', personal='true')}{END}", "s->own; own->e", pid="q"
        )
    )
    desk.start("q")
    appoint(desk, desk.chen, desk.li)
    assert lent(desk, desk.li) == []


def test_an_administrator_arranges_for_others_and_acts_in_their_place_giving_a_reason(desk):
    assert no(desk, desk.chen, desk.li, by=desk.admin).field == "reason"
    appoint(desk, desk.chen, desk.li, by=desk.admin, reason="病假")
    case = desk.start()
    review = desk.open(case)["review"]

    def act(session, reason="", who=desk.chen, by=desk.admin):
        people = desk.fresh(session, by), desk.fresh(session, who)
        return tasks.act_for(session, review, user=people[0], principal=people[1], reason=reason)

    assert refused(desk, act).field == "reason"
    assert refused(desk, lambda s: act(s, "电话答复", who=desk.zhao)).field == "principal"
    assert refused(desk, lambda s: act(s, "电话答复", by=desk.zhao)).code == "forbidden"
    with desk.database.transaction() as session:
        act(session, "陈评病假，电话口述意见")
    (claimed,) = desk.rows(Event, instance_id=case, kind="claimed")
    assert claimed.data["reason"] == "陈评病假，电话口述意见"
    assert claimed.data["on_behalf_of"]["username"] == "chen"
    desk.complete(review, desk.admin)
    assert desk.task(review).on_behalf_of_id == desk.chen.id
