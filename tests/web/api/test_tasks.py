from __future__ import annotations

import pytest

from service.commands.inbox import drafts
from tests.statements import counted

from .conftest import CHECK, DESK, END, START, WITH_FORM, Api, diagram, fields, pages, problem, user

FREE = diagram(START + user("a", DESK) + END, "s -> a -> e", pid="free")


@pytest.fixture
def asked(api: Api) -> int:
    """A task with a form of two fields that are asked for."""
    api.office.deploy(WITH_FORM, check__form=CHECK)
    return api.office.open(api.office.start("checked"))["a"]


def etag(api: Api, task: int, person: str = "li") -> str:
    return api.as_(person).get(f"/tasks/{task}").headers["ETag"]


def test_the_inbox_is_read_box_by_box(api: Api, task: int):
    li = api.as_("li")
    assert [one["id"] for one in li.get("/tasks?box=group").get_json()["items"]] == [task]
    li.post(f"/tasks/{task}/claim")
    assert li.get("/tasks?box=group").get_json()["items"] == []
    mine = li.get("/tasks?box=mine").get_json()
    assert [(one["id"], one["assignee"]) for one in mine["items"]] == [(task, "李明")]
    li.post(f"/tasks/{task}/complete", {})
    done = li.post("/tasks/search", {"filter": {"box": "done"}}).get_json()
    assert [(one["id"], one["status"]) for one in done["items"]] == [(task, "completed")]


