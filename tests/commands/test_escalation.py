"""An overdue task is brought before the superior by the diagram: what they are told, see and may do about it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from service import clock, errors
from service.clock import CHINA
from service.commands.inbox import escalation, tasks
from service.models import Event, Job, Notification
from tests.commands.conftest import END, START, diagram
from tests.engine.diagrams import ext

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
LATE = datetime(2026, 3, 13, 9, 0, tzinfo=CHINA)
ASKED = '<zeebe:assignmentDefinition candidateGroups="coop.intake"/><zeebe:taskSchedule dueDate="2026-03-11"/>'
NOTICE = (
    '<zeebe:taskDefinition type="notify" retries="2"/><zeebe:ioMapping>'
    '<zeebe:input source=\'="受理逾期"\' target="noteTitle"/><zeebe:input source=\'="请督办。"\' target="noteText"/>'
    '</zeebe:ioMapping><zeebe:taskHeaders><zeebe:header key="to" value="coop.signatory"/></zeebe:taskHeaders>'
)
OVERDUE = diagram(
    f'{START}<userTask id="check" name="受理">{ext(ASKED)}</userTask>{END}'
    '<boundaryEvent id="late" attachedToRef="check" cancelActivity="false"><timerEventDefinition>'
    '<timeDate>="2026-03-12"</timeDate></timerEventDefinition></boundaryEvent>'
    f'<serviceTask id="tell" name="上报">{ext(NOTICE)}</serviceTask><endEvent id="told"/>',
    "s->check; check->e; late->tell; tell->told",
)


@pytest.fixture
def late(office):
    """A task of Li and Zhao that is overdue; Sun signs for their office."""
    office.deploy(OVERDUE)
    office.sun = office.people.user("sun", "coop.signatory", name="孙签")
    with office.database.transaction() as session:
        for one in (office.li, office.zhao, office.sun):
            office.fresh(session, one).email = f"{one.username}@example.org"
    with clock.travel(MONDAY):
        office.case = office.start()
        office.task_id = office.open(office.case)["check"]
    with clock.travel(LATE):
        office.work()
        yield office


def act(office, user, what, **more):
    with office.database.transaction() as session:
        given = {name: office.fresh(session, one) for name, one in more.items()}
        return what(session, office.task_id, user=office.fresh(session, user), **given)


def test_the_superior_is_led_to_the_task_and_the_history_says_who_was_told(late):
    (notice,) = late.rows(Notification, user_id=late.sun.id)
    assert (notice.task_id, notice.text_zh) == (late.task_id, "受理逾期：请督办。")
    (event,) = late.rows(Event, kind="escalation")
    assert (event.task_id, event.element_name, event.data) == (late.task_id, "受理", {"to": ["孙签"]})
    (mail,) = late.rows(Job, topic="mail")
    assert mail.payload["to"] == "sun@example.org"
    assert f"/tasks/{late.task_id}" in mail.payload["text"]


def test_the_superior_urges_once_an_hour_whoever_may_do_it(late):
    act(late, late.sun, escalation.urge)
    for one in (late.li, late.zhao):
        assert any("孙签催办“受理”" in row.text_zh for row in late.rows(Notification, user_id=one.id))
    mails = [one.payload for one in late.rows(Job, topic="mail") if "催办" in one.payload["subject"]]
    assert [one["subject"] for one in mails] == ["[p-2026-0001] 催办：受理"] * 2
    with pytest.raises(errors.Conflict, match="less than an hour"):
        act(late, late.sun, escalation.urge)
    act(late, late.li, tasks.claim)
    with clock.travel(LATE + timedelta(hours=2)):
        act(late, late.sun, escalation.urge)
    told = [row.user_id for row in late.rows(Notification, kind="urged")]
    assert sorted(told) == sorted([late.li.id, late.zhao.id, late.li.id])
    urged = late.rows(Event, kind="urged")
    assert [(one.user_id, one.data["to"]) for one in urged] == [
        (late.sun.id, ["李明", "赵强"]),
        (late.sun.id, ["李明"]),
    ]


def test_the_superior_hands_it_to_another_but_never_does_it(late):
    act(late, late.li, tasks.claim)
    act(late, late.sun, tasks.assign, assignee=late.zhao)
    assert late.task(late.task_id).assignee_id == late.zhao.id
    with pytest.raises(errors.InvalidInput, match="not offered"):
        act(late, late.sun, tasks.assign, assignee=late.sun)
    with pytest.raises(errors.ServiceError):
        act(late, late.sun, tasks.claim)


def test_nobody_else_and_nothing_before_it_is_due(late):
    other = late.people.user("other", "torch.signatory", name="别处")
    for one in (late.li, late.wang, other):
        with pytest.raises(errors.ServiceError):
            act(late, one, escalation.urge)
    with clock.travel(MONDAY), pytest.raises(errors.Forbidden):
        act(late, late.sun, escalation.urge)
    act(late, late.admin, escalation.urge)
