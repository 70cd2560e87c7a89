from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from service import clock, errors
from service.commands.cases import messages
from service.models import Correlation, Instance, PublishedMessage, Subscription, Task
from tests.engine.diagrams import ext, user

from .conftest import DESK, END, START, Office, diagram, form, properties

PAID = '<message id="m" name="paid">' + ext('<zeebe:subscription correlationKey="=caseNumber"/>') + "</message>"
CATCH = '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
WAITING = diagram(START + CATCH + user("a", DESK) + END, "s -> c -> a -> e", globals=PAID)
STARTED_BY_MESSAGE = diagram(
    '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>' + user("a", DESK) + END,
    "s -> a -> e",
    pid="q",
    globals='<message id="m" name="opened"/>',
)


def publish(office: Office, name: str, key: str | None, variables=None, **options) -> PublishedMessage:
    with office.database.transaction() as session:
        return messages.publish(
            session, name, key, variables or {}, user=office.fresh(session, office.admin), **options
        )


def test_a_message_moves_the_case_that_waits_for_its_key(office: Office):
    office.deploy(WAITING)
    one, other = office.start(), office.start()
    publish(office, "paid", office.instance(one).number, {"amount": 7})
    assert list(office.open(one)) == ["a"]
    assert office.open(other) == {}
    assert office.variables(one)["amount"] == 7
    assert office.rows(Subscription, instance_id=one) == []
    assert "received" in office.kinds(one)


def test_a_message_cannot_change_what_the_system_keeps(office: Office):
    office.deploy(WAITING)
    case = office.start()
    number = office.instance(case).number
    publish(office, "paid", number, {"caseNumber": "X-1", "parties": {"applicant": "other"}, "amount": 7})
    variables = office.variables(case)
    assert (variables["caseNumber"], variables["amount"]) == (number, 7)
    assert variables["parties"] != {"applicant": "other"}


def test_a_message_with_another_key_or_name_moves_nothing(office: Office):
    office.deploy(WAITING)
    case = office.start()
    publish(office, "paid", "another")
    publish(office, "lost", office.instance(case).number)
    assert office.open(case) == {}


def test_a_message_said_early_is_heard_later(office: Office):
    office.deploy(
        diagram(START + user("b", DESK) + CATCH + user("a", DESK) + END, "s -> b -> c -> a -> e", globals=PAID)
    )
    case = office.start()
    publish(office, "paid", office.instance(case).number, ttl=timedelta(hours=1))
    office.do(case, "b")
    office.work()
    assert list(office.open(case)) == ["a"]


def test_an_expired_message_is_not_heard(office: Office):
    office.deploy(
        diagram(START + user("b", DESK) + CATCH + user("a", DESK) + END, "s -> b -> c -> a -> e", globals=PAID)
    )
    case = office.start()
    publish(office, "paid", office.instance(case).number, ttl=timedelta(0))
    office.do(case, "b")
    office.work()
    assert office.open(case) == {}


def test_the_same_message_id_counts_once(office: Office):
    office.deploy(STARTED_BY_MESSAGE)
    first = publish(office, "opened", None, message_id="m-1")
    again = publish(office, "opened", None, message_id="m-1")
    assert first.id == again.id
    assert len(office.rows(Instance)) == 1


def test_a_message_reaches_one_token_of_a_process_and_only_once(office: Office):
    fork = '<parallelGateway id="x"/>'
    second = CATCH.replace('id="c"', 'id="d"')
    office.deploy(
        diagram(
            START + fork + CATCH + second + user("a", DESK) + user("b", DESK) + END,
            "s -> x -> c -> a -> e; x -> d -> b -> e",
            globals=PAID,
        )
    )
    case = office.start()
    publish(office, "paid", office.instance(case).number, ttl=timedelta(hours=1))
    assert len(office.open(case)) == 1
    office.worker.tidy(force=True)
    office.work()
    assert len(office.open(case)) == 1


def test_a_message_starts_a_case_where_the_newest_version_listens(office: Office):
    office.deploy(STARTED_BY_MESSAGE)
    publish(office, "opened", "k", {"base": "中德"})
    (case,) = office.rows(Instance)
    assert (case.process_id, list(office.open(case.id))) == ("q", ["a"])
    assert office.variables(case.id)["base"] == "中德"


def test_a_key_starts_one_case_at_a_time(office: Office):
    office.deploy(STARTED_BY_MESSAGE)
    publish(office, "opened", "k", ttl=timedelta(days=1))
    publish(office, "opened", "k", ttl=timedelta(days=1))
    (first,) = office.rows(Instance)
    office.do(first.id, "a")
    office.work()
    assert [case.status for case in office.rows(Instance)] == ["completed", "active"]