@pytest.mark.parametrize("sort", ["due_at", "-created_at", "-priority"])
@pytest.mark.parametrize("box", ["all", "group"])
def test_tasks_are_read_page_by_page_in_every_order(api: Api, sort: str, box: str):
    api.office.deploy(FREE)
    tasks = [api.office.open(api.office.start("free"))["a"] for _ in range(5)]
    found = pages(api.as_("li"), "/tasks", sort=sort, box=box, limit=2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(one["id"] for page in found for one in page) == tasks


def test_a_search_takes_filter_sort_and_page(api: Api, case: int):
    body = {"filter": {"instance_id": case, "process_id": "p", "element_id": "a", "status": "open", "overdue": False}}
    found = api.as_("li").post("/tasks/search", {**body, "sort": "-created_at", "page": {"limit": 1}}).get_json()
    assert (found["total"], found["next"], len(found["items"])) == (1, None, 1)
    assert api.as_("li").post("/tasks/search", {"filter": {"overdue": True}}).get_json()["items"] == []
    assert api.as_("li").post("/tasks/search", {"filter": {"text": "没有"}}).get_json()["items"] == []


def test_a_task_says_what_you_may_do_with_it(api: Api, task: int):
    seen = api.as_("li").get(f"/tasks/{task}")
    facts = seen.get_json()
    assert (facts["may_claim"], facts["may_unclaim"], facts["may_complete"], facts["may_assign"]) == (
        True,
        False,
        True,
        True,
    )
    assert {one["name"] for one in facts["assignable"]} == {"李明", "赵强"}
    assert facts["candidates"][0]["role_zh"]
    assert seen.headers["ETag"].startswith('"1-')
    problem(api.as_("wang").get(f"/tasks/{task}"), 404)


def test_a_task_that_has_not_changed_need_not_be_sent_again(api: Api, task: int):
    tag = etag(api, task)
    assert api.as_("li").get(f"/tasks/{task}", headers={"If-None-Match": tag}).status_code == 304
    api.as_("li").post(f"/tasks/{task}/claim")
    again = api.as_("li").get(f"/tasks/{task}", headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["ETag"] != tag) == (200, True)


def test_a_form_comes_with_its_values_and_your_draft(api: Api, asked: int):
    with api.office.database.transaction() as session:
        drafts.save(session, asked, {"reason": "半"}, user=api.office.fresh(session, api.office.li))
    opened = api.as_("li").get(f"/tasks/{asked}/form").get_json()
    assert (opened["form_id"], opened["form"]["id"]) == ("check", "check")
    assert opened["draft"] == {"reason": "半"}
    assert opened["draft_saved_at"]
    assert api.as_("zhao").get(f"/tasks/{asked}/form").get_json()["draft"] is None
    problem(api.as_("wang").get(f"/tasks/{asked}/form"), 404)


def test_a_task_without_a_form_asks_nothing(api: Api, task: int):
    opened = api.as_("li").get(f"/tasks/{task}/form").get_json()
    assert opened == {"form_id": None, "form": None, "data": {}, "draft": None, "draft_saved_at": None}


def test_claiming_and_putting_back(api: Api, task: int):
    claimed = api.as_("li").post(f"/tasks/{task}/claim", {}).get_json()
    assert claimed["assignee_id"] == api.office.li.id
    document = problem(api.as_("zhao").post(f"/tasks/{task}/claim"), 409, "task_taken")
    assert (document["who"], document["when"]) == ("李明", claimed["claimed_at"])
    problem(api.as_("zhao").post(f"/tasks/{task}/unclaim"), 403)
    problem(api.as_("zhao").post(f"/tasks/{task}/complete"), 409, "task_taken")
    back = api.as_("li").post(f"/tasks/{task}/unclaim").get_json()
    assert back["assignee_id"] is None
    assert api.as_("zhao").post(f"/tasks/{task}/claim").status_code == 200


def test_handing_over_by_number_and_by_name(api: Api, task: int):
    given = api.as_("li").post(f"/tasks/{task}/assign", {"username": "zhao"})
    assert given.get_json()["assignee_id"] == api.office.zhao.id
    back = api.as_("admin").post(f"/tasks/{task}/assign", {"assignee_id": api.office.li.id})
    assert back.get_json()["assignee_id"] == api.office.li.id


def test_a_task_goes_only_to_whom_it_is_offered_and_nobody_learns_who_exists(api: Api, task: int):
    address = f"/tasks/{task}/assign"
    for body in (
        {"username": "wang"},
        {"username": "nobody"},
        {"assignee_id": api.office.wang.id},
        {"assignee_id": 999},
    ):
        document = problem(api.as_("li").post(address, body), 422)
        assert document["errors"][0]["en"] == "This task is not offered to that person."
    assert fields(problem(api.as_("li").post(address, {}), 422)) == [""]
    assert fields(problem(api.as_("li").post(address, {"username": "zhao", "assignee_id": 1}), 422)) == [""]
    problem(api.as_("wang").post(address, {"username": "li"}), 404)
    api.as_("zhao").post(f"/tasks/{task}/claim")
    problem(api.as_("li").post(address, {"username": "li"}), 403)
    api.as_("zhao").post(f"/tasks/{task}/complete")
    problem(api.as_("li").post(address, {"username": "li"}), 409, "task_over")


def test_handing_in_moves_the_case_on(api: Api, task: int, case: int):
    done = api.as_("li").post(f"/tasks/{task}/complete", {"variables": {}}).get_json()
    assert (done["status"], done["instance_status"]) == ("completed", "active")
    last = api.office.open(case)["b"]
    assert api.as_("li").post(f"/tasks/{last}/complete").get_json()["instance_status"] == "completed"


def test_a_replayed_completion_is_409_with_who_and_when(api: Api, task: int, case: int):
    first = api.as_("li").post(f"/tasks/{task}/complete", {}).get_json()
    before = api.version(case)
    for person in ("li", "zhao"):
        document = problem(api.as_(person).post(f"/tasks/{task}/complete", {}), 409, "task_over")
        assert (document["who"], document["when"]) == ("李明", first["completed_at"])
    problem(api.as_("zhao").post(f"/tasks/{task}/claim"), 409, "task_over")
    assert api.version(case) == before


def test_values_are_checked_as_the_form_checks_them(api: Api, asked: int):
    case = api.office.task(asked).instance_id
    before = api.version(case)
    document = problem(api.as_("li").post(f"/tasks/{asked}/complete", {"variables": {"decision": "accept"}}), 422)
    assert fields(document) == ["variables.reason"]
    assert document["errors"][0]["zh"] != document["errors"][0]["en"]
    assert document["errors"][0]["en"].isascii()
    assert api.version(case) == before
    body = {"variables": {"decision": "accept", "reason": "齐全"}}
    assert api.as_("li").post(f"/tasks/{asked}/complete", body).status_code == 200
    assert api.as_("li").get(f"/tasks/{asked}").get_json()["submitted"] == body["variables"]


def test_values_that_no_form_asks_for_are_refused(api: Api, task: int, case: int):
    before = api.version(case)
    refused = api.as_("li").post(f"/tasks/{task}/complete", {"variables": {"x": 1}})
    assert fields(problem(refused, 400)) == ["variables.x"]
    refused = api.as_("admin").post(f"/tasks/{task}/complete", {"variables": {"parties": {}}})
    assert refused.status_code in (400, 403)
    assert api.version(case) == before


@pytest.mark.parametrize("verb", ["claim", "unclaim", "assign", "complete"])
def test_whoever_works_from_an_old_version_is_told_the_new_one(api: Api, task: int, case: int, verb: str):
    old = etag(api, task)
    if verb != "claim":
        api.as_("li").post(f"/tasks/{task}/claim")
    else:
        api.as_("li").post(f"/tasks/{task}/claim")
        api.as_("li").post(f"/tasks/{task}/unclaim")
    before = api.version(case)
    body = {"username": "zhao"} if verb == "assign" else {}
    document = problem(api.as_("li").post(f"/tasks/{task}/{verb}", body, headers={"If-Match": old}), 412, "stale")
    assert document["given"] == 1
    assert document["current"] == api.office.task(task).version
    assert api.version(case) == before
    fresh = etag(api, task)
    assert api.as_("li").post(f"/tasks/{task}/{verb}", body, headers={"If-Match": fresh}).status_code == 200


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("*", 200),
        ("", 400),
        ('"7"', 412),
        ('W/"1-00000000"', 412),
        ("1", 400),
        ('"1', 400),
        ('"1-00000000", "2-00000000"', 400),
    ],
)
def test_an_if_match_is_one_tag(api: Api, task: int, tag: str, status: int):
    answer = api.as_("li").post(f"/tasks/{task}/claim", headers={"If-Match": tag})
    assert answer.status_code == status
    if status != 200:
        assert fields(problem(answer, status)) == ["If-Match"]


