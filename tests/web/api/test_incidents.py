from __future__ import annotations

import pytest

from .conftest import DESK, END, START, Api, diagram, fields, pages, problem, user

CHOICE = diagram(
    START + '<exclusiveGateway id="g"/>' + user("a", DESK) + user("b", DESK) + END,
    "s -> g; g -[=score > 60]-> a; g -[=score < 10]-> b; a -> e; b -> e",
)


@pytest.fixture
def stuck(api: Api) -> int:
    """A case that no flow of a gateway leads on."""
    api.office.deploy(CHOICE)
    case = api.office.start()
    assert api.office.incidents(case)
    return case


def incident(api: Api, case: int) -> int:
    return api.office.incidents(case)[0].id


def test_an_administrator_sees_what_is_stuck_and_why(api: Api, stuck: int):
    found = api.as_("admin").get(f"/incidents?instance_id={stuck}").get_json()
    assert found["total"] == 1
    one = found["items"][0]
    assert (one["element_id"], one["instance_id"]) == ("g", stuck)
    assert one["message_zh"]
    assert one["message_en"]
    assert one["instance_number"] == api.office.instance(stuck).number
    assert api.as_("admin").get("/incidents?cause=other").get_json()["items"] == []
    assert api.as_("admin").get("/incidents?process_id=p").get_json()["total"] == 1


def test_incidents_are_read_page_by_page(api: Api, stuck: int):
    more = [api.office.start() for _ in range(2)]
    found = pages(api.as_("admin"), "/incidents", limit=2)
    assert [[one["instance_id"] for one in page] for page in found] == [more[::-1], [stuck]]


def test_nobody_else_sees_or_retries_incidents(api: Api, stuck: int):
    number, before = incident(api, stuck), api.version(stuck)
    for person in ("wang", "li"):
        problem(api.as_(person).get("/incidents"), 403)
        problem(api.as_(person).post(f"/incidents/{number}/retry"), 404)
    api.office.people.user("foreign", "platform.admin", authority="sd")
    assert api.as_("foreign").get("/incidents").get_json()["items"] == []
    problem(api.as_("foreign").post(f"/incidents/{number}/retry"), 404)
    assert api.version(stuck) == before


def test_a_retry_with_what_was_missing_goes_on(api: Api, stuck: int):
    number = incident(api, stuck)
    tried = api.as_("admin").post(f"/incidents/{number}/retry", {"variables": {"score": 61}})
    assert (tried.status_code, tried.get_json()["id"]) == (200, number)
    assert tried.get_json()["resolved_at"]
    assert list(api.office.open(stuck)) == ["a"]
    problem(api.as_("admin").post(f"/incidents/{number}/retry"), 409, "incident_resolved")
    assert api.as_("admin").get("/incidents").get_json()["items"] == []
    assert api.as_("admin").get("/incidents?state=all").get_json()["items"][0]["resolved_by"]


def test_a_retry_that_helps_nothing_is_an_incident_again(api: Api, stuck: int):
    assert api.as_("admin").post(f"/incidents/{incident(api, stuck)}/retry").status_code == 200
    assert api.office.instance(stuck).status == "incident"
    assert len(api.office.incidents(stuck)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({"variables": []}, "variables"), ({"colour": 1}, "colour"), ({"variables": {"x": 2**60}}, "variables")],
)
def test_a_retry_that_cannot_be_is_refused(api: Api, stuck: int, body: dict, field: str):
    before = api.version(stuck)
    assert fields(problem(api.as_("admin").post(f"/incidents/{incident(api, stuck)}/retry", body), 422)) == [field]
    assert api.version(stuck) == before
