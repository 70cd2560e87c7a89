"""People who are away: their tasks are somebody's, or an incident says that they are nobody's."""

from __future__ import annotations

from datetime import timedelta

from service import clock
from service.models import Deputy
from tests.cockpit.conftest import Cockpit
from tests.cockpit.test_injection import of_role


def on_leave(cockpit: Cockpit, *, signs: bool) -> Deputy:
    """The only signatory is away; somebody of the same office stands in."""
    people, today = cockpit.office.people, clock.today()
    away, beside = people.user("away", "coop.signatory"), people.user("beside", "coop.organiser")
    with cockpit.database.transaction() as session:
        made = Deputy(
            authority_id=away.authority_id, principal_id=away.id, deputy_id=beside.id, first_day=today,
            last_day=today + timedelta(days=5), signs=signs, created_at=clock.now(), created_by_id=away.id,
        )  # fmt: skip
        session.add(made)
    return made


def test_a_task_that_is_lent_to_a_deputy_raises_no_alarm(cockpit):
    cockpit.office.deploy(of_role("signing", "coop.signatory"))
    on_leave(cockpit, signs=True)
    case = cockpit.office.start("signing")
    cockpit.check()
    assert cockpit.causes(case) == set()


def test_a_task_of_an_absent_person_that_is_not_lent_is_an_incident_until_they_return(cockpit):
    cockpit.office.deploy(of_role("signing", "coop.signatory"))
    on_leave(cockpit, signs=False)
    case = cockpit.office.start("signing")
    cockpit.check()
    assert cockpit.causes(case) == {"all_absent"}
    assert "不在岗" in cockpit.office.incidents(case)[0].message_zh
    with clock.travel(clock.now() + timedelta(days=7)):
        cockpit.check()
        assert cockpit.causes(case) == set()
