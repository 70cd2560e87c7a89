"""Two programs do the same thing at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.models import Event, Instance, PublishedMessage

from .conftest import TWO_TASKS, Api, Caller, problem


def together(*calls: Callable[[], TestResponse]) -> list[TestResponse]:
    """Let all of them loose at once."""
    start = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        start.wait()
        answers[number] = calls[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.fixture
def both(api: Api) -> list[Caller]:
    """Two people of one desk, each with a program."""
    return [api.as_("li"), api.as_("zhao")]


def test_of_two_who_complete_one_task_one_succeeds_and_the_other_learns_who_and_when(
    api: Api, both: list[Caller], task: int, case: int
):
    before = api.version(case)
    answers = together(*[lambda one=one: one.post(f"/tasks/{task}/complete", {}) for one in both])  # type: ignore[misc]
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200, won.get_json()
    document = problem(lost, 409, "task_over")
    assert document["who"] == ("李明" if answers.index(won) == 0 else "赵强")
    assert document["when"] == won.get_json()["completed_at"]
    # The case has moved by exactly the one step that counted.
    assert api.version(case) == before + 1
    assert [one.kind for one in api.office.rows(Event, instance_id=case, kind="completed")] == ["completed"]
    assert list(api.office.open(case)) == ["b"]


def test_of_many_who_claim_one_task_exactly_one_has_it(api: Api, both: list[Caller], task: int):
    answers = together(*[lambda one=one: one.post(f"/tasks/{task}/claim") for one in both])  # type: ignore[misc]
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert problem(lost, 409, "task_taken")["who"] in ("李明", "赵强")


def test_of_two_who_work_from_one_version_only_the_first_gets_through(api: Api, both: list[Caller], task: int):
    tag = both[0].get(f"/tasks/{task}").headers["ETag"]
    calls = [lambda one=one: one.post(f"/tasks/{task}/claim", headers={"If-Match": tag}) for one in both]
    answers = together(*calls)
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert sorted(answer.status_code for answer in answers)[1] in (409, 412)


def test_the_same_message_said_by_two_counts_once(api: Api):
    api.as_("admin")
    other = Caller(api.app, api.token("admin"))
    body = {"name": "letter", "key": "k", "message_id": "one"}
    answers = together(lambda: api.as_("admin").post("/messages", body), lambda: other.post("/messages", body))
    assert Counter(answer.status_code for answer in answers) == {200: 2}
    assert answers[0].get_json()["id"] == answers[1].get_json()["id"]
    assert len(api.office.rows(PublishedMessage)) == 1


def test_the_same_bundle_deployed_by_two_is_deployed_once(api: Api):
    api.as_("admin")
    other = Caller(api.app, api.token("admin"))
    answers = together(lambda: api.as_("admin").deploy(TWO_TASKS), lambda: other.deploy(TWO_TASKS))
    assert {answer.get_json()["id"] for answer in answers} == {answers[0].get_json()["id"]}
    assert all(answer.status_code in (200, 201) for answer in answers)


def test_many_programs_start_cases_at_once_and_each_gets_its_own_number(api: Api):
    api.office.deploy(TWO_TASKS)
    callers = [Caller(api.app, api.token("wang")) for _ in range(6)]
    answers = together(*[lambda one=one: one.post("/process-definitions/p/start", {}) for one in callers])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["number"] for answer in answers}) == 6
    assert len(api.office.rows(Instance)) == 6


def test_one_start_sent_twice_at_once_is_one_case(api: Api):
    api.office.deploy(TWO_TASKS)
    callers = [Caller(api.app, api.token("wang")) for _ in range(2)]
    headers = {"Idempotency-Key": "filing-1"}
    calls = [lambda one=one: one.post("/process-definitions/p/start", {}, headers=headers) for one in callers]
    answers = together(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len(api.office.rows(Instance)) == 1
