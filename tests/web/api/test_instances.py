from __future__ import annotations

import pytest

from service.commands.administration import parties

from .conftest import TWO_TASKS, Api, fields, pages, problem


@pytest.fixture
def cases(api: Api) -> list[int]:
    api.office.deploy(TWO_TASKS)
    return [api.office.start() for _ in range(3)]


def test_cases_are_listed_newest_first_page_by_page(api: Api, cases: list[int]):
    found = pages(api.as_("li"), "/process-instances", limit=2)
    assert [[one["id"] for one in page] for page in found] == [[cases[2], cases[1]], [cases[0]]]
    first = api.as_("li").get("/process-instances?limit=2").get_json()
    assert (first["total"], first["capped"]) == (3, False)


def test_the_search_filters_as_the_list_does(api: Api, cases: list[int]):
    api.office.do(cases[0], "a")
    api.office.do(cases[0], "b")
    listed = api.as_("li").get("/process-instances?status=active&status=incident&process_id=p").get_json()
    found = api.as_("li").post(
        "/process-instances/search", {"filter": {"status": ["active", "incident"], "process_id": "p"}}
    )
    assert [one["id"] for one in found.get_json()["items"]] == [cases[2], cases[1]]
    assert found.get_json() == listed
    mine = api.as_("li").post("/process-instances/search", {"filter": {"started_by_me": True}}).get_json()
    assert mine["items"] == []
    number = listed["items"][0]["number"]
    text = api.as_("li").post("/process-instances/search", {"filter": {"text": number}}).get_json()
    assert [one["number"] for one in text["items"]] == [number]
    host = api.as_("li").post("/process-instances/search", {"filter": {"party": "applicant", "organisation": "uni"}})
    assert host.get_json()["total"] == 3


def test_a_mark_belongs_to_its_own_list(api: Api, cases: list[int]):
    first = api.as_("li").post("/process-instances/search", {"page": {"limit": 1}}).get_json()
    other = {"filter": {"status": ["active"]}, "page": {"after": first["next"]}}
    assert fields(problem(api.as_("li").post("/process-instances/search", other), 422)) == ["page.after"]
    assert fields(problem(api.as_("li").get(f"/tasks?after={first['next']}"), 422)) == ["after"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": {"status": "active"}}, "filter.status"),
        ({"filter": {"status": ["lost"]}}, "filter.status.0"),
        ({"filter": {"status": []}}, "filter.status"),
        ({"sort": "number"}, "sort"),
        ({"page": {"after": 7}}, "page.after"),
    ],
)
def test_a_search_that_cannot_be_is_refused(api: Api, body: dict, field: str):
    assert fields(problem(api.as_("li").post("/process-instances/search", body), 422)) == [field]


def test_a_case_says_where_it_waits(api: Api, cases: list[int]):
    seen = api.as_("wang").get(f"/process-instances/{cases[0]}").get_json()
    assert seen["status"] == "active"
    assert [one["element_id"] for one in seen["tasks"]] == ["a"]
    assert (seen["may_read_variables"], seen["may_cancel"]) == (False, False)
    assert api.as_("admin").get(f"/process-instances/{cases[0]}").get_json()["may_cancel"] is True


def test_history_is_read_page_by_page_in_both_directions(api: Api, cases: list[int]):
    api.office.do(cases[0], "a")
    address = f"/process-instances/{cases[0]}/history"
    forward = [one["id"] for page in pages(api.as_("li"), address, limit=2) for one in page]
    backward = [one["id"] for page in pages(api.as_("li"), address, limit=2, sort="-at") for one in page]
    assert forward == sorted(forward)
    assert backward == forward[::-1]
    acts = api.as_("li").get(f"{address}?kind=completed&kind=started").get_json()["items"]
    assert [one["kind"] for one in acts] == ["started", "completed"]
    assert acts[1]["user"] == "李明"


def test_an_applicant_reads_neither_data_nor_variables(api: Api, cases: list[int]):
    facts = api.as_("wang").get(f"/process-instances/{cases[0]}/history").get_json()["items"]
    assert facts
    assert all(one["data"] == {} for one in facts)
    problem(api.as_("wang").get(f"/process-instances/{cases[0]}/variables"), 404)
    variables = api.as_("li").get(f"/process-instances/{cases[0]}/variables").get_json()["variables"]
    assert variables["parties"] == {"applicant": "uni"}


def test_somebody_else_s_case_is_not_there(api: Api, cases: list[int]):
    api.office.people.user("other", "applicant.drafter@other")
    api.office.people.user("foreign", "coop.intake", authority="sd")
    for person in ("other", "foreign"):
        assert api.as_(person).get("/process-instances").get_json()["total"] == 0
        for rest in ("", "/history", "/variables"):
            problem(api.as_(person).get(f"/process-instances/{cases[0]}{rest}"), 404, "not_found")


def test_an_administrator_ends_a_case_for_good(api: Api, cases: list[int]):
    ended = api.as_("admin").post(f"/process-instances/{cases[0]}/cancel", {"reason": "重复申报"})
    assert (ended.status_code, ended.get_json()["status"]) == (200, "terminated")
    problem(api.as_("admin").post(f"/process-instances/{cases[0]}/cancel", {"reason": "再次"}), 409, "instance_over")


def test_nobody_else_ends_a_case_and_not_without_a_reason(api: Api, cases: list[int]):
    address, before = f"/process-instances/{cases[0]}/cancel", api.version(cases[0])
    assert api.as_("wang").post(address, {"reason": "x"}).status_code in (403, 404)
    assert api.as_("li").post(address, {"reason": "x"}).status_code in (403, 404)
    api.office.people.user("foreign", "platform.admin", authority="sd")
    assert api.as_("foreign").post(address, {"reason": "x"}).status_code in (403, 404)
    assert fields(problem(api.as_("admin").post(address, {}), 422)) == ["reason"]
    assert fields(problem(api.as_("admin").post(address, {"reason": ""}), 422)) == ["reason"]
    assert api.version(cases[0]) == before


def test_cases_are_found_by_any_of_their_parties(api: Api, cases: list[int]):
    with api.office.database.transaction() as session:
        admin = api.office.fresh(session, api.office.admin)
        sd = api.office.people._organisation(session, "most", "sd")
        parties.name(session, cases[1], "recommender", sd, user=admin, reason="属地")

    def found(**query: str) -> list[int]:
        items = api.as_("li").get("/process-instances", query_string=query).get_json()["items"]
        return [one["id"] for one in items]

    assert found(party="recommender") == [cases[1]]
    assert found(organisation="sd") == [cases[1]]
    assert found(party="applicant", organisation="sd") == []
    assert found(organisation="uni") == cases[::-1]