def test_a_message_thrown_by_one_case_is_caught_by_another(office: Office):
    throw = (
        '<intermediateThrowEvent id="t">'
        + ext('<zeebe:ioMapping><zeebe:input source="=target" target="from"/></zeebe:ioMapping>')
        + '<messageEventDefinition messageRef="m"/></intermediateThrowEvent>'
    )
    said = '<message id="m" name="paid">' + ext('<zeebe:subscription correlationKey="=target"/>') + "</message>"
    start = '<startEvent id="s">' + ext('<zeebe:formDefinition formId="f"/>') + "</startEvent>"
    office.deploy(
        WAITING,
        diagram(start + throw + END, "s -> t -> e", pid="thrower", globals=said),
        f__form=form("f", "target"),
    )
    waiting = office.start()
    thrower = office.start("thrower", target=office.instance(waiting).number)
    assert office.instance(thrower).status == "completed"
    assert office.open(waiting) == {}
    office.work()
    assert list(office.open(waiting)) == ["a"]
    (message,) = office.rows(PublishedMessage)
    assert message.from_instance_id == thrower
    (correlation,) = office.rows(Correlation)
    assert correlation.instance_id == waiting


def test_a_message_and_a_listener_that_missed_each_other_are_brought_together(office: Office):
    office.deploy(WAITING)
    case = office.start()
    now = clock.now()
    with office.database.transaction() as session:  # what two transactions that did not see each other leave behind
        session.add(
            PublishedMessage(
                authority_id=office.admin.authority_id,
                name="paid",
                key=session.get_one(Instance, case).number,
                variables={},
                published_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )
    office.worker.tidy(force=True)
    office.work()
    assert list(office.open(case)) == ["a"]


def test_publishing_is_for_the_platform(office: Office):
    with pytest.raises(errors.Forbidden), office.database.transaction() as session:
        messages.publish(session, "paid", "k", {}, user=office.fresh(session, office.li))


def withdrawable(sender: str, condition: str = "") -> bytes:
    named = {"sender": sender, "form": "w"} | ({"condition": condition} if condition else {})
    boundary = (
        '<boundaryEvent id="withdraw" name="撤回" attachedToRef="a">'
        + properties(**named)
        + '<messageEventDefinition messageRef="m"/></boundaryEvent>'
    )
    return diagram(
        START + user("a", DESK) + boundary + END + '<endEvent id="gone"/>',
        "s -> a -> e; withdraw -> gone",
        globals=PAID,
    )


def send(office: Office, case: int, person, **values):
    with office.database.transaction() as session:
        who = None if person is None else office.fresh(session, person)
        return messages.send(session, case, "paid", values, user=who)


def test_a_party_sends_the_message_its_diagram_offers(office: Office):
    office.deploy(withdrawable("applicant.drafter"), w__form=form("w", "reason", required=True))
    case = office.start()
    with office.database.transaction() as session:
        instance = session.get_one(Instance, case)
        assert messages.sendable(session, instance, office.fresh(session, office.wang)) == [("paid", "撤回", "w")]
        assert messages.sendable(session, instance, office.fresh(session, office.li)) == []
    with pytest.raises(errors.InvalidForm):
        send(office, case, office.wang)
    send(office, case, office.wang, reason="材料有误")
    assert office.instance(case).end_event == "gone"
    (task,) = office.rows(Task, instance_id=case)
    assert task.status == "cancelled"


def test_another_applicant_cannot_withdraw_the_case(office: Office):
    office.deploy(withdrawable("applicant.drafter"), w__form=form("w", "reason"))
    case = office.start()
    stranger = office.people.user("qian", "applicant.drafter@other")
    with pytest.raises(errors.NotFound):
        send(office, case, stranger, reason="x")


def test_the_public_sends_only_what_is_open_to_it_and_while_it_is(office: Office):
    office.deploy(withdrawable("public", "caseNumber = null"), w__form=form("w", "reason"))
    closed = office.start()
    with pytest.raises(errors.NotFound):
        send(office, closed, None, reason="x")
    office.deploy(withdrawable("public", "caseNumber != null"), w__form=form("w", "reason"))
    case = office.start()
    send(office, case, None, reason="x")
    assert office.instance(case).end_event == "gone"


def test_ten_threads_saying_one_message_start_one_case(office: Office):
    office.deploy(STARTED_BY_MESSAGE)
    failures = []

    def say() -> None:
        try:
            publish(office, "opened", "k", message_id="once", ttl=timedelta(hours=1))
        except errors.InstanceChanged:
            pass
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=say) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(office.rows(Instance)) == 1
