from __future__ import annotations

import pytest
from sqlalchemy import select

from service import engine, errors
from service.commands.administration import parties, repairs
from service.commands.cases import incidents, instances
from service.models import Event, Incident, Organisation
from tests.engine.diagrams import ext, user

from .conftest import DESK, END, START, Office, diagram, form

NEEDS_NUMBER = diagram(
    '<startEvent id="s">'
    + ext('<zeebe:formDefinition formId="f"/>')
    + "</startEvent>"
    + '<scriptTask id="x" name="算">'
    + ext('<zeebe:script expression="=amount * 2" resultVariable="double"/>')
    + "</scriptTask>"
    + user("a", DESK)
    + END,
    "s -> x -> a -> e",
)


def retry(office: Office, case: int, **options) -> None:
    (incident,) = office.incidents(case)
    with office.database.transaction() as session:
        incidents.retry(session, incident.id, user=office.fresh(session, office.admin), **options)


@pytest.fixture
def stuck(office: Office) -> int:
    office.deploy(NEEDS_NUMBER, f__form=form("f", "amount"))
    return office.start(amount="viel")


def test_an_expression_that_fails_parks_the_case_with_a_sentence(office: Office, stuck: int):
    assert office.instance(stuck).status == "incident"
    (incident,) = office.incidents(stuck)
    assert (incident.element_id, incident.element_name) == ("x", "算")
    assert incident.message_zh
    assert incident.message_en
    assert "incident" in office.kinds(stuck)


def test_a_retry_with_a_corrected_variable_moves_on(office: Office, stuck: int):
    retry(office, stuck, variables={"amount": 21})
    assert list(office.open(stuck)) == ["a"]
    assert office.variables(stuck)["double"] == 42
    assert office.incidents(stuck) == []
    assert office.instance(stuck).status == "active"
    (resolved,) = office.rows(Incident, instance_id=stuck)
    assert resolved.resolved_by_id == office.admin.id
    assert any(event.kind == "retried" and event.user_id == office.admin.id for event in office.rows(Event))


def test_a_retry_that_fails_again_leaves_a_new_incident(office: Office, stuck: int):
    before = office.incidents(stuck)[0].id
    retry(office, stuck)
    (incident,) = office.incidents(stuck)
    assert incident.id != before
    assert office.instance(stuck).status == "incident"


def test_a_resolved_incident_is_not_retried(office: Office, stuck: int):
    incident = office.incidents(stuck)[0]
    retry(office, stuck, variables={"amount": 1})
    with pytest.raises(errors.Conflict), office.database.transaction() as session:
        incidents.retry(session, incident.id, user=office.fresh(session, office.admin))


def test_only_administrators_retry(office: Office, stuck: int):
    incident = office.incidents(stuck)[0]
    with pytest.raises(errors.NotFound), office.database.transaction() as session:
        incidents.retry(session, incident.id, user=office.fresh(session, office.li))


def test_naming_a_party_offers_the_tasks_that_waited_for_it(office: Office):
    group = '<zeebe:assignmentDefinition candidateGroups="recommender.reviewer"/>'
    office.deploy(diagram(START + user("a", group) + END, "s -> a -> e"))
    case = office.start()
    sun = office.people.user("sun", "recommender.reviewer@sd")
    with office.database.transaction() as session:
        sd = session.scalars(select(Organisation).where(Organisation.code == "sd")).one()
        parties.name(session, case, "recommender", sd, user=office.fresh(session, office.admin), reason="属地")
    assert office.incidents(case) == []
    assert office.instance(case).status == "active"
    office.do(case, "a", sun)
    assert office.instance(case).status == "completed"


def test_retrying_a_task_without_a_doer_asks_again(office: Office):
    assigned = '<zeebe:assignmentDefinition assignee="=&quot;sun&quot;"/>'
    office.deploy(diagram(START + user("a", assigned) + END, "s -> a -> e"))
    case = office.start()
    assert [one.cause for one in office.incidents(case)] == ["unknown_user"]
    sun = office.people.user("sun", "applicant.drafter@other")
    retry(office, case)
    assert office.incidents(case) == []
    assert office.task(office.open(case)["a"]).assignee_id == sun.id


def test_a_suspended_case_is_not_worked_on(office: Office):
    office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e"))
    case = office.start()
    with office.database.transaction() as session:
        repairs.suspend(session, case, user=office.fresh(session, office.admin), reason="核查")
    with pytest.raises(errors.InstanceOver):
        office.do(case, "a")
    with office.database.transaction() as session:
        repairs.resume(session, case, user=office.fresh(session, office.admin))
    office.do(case, "a")
    assert office.instance(case).status == "completed"


def test_a_case_in_which_nothing_can_move_says_so(office: Office):
    office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e"))
    case = office.start()
    with office.database.transaction() as session:  # no diagram that passes the soundness check does this
        instances.advance(session, case, lambda run: engine.Step(run, [], []))
    (incident,) = office.incidents(case)
    assert incident.cause == "stalled"
    assert office.instance(case).status == "incident"
