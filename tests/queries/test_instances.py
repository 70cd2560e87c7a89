"""Cases as rows tell them: list, page, history, diagram."""

from __future__ import annotations

import pytest

from service import clock, errors
from service.queries import instances, progress
from tests import rows


@pytest.fixture
def demo(session, people):
    """A process of the ministry."""
    return rows.definition(session, people.authority().id)


@pytest.fixture
def case(session, people, demo):
    """A case of the university."""
    parties = {"applicant": people.organisation("uni", name="大学"), "recommender": people.organisation("sd")}
    return rows.instance(session, demo, parties, title="示范型基地申报", number="DB-2026-0001")


def numbers(page):
    return [row.number for row in page.items]


def test_the_list_holds_my_cases_newest_first(session, people, demo, case):
    other = rows.instance(session, demo, {"applicant": people.organisation("other")}, number="DB-2026-0002")
    applicant, desk = people.user("lin", "applicant.drafter@uni"), people.user("clerk", "coop.intake")
    assert numbers(instances.cases(session, applicant)) == [case.number]
    assert numbers(instances.cases(session, desk)) == [other.number, case.number]
    (row,) = instances.cases(session, applicant).items
    assert (row.title, row.applicant, row.process_name, row.status) == ("示范型基地申报", "大学", "Demo", "active")


def test_the_list_is_filtered(session, people, demo, case):
    desk = people.user("clerk", "coop.intake")
    other = rows.instance(
        session, demo, {"applicant": people.organisation("lab")}, status="completed", started_by_id=desk.id
    )

    def found(**filters):
        return numbers(instances.cases(session, desk, **filters))

    assert found(status="active") == [case.number]
    assert found(status=["completed", "terminated"]) == [other.number]
    assert found(text="示范") == [case.number]
    assert found(text="2026-0001") == [case.number]
    assert found(process="other") == []
    assert found(organisation="lab") == [other.number]
    assert found(organisation="uni", party="recommender") == []
    assert found(started_by_me=True) == [other.number]
    with pytest.raises(errors.InvalidInput):
        found(status="lost")


def test_pages_of_cases_add_up(session, people, demo):
    desk = people.user("clerk", "coop.intake")
    made = [rows.instance(session, demo).number for _ in range(5)]
    first = instances.cases(session, desk, limit=3)
    second = instances.cases(session, desk, limit=3, after=first.next)
    assert numbers(first) + numbers(second) == made[::-1]
    assert (first.total, second.total, second.next) == (5, 5, None)


def test_the_page_of_a_case_says_where_it_stands(session, people, case):
    desk = people.user("clerk", "coop.intake")
    rows.task(session, case, groups=[(people.organisation("sd"), "recommender.reviewer")], name="审核")
    rows.incident(session, case)
    rows.incident(session, case, resolved_at=clock.now())
    view = instances.case(session, desk, case.id)
    assert (view.case.number, view.definition_version, view.version, view.incidents) == (case.number, 1, 1, 1)
    assert [(part.party, part.code) for part in view.parties] == [("applicant", "uni"), ("recommender", "sd")]
    assert [(task.name, task.role_zh, task.visible) for task in view.tasks] == [("审核", "推荐部门审核人", True)]
    assert (view.sees_variables, view.administers) == (True, False)


def test_an_applicant_sees_the_step_of_others_but_not_the_person(session, people, case):
    applicant, expert = people.user("lin", "applicant.drafter@uni"), people.user("expert", "experts.reviewer")
    pool = [(people.organisation("experts"), "experts.reviewer")]
    rows.task(session, case, groups=pool, name="评审", assignee_id=expert.id)
    view = instances.case(session, applicant, case.id)
    assert [(task.name, task.assignee, task.visible) for task in view.tasks] == [("评审", None, False)]
    assert view.sees_variables is False


def test_a_case_of_others_is_not_there(session, people, case):
    stranger = people.user("stranger", "applicant.drafter@other")
    assert instances.case(session, stranger, case.id) is None
    assert instances.history(session, stranger, case.id) is None
    assert progress.progress(session, stranger, case.id) is None
    assert progress.diagram(session, stranger, case.id, "demo") is None
    assert instances.sees(session, stranger, case.id) is False
    assert instances.case(session, people.user("clerk", "coop.intake"), 10**30) is None


