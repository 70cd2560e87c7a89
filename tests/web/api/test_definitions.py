from __future__ import annotations

import pytest

from service.models import Instance

from .conftest import CHECK, DESK, END, START, TWO_TASKS, WITH_FORM, Api, diagram, fields, form, pages, problem, user

ASKED = diagram(
    '<startEvent id="s"><extensionElements><zeebe:formDefinition formId="ask"/></extensionElements></startEvent>'
    + user("a", DESK)
    + END,
    "s -> a -> e",
    pid="asked",
)
ASK = form("ask", "name", required=True)


def definition(api: Api, process_id: str = "p", **query: object) -> dict:
    listed = api.as_("wang").get("/process-definitions", query_string={"process_id": process_id, **query}).get_json()
    return listed["items"][0]


def test_processes_are_listed_with_their_latest_version(api: Api):
    api.office.deploy(TWO_TASKS)
    api.office.deploy(TWO_TASKS.replace(b'name="a"', b'name="other"'))
    listed = api.as_("wang").get("/process-definitions").get_json()
    assert [(one["process_id"], one["version"], one["latest"]) for one in listed["items"]] == [("p", 2, True)]
    assert (listed["total"], listed["next"]) == (1, None)
    both = pages(api.as_("wang"), "/process-definitions", latest="false", limit=1)
    assert [[one["version"] for one in page] for page in both] == [[2], [1]]


def test_a_definition_says_how_it_starts_and_whether_you_may(api: Api):
    api.office.deploy(ASKED, ask__form=ASK)
    number = definition(api, "asked")["id"]
    seen = api.as_("wang").get(f"/process-definitions/{number}").get_json()
    assert seen["start_events"] == [
        {"element_id": "s", "kind": "none", "form_id": "ask", "message_name": None, "timer": None}
    ]
    assert (seen["may_start"], seen["organisations"]) == (True, ["uni"])
    assert api.as_("li").get(f"/process-definitions/{number}").get_json()["may_start"] is False


def test_a_diagram_comes_back_byte_for_byte(api: Api):
    api.office.deploy(TWO_TASKS)
    answer = api.as_("li").get(f"/process-definitions/{definition(api)['id']}/xml")
    assert (answer.data, answer.mimetype) == (TWO_TASKS, "application/xml")


def test_another_authority_s_processes_are_not_there(api: Api):
    api.office.deploy(TWO_TASKS)
    number = definition(api)["id"]
    api.office.people.user("foreign", "applicant.drafter@other", authority="sd")
    assert api.as_("foreign").get("/process-definitions").get_json()["items"] == []
    problem(api.as_("foreign").get(f"/process-definitions/{number}"), 404)
    problem(api.as_("foreign").get(f"/process-definitions/{number}/xml"), 404)
    problem(api.as_("foreign").post("/process-definitions/p/start", {}), 404)


def test_starting_makes_a_case(api: Api):
    api.office.deploy(ASKED, ask__form=ASK)
    started = api.as_("wang").post("/process-definitions/asked/start", {"variables": {"name": "基地"}})
    state = started.get_json()
    assert started.status_code == 201
    assert state["status"] == "active"
    assert started.headers["Location"] == f"/api/v1/process-instances/{state['id']}"
    seen = api.as_("wang").get(started.headers["Location"]).get_json()
    assert seen["number"] == state["number"]
    assert [(one["party"], one["code"]) for one in seen["parties"]] == [("applicant", "uni")]
    assert api.office.variables(state["id"])["name"] == "基地"


def test_a_start_form_is_checked_field_by_field(api: Api):
    api.office.deploy(ASKED, ask__form=ASK)
    refused = api.as_("wang").post("/process-definitions/asked/start", {"variables": {}})
    assert fields(problem(refused, 422, "invalid_form")) == ["variables.name"]
    assert api.office.rows(Instance) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"variables": {"x": 1}}, 400),
        ({"variables": []}, 422),
        ({"variables": None}, 422),
        ({"organisation": 7}, 422),
        ({"organisation": ""}, 422),
        ({"organisation": "elsewhere"}, 403),
        ({"colour": 1}, 422),
    ],
)
def test_a_start_that_cannot_be_is_refused(api: Api, body: dict, status: int):
    api.office.deploy(TWO_TASKS)
    problem(api.as_("wang").post("/process-definitions/p/start", body), status)
    assert api.office.rows(Instance) == []


def test_whoever_speaks_for_two_says_for_which(api: Api):
    api.office.deploy(TWO_TASKS)
    api.office.people.user("both", "applicant.drafter@one", "applicant.drafter@two")
    refused = api.as_("both").post("/process-definitions/p/start", {})
    assert fields(problem(refused, 400)) == ["organisation"]
    started = api.as_("both").post("/process-definitions/p/start", {"organisation": "two"})
    assert started.status_code == 201


def test_only_a_starter_starts(api: Api):
    api.office.deploy(TWO_TASKS)
    problem(api.as_("li").post("/process-definitions/p/start", {}), 403, "forbidden")
    problem(api.as_("wang").post("/process-definitions/unknown/start", {}), 404, "not_found")
    problem(api.as_("wang").post("/process-definitions/%00/start", {}), 404)
    problem(api.as_("wang").post("/process-definitions/7/start", {}), 404)


def test_an_empty_body_is_an_empty_form(api: Api):
    api.office.deploy(TWO_TASKS, WITH_FORM, check__form=CHECK)
    assert api.as_("wang").post("/process-definitions/p/start").status_code == 201


def test_a_start_sent_again_under_its_key_is_one_case(api: Api):
    api.office.deploy(TWO_TASKS)
    headers = {"Idempotency-Key": "filing-1"}
    first = api.as_("wang").post("/process-definitions/p/start", {}, headers=headers)
    again = api.as_("wang").post("/process-definitions/p/start", {}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert len(api.office.rows(Instance)) == 1
    other = api.as_("wang").post("/process-definitions/p/start", {}, headers={"Idempotency-Key": "filing-2"})
    assert other.get_json()["id"] != first.get_json()["id"]


def test_a_key_is_one_person_s_and_for_one_content(api: Api):
    api.office.deploy(ASKED, ask__form=ASK)
    headers = {"Idempotency-Key": '"filing-1"'}
    address = "/process-definitions/asked/start"
    first = api.as_("wang").post(address, {"variables": {"name": "一"}}, headers=headers)
    document = problem(api.as_("wang").post(address, {"variables": {"name": "二"}}, headers=headers), 409, "key_used")
    assert document["when"]
    api.office.people.user("qian", "applicant.drafter@other")
    hers = api.as_("qian").post(address, {"variables": {"name": "二"}}, headers=headers)
    assert hers.status_code == 201
    assert hers.get_json()["id"] != first.get_json()["id"]


def test_a_refused_start_uses_up_no_key(api: Api):
    api.office.deploy(ASKED, ask__form=ASK)
    headers = {"Idempotency-Key": "filing-1"}
    address = "/process-definitions/asked/start"
    problem(api.as_("wang").post(address, {"variables": {}}, headers=headers), 422)
    assert api.as_("wang").post(address, {"variables": {"name": "一"}}, headers=headers).status_code == 201
    problem(api.as_("wang").post(address, {}, headers={"Idempotency-Key": "a b"}), 422)


def test_a_process_may_have_a_chinese_id(api: Api):
    api.office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e", pid="申报"))
    assert api.as_("wang").post("/process-definitions/申报/start", {}).status_code == 201
