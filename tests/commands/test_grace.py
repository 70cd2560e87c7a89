"""A task that was handed in can be taken back until something outside was told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service import clock, errors
from service.commands.inbox import grace
from service.models import Draft, Job, SearchEntry, User
from tests.engine.diagrams import user

from .conftest import DESK, END, START, Office, diagram, form, service

FORMED = DESK + '<zeebe:formDefinition formId="f"/>'
TELLING = diagram(
    START + user("a", FORMED) + service("tell", "tell_outside") + user("b", DESK) + END, "s -> a -> tell -> b -> e"
)
ENDING = diagram(START + user("a", FORMED) + END, "s -> a -> e")


@pytest.fixture
def told(topics: Any) -> list[int]:
    """A handler that writes down how often it was called."""
    calls: list[int] = []

    @topics("tell_outside")
    def tell(session: Any, job: Any) -> None:
        calls.append(1)

    return calls


def hand_in(office: Office, task_id: int, user: User, seconds: int = 10, **values: Any) -> None:
    with office.database.transaction() as session:
        grace.hand_in(session, task_id, values, user=office.fresh(session, user), version=None, seconds=seconds)


def take_back(office: Office, task_id: int, user: User) -> None:
    with office.database.transaction() as session:
        grace.take_back(session, task_id, user=office.fresh(session, user))


def test_what_a_task_sets_off_waits_until_it_can_no_longer_be_taken_back(office: Office, told: list[int]):
    office.deploy(TELLING, f__form=form("f", "opinion"))
    with clock.travel(clock.now()):
        case = office.start()
        hand_in(office, office.open(case)["a"], office.li, opinion="同意")
        office.work()
        assert told == []
        clock.advance(timedelta(seconds=11))
        office.work()
        assert told == [1]
        assert list(office.open(case)) == ["b"]


def test_taken_back_in_time_nothing_has_happened_and_what_was_filled_in_is_a_draft(office: Office, told: list[int]):
    office.deploy(TELLING, f__form=form("f", "opinion"))
    with clock.travel(clock.now()):
        case = office.start()
        task_id = office.open(case)["a"]
        before = office.instance(case).state
        hand_in(office, task_id, office.li, opinion="写错了")
        take_back(office, task_id, office.li)
        assert office.open(case) == {"a": task_id}
        assert office.instance(case).state == before
        assert [one.values for one in office.rows(Draft)] == [{"opinion": "写错了"}]
        assert {one.said for one in office.rows(SearchEntry)} == {""}, "nobody finds what was taken back"
        clock.advance(timedelta(seconds=60))
        office.work()
        assert told == []
        assert {one.status for one in office.rows(Job) if one.kind == "service"} == {"cancelled"}
        office.complete(task_id, office.li, opinion="改好了")
        office.work()
        assert told == [1]
        assert office.variables(case)["opinion"] == "改好了"
    assert "taken_back" in office.kinds(case)


def test_a_case_that_ended_by_it_lives_again(office: Office):
    office.deploy(ENDING, f__form=form("f", "opinion"))
    case = office.start()
    task_id = office.open(case)["a"]
    hand_in(office, task_id, office.li, opinion="x")
    assert office.instance(case).status == "completed"
    take_back(office, task_id, office.li)
    again = office.instance(case)
    assert (again.status, again.ended_at, again.end_event) == ("active", None, None)


def test_it_is_taken_back_by_who_handed_it_in_in_time_and_before_others_go_on(office: Office):
    office.deploy(
        diagram(START + user("a", FORMED) + user("b", FORMED) + END, "s -> a -> b -> e"), f__form=form("f", "opinion")
    )
    with clock.travel(clock.now()):
        case = office.start()
        task_id = office.open(case)["a"]
        hand_in(office, task_id, office.li, opinion="x")
        with pytest.raises(errors.NotFound):
            take_back(office, task_id, office.zhao)
        office.complete(office.open(case)["b"], office.zhao, opinion="y")
        with pytest.raises(errors.Conflict) as moved:
            take_back(office, task_id, office.li)
        assert moved.value.code == "moved"
        other = office.start()
        late = office.open(other)["a"]
        hand_in(office, late, office.li, opinion="x")
        clock.advance(timedelta(seconds=11))
        with pytest.raises(errors.Conflict) as refused:
            take_back(office, late, office.li)
        assert refused.value.code == "too_late"