def test_desks_read_the_whole_history_with_names(session, people, case):
    desk, expert = people.user("clerk", "coop.intake"), people.user("expert", "experts.reviewer")
    task = rows.task(session, case, status="completed", completed_by_id=expert.id)
    rows.event(session, case, "entered", "review")
    rows.event(session, case, "completed", "review", user_id=expert.id, task_id=task.id)
    rows.event(session, case, "variables", "review", data={"score": 60})
    page = instances.history(session, desk, case.id)
    assert [(row.kind, row.user, row.data) for row in page.items] == [
        ("entered", None, {}),
        ("completed", "Expert", {}),
        ("variables", None, {"score": 60}),
    ]


def test_an_applicant_reads_the_moves_and_their_own_names_but_no_scores(session, people, case):
    applicant, expert = people.user("lin", "applicant.drafter@uni"), people.user("expert", "experts.reviewer")
    office = [(people.organisation("uni"), "applicant.drafter")]
    filing = rows.task(session, case, groups=office, status="completed", completed_by_id=applicant.id)
    pool = [(people.organisation("experts"), "experts.reviewer")]
    scoring = rows.task(session, case, groups=pool, status="completed", completed_by_id=expert.id)
    rows.event(session, case, "completed", "file", user_id=applicant.id, task_id=filing.id)
    rows.event(session, case, "completed", "review", user_id=expert.id, task_id=scoring.id, data={"score": 60})
    rows.event(session, case, "variables", "review", data={"score": 60})
    rows.event(session, case, "decision", "rule", data={"result": "no"})
    rows.event(session, case, "ended", data={"end_event": "rejected"})
    page = instances.history(session, applicant, case.id)
    assert [(row.kind, row.user, row.data) for row in page.items] == [
        ("completed", "Lin", {}),
        ("completed", None, {}),
        ("ended", None, {"end_event": "rejected"}),
    ]
    assert page.total == 3


def test_history_comes_in_pages_both_ways(session, people, case):
    desk = people.user("clerk", "coop.intake")
    made = [rows.event(session, case, "entered", f"e{number}").id for number in range(5)]
    for newest_first in (False, True):
        first = instances.history(session, desk, case.id, limit=3, newest_first=newest_first)
        rest = instances.history(session, desk, case.id, limit=3, newest_first=newest_first, after=first.next)
        assert [row.id for row in first.items + rest.items] == (made[::-1] if newest_first else made)
    assert instances.history(session, desk, case.id, kinds=["left"]).items == []


def test_the_diagram_shows_what_is_done_going_on_and_gone(session, people, case):
    desk = people.user("clerk", "coop.intake")
    story = [
        ("entered", "start"), ("left", "start"), ("flow", "f1"), ("entered", "review"), ("left", "review"), ("flow", "f2"),
        ("entered", "review"), ("entered", "timer"), ("cancelled", "timer"), ("entered", "broken"),
    ]  # fmt: skip
    for kind, element in story:
        rows.event(session, case, kind, element)
    rows.event(session, case, "entered", "inner", process_id="called")
    rows.incident(session, case, element_id="broken", process_id="demo")
    own, called = progress.progress(session, desk, case.id)
    assert (own.process_id, own.name, called.process_id) == ("demo", "Demo", "called")
    assert own.elements == {"start": "done", "review": "active", "timer": "cancelled", "broken": "incident"}
    assert own.counts["review"] == 2
    assert own.flows == {"f1": 1, "f2": 1}
    assert called.elements == {"inner": "active"}


def test_a_case_shows_the_diagram_it_runs_on_and_not_the_newest(session, people, demo, case):
    applicant = people.user("lin", "applicant.drafter@uni")
    demo.latest = False
    session.flush()
    rows.definition(session, people.authority().id, version=2).deployment.files[0].content = b"newer"
    session.flush()
    assert progress.diagram(session, applicant, case.id, "demo") == b"<bpmn demo>"
    assert progress.diagram(session, applicant, case.id, "other") is None
