"""What can go on but should be looked at: late, slow, bound to be late, left alone, going in circles, an orphan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service import clock
from service.commands.inbox import tasks
from service.models import Instance
from service.queries import stuck
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, user

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DUE = DESK + '<zeebe:taskSchedule dueDate="=now() + duration(&quot;P10D&quot;)"/>'
ROUND = diagram(
    START
    + '<exclusiveGateway id="back"/>'
    + user("a", DESK)
    + '<exclusiveGateway id="again" default="again_e"/>'
    + END,
    "s -> back -> a -> again -> e; again -[=more]-> back",
    pid="round",
)


@pytest.fixture
def busy(cockpit: Cockpit):
    """A step that usually takes an hour, twenty-five times in a row, with a deadline of ten days."""
    cockpit.office.deploy(diagram(START + user("a", DUE) + END, "s -> a -> e"), ROUND)
    with clock.travel(NOW):
        for _ in range(25):
            case = cockpit.office.start()
            clock.advance(timedelta(hours=1))
            cockpit.office.do(case, "a")
        cockpit.upkeep.learn()
        yield cockpit


def symptoms(cockpit: Cockpit, case: int) -> set[str]:
    cockpit.upkeep.check()
    cockpit.upkeep.diagnose()
    with cockpit.database.transaction(readonly=True) as session:
        admin = cockpit.office.fresh(session, cockpit.office.admin)
        return {
            group.code
            for group in stuck.groups(session, admin)
            if group.kind == "symptom"
            and case in {one.instance_id for one in stuck.rows(session, admin, symptom=group.code).items}
        }


def test_a_step_is_slow_beyond_the_learned_ninety_fifth_percentile_then_overdue_then_untouched(busy):
    case = busy.office.start()
    clock.advance(timedelta(minutes=59))
    assert symptoms(busy, case) == set()
    clock.advance(timedelta(minutes=5))
    assert symptoms(busy, case) == {"slow"}
    clock.advance(timedelta(days=10))
    assert symptoms(busy, case) == {"slow", "overdue"}
    clock.advance(timedelta(days=21))
    assert symptoms(busy, case) == {"slow", "overdue", "untouched"}
    busy.office.do(case, "a")
    assert symptoms(busy, case) == set()


def test_a_deadline_that_will_be_missed_at_the_usual_pace_is_forecast(busy):
    case = busy.office.start()
    task = busy.office.task(busy.office.open(case)["a"])
    busy.perform(case, "extend", token=task.token, due=(clock.now() + timedelta(minutes=50)).isoformat())
    assert symptoms(busy, case) == {"forecast"}
    clock.advance(timedelta(minutes=55))
    assert symptoms(busy, case) == {"overdue"}


def test_a_case_that_goes_in_circles_is_noticed(busy):
    case = busy.office.start("round")
    for number in range(8):
        assert "looping" not in symptoms(busy, case), number
        busy.perform(case, "variables", variables={"more": True})
        busy.office.do(case, "a")
    assert "looping" in symptoms(busy, case)


def test_a_case_whose_parent_was_terminated_is_an_orphan(busy):
    parent, child = busy.office.start(), busy.office.start()
    with busy.database.transaction() as session:
        session.get_one(Instance, child).parent_instance_id = parent
    assert symptoms(busy, child) == set()
    busy.perform(parent, "terminate")
    assert symptoms(busy, child) == {"orphan"}


def test_the_overloaded_leavers_and_thin_roles_are_named(busy):
    office = busy.office
    cases = [office.start() for _ in range(3)]
    for case in cases:
        with busy.database.transaction() as session:
            task = stuck.Task
            found = session.query(task).filter_by(instance_id=case, status="open").one()
            tasks.claim(session, found.id, user=office.fresh(session, office.li))
    with busy.database.transaction(readonly=True) as session:
        admin = office.fresh(session, office.admin)
        assert [(one.username, one.open, one.active) for one in stuck.loads(session, admin)] == [("li", 3, True)]
        assert stuck.thin_roles(session, admin) == []
    busy.sql('UPDATE "user" SET active = :no WHERE id = :id', id=office.li.id, no=False)
    with busy.database.transaction(readonly=True) as session:
        admin = office.fresh(session, office.admin)
        assert [one.active for one in stuck.loads(session, admin)] == [False]
        assert [(one.members, one.person, one.open) for one in stuck.thin_roles(session, admin)] == [(1, "赵强", 3)]