def test_verbs_take_no_other_fields(api: Api, task: int):
    for verb in ("claim", "unclaim"):
        assert fields(problem(api.as_("li").post(f"/tasks/{task}/{verb}", {"user": "zhao"}), 422)) == ["user"]
    assert fields(problem(api.as_("li").post(f"/tasks/{task}/complete", {"values": {}}), 422)) == ["values"]


@pytest.mark.parametrize("verb", ["claim", "unclaim", "complete"])
def test_somebody_else_s_task_is_not_there(api: Api, task: int, case: int, verb: str):
    before = api.version(case)
    api.office.people.user("foreign", "coop.intake", authority="sd")
    for person in ("wang", "foreign"):
        problem(api.as_(person).post(f"/tasks/{task}/{verb}"), 404, "not_found")
    assert api.version(case) == before


def test_handing_in_throws_the_draft_away(api: Api, asked: int):
    with api.office.database.transaction() as session:
        drafts.save(session, asked, {"reason": "半"}, user=api.office.fresh(session, api.office.li))
    body = {"variables": {"decision": "accept", "reason": "齐全"}}
    assert api.as_("li").post(f"/tasks/{asked}/complete", body).status_code == 200
    assert api.as_("li").get(f"/tasks/{asked}/form").get_json()["draft"] is None


def test_handing_in_costs_few_statements(api: Api, task: int):
    api.as_("li").get("/tasks")
    with counted(api.office.database) as statements:
        api.as_("li").post(f"/tasks/{task}/complete", {})
    assert len(statements) <= 13
