from __future__ import annotations

import pytest

from service import clock, errors
from service.commands.cases import instances
from service.models import CaseParty, Event, Task
from tests.engine.diagrams import user

from .conftest import DESK, END, START, Office, diagram, form

ONE_TASK = diagram(START + user("a", DESK) + END, "s -> a -> e", caseNumber="DB", title='="国合基地 " + caseNumber')


def test_starting_a_case_opens_its_first_task_for_the_role_of_its_diagram(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    task = office.task(office.open(case)["a"])
    assert (task.name, task.role, task.status) == ("a", "coop.intake", "open")
    assert [(one.role, one.claimed) for one in office.candidates(task.id)] == [("coop.intake", False)]


def test_a_case_has_a_number_a_title_and_its_applicant_as_a_party(office: Office):
    office.deploy(ONE_TASK)
    year = clock.today().year
    case = office.instance(office.start())
    assert case.number == f"DB-{year}-0001"
    assert case.title == f"国合基地 DB-{year}-0001"
    assert [party.party for party in office.rows(CaseParty, instance_id=case.id)] == ["applicant"]
    assert office.variables(case.id)["parties"] == {"applicant": "uni"}
    assert office.instance(office.start()).number == f"DB-{year}-0002"


def test_a_refused_start_takes_no_number(office: Office):
    office.deploy(ONE_TASK)
    with pytest.raises(errors.InvalidInput):
        office.start(parties={"applicant": "other"})
    assert office.instance(office.start()).number.endswith("-0001")


def test_only_a_starter_may_start(office: Office):
    office.deploy(ONE_TASK)
    with pytest.raises(errors.Forbidden):
        office.start(user=office.li)


def test_a_start_form_is_checked_and_only_its_fields_count(office: Office):
    start = '<startEvent id="s"><extensionElements><zeebe:formDefinition formId="f"/></extensionElements></startEvent>'
    office.deploy(diagram(start + user("a", DESK) + END, "s -> a -> e"), f__form=form("f", "base", required=True))
    with pytest.raises(errors.InvalidForm) as refused:
        office.start()
    assert list(refused.value.fields) == ["base"]
    case = office.start(base="中德中心", smuggled="x")
    assert office.variables(case)["base"] == "中德中心"
    assert "smuggled" not in office.variables(case)


def test_the_end_of_a_case_is_recorded(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    office.do(case, "a")
    ended = office.instance(case)
    assert (ended.status, ended.end_event) == ("completed", "e")
    assert ended.ended_at is not None
    assert office.open(case) == {}


def test_history_tells_what_happened_in_order_and_who_did_it(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    office.do(case, "a")
    events = office.rows(Event, instance_id=case)
    kinds = [event.kind for event in events]
    assert kinds[0] == "started"
    assert kinds[-1] == "ended"
    completed = next(event for event in events if event.kind == "completed")
    assert (completed.user_id, completed.element_id, completed.element_name) == (office.li.id, "a", "a")
    assert completed.task_id is not None


def test_cancelling_a_case_takes_its_tasks_off_the_desks(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    task = office.open(case)["a"]
    with office.database.transaction() as session:
        instances.cancel(session, case, user=office.fresh(session, office.admin), reason="重复")
    assert office.task(task).status == "cancelled"
    assert office.candidates(task) == []
    assert office.instance(case).status == "terminated"
    with pytest.raises(errors.TaskOver):
        office.complete(task)


def test_only_an_administrator_cancels(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    with pytest.raises(errors.Forbidden), office.database.transaction() as session:
        instances.cancel(session, case, user=office.fresh(session, office.li))


def test_a_task_that_nobody_can_be_found_for_is_an_incident(office: Office):
    group = '<zeebe:assignmentDefinition candidateGroups="recommender.reviewer"/>'
    office.deploy(diagram(START + user("a", group) + END, "s -> a -> e"))
    case = office.start()
    assert office.instance(case).status == "incident"
    (incident,) = office.incidents(case)
    assert (incident.cause, incident.element_id) == ("unknown_party", "a")
    assert "recommender" in incident.message_zh
    assert incident.task_id == office.open(case)["a"]


def test_a_role_that_nobody_holds_is_an_incident_and_a_new_member_ends_it(office: Office):
    group = '<zeebe:assignmentDefinition candidateGroups="coop.signatory"/>'
    office.deploy(diagram(START + user("a", group) + END, "s -> a -> e"))
    case = office.start()
    assert [one.cause for one in office.incidents(case)] == ["no_member"]
    office.people.user("chen", "coop.signatory")
    office.worker.tidy(force=True)
    assert office.incidents(case) == []
    assert office.instance(case).status == "active"


def test_a_party_named_in_the_case_gets_the_task_that_waited_for_it(office: Office):
    group = '<zeebe:assignmentDefinition candidateGroups="recommender.reviewer"/>'
    script = (
        '<scriptTask id="name"><extensionElements>'
        '<zeebe:script expression="=context put(parties, &quot;recommender&quot;, &quot;sd&quot;)" resultVariable="parties"/>'
        "</extensionElements></scriptTask>"
    )
    fork = '<parallelGateway id="x"/>'
    office.people.user("sun", "recommender.reviewer@sd")
    office.deploy(
        diagram(
            START + fork + user("a", group) + user("b", DESK) + script + END, "s -> x -> a -> e; x -> b -> name -> e"
        )
    )
    case = office.start()
    assert [one.cause for one in office.incidents(case)] == ["unknown_party"]
    office.do(case, "b")
    assert office.incidents(case) == []
    task = office.open(case)["a"]
    assert [one.role for one in office.candidates(task)] == ["recommender.reviewer"]
    assert sorted(party.party for party in office.rows(CaseParty, instance_id=case)) == ["applicant", "recommender"]


def test_variables_are_for_the_desks(office: Office):
    office.deploy(ONE_TASK)
    case = office.start()
    with pytest.raises(errors.NotFound), office.database.transaction() as session:
        instances.variables(session, office.fresh(session, office.wang), case)


def test_an_assignee_has_the_task_at_once(office: Office):
    assigned = '<zeebe:assignmentDefinition assignee="zhao"/>'
    office.deploy(diagram(START + user("a", assigned) + END, "s -> a -> e"))
    case = office.start()
    (task,) = office.rows(Task, instance_id=case)
    assert task.assignee_id == office.zhao.id
    assert [one.user_id for one in office.candidates(task.id)] == [office.zhao.id]


def test_a_lane_gives_its_tasks_to_its_role(office: Office):
    lanes = '<laneSet><lane id="l" name="国际合作司"><flowNodeRef>a</flowNodeRef></lane></laneSet>'
    office.deploy(diagram(lanes + START + user("a") + END, "s -> a -> e"))
    case = office.start()
    assert office.task(office.open(case)["a"]).role == "coop.intake"
