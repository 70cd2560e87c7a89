from __future__ import annotations

import pytest

from .conftest import PREFIX, Api, fields, problem

SEARCH = "/tasks/search"


@pytest.mark.parametrize(
    ("accepted", "title", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "不存在或无权查看", "zh-CN"),
        ("en-GB,en;q=0.9", "Not found, or not yours to see", "en"),
        ("fr, en;q=0.3", "Not found, or not yours to see", "en"),
        ("fr", "不存在或无权查看", "zh-CN"),
    ],
)
def test_a_problem_speaks_the_caller_s_language(api: Api, accepted: str, title: str, language: str):
    refused = api.as_("li").get("/tasks/99", headers={"Accept-Language": accepted})
    document = problem(refused, 404, "not_found")
    assert document["title"] == title
    assert document["detail"] == document["en" if language == "en" else "zh"]
    assert document["instance"] == f"{PREFIX}/tasks/99"
    assert refused.headers["Content-Language"] == language
    assert "Accept-Language" in refused.headers["Vary"]


@pytest.mark.parametrize("path", ["/nothing", "/tasks/", "/tasks/7/undo", "/tasks/7/claim/", ""])
def test_an_unknown_address_is_a_problem_too(api: Api, path: str):
    problem(api.as_("li").get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/tasks/7", "GET"), ("PUT", "/tasks", "GET"), ("GET", "/messages", "POST"), ("PATCH", SEARCH, "POST")],
)
def test_a_wrong_method_is_told_the_right_ones(api: Api, method: str, path: str, allowed: str):
    refused = api.as_("li").call(method, path)
    problem(refused, 405, "method_not_allowed")
    assert allowed in refused.headers["Allow"]


def test_head_and_options_are_answered(api: Api):
    got, headed = api.as_("li").get("/tasks"), api.as_("li").call("HEAD", "/tasks")
    assert (headed.status_code, headed.data) == (200, b"")
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]
    options = api.nobody.call("OPTIONS", "/tasks")
    assert options.status_code in (200, 204)
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nothing",
        b'{"filter": }',
        b"\xff\xfe",
        b'{"filter": {"text": "\\ud800"}}',
        b"[" * 5000,
        '{"a": "é"}'.encode("latin-1"),
    ],
)
def test_what_is_no_json_is_400(api: Api, body: bytes):
    problem(api.as_("li").post(SEARCH, data=body, content_type="application/json"), 400, "bad_json")


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"null", b"true"])
def test_json_that_is_no_object_is_422(api: Api, body: bytes):
    problem(api.as_("li").post(SEARCH, data=body, content_type="application/json"), 422, "invalid_fields")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=gb18030"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ],
)
def test_what_does_not_say_that_it_is_json_is_415(api: Api, headers: dict[str, str]):
    problem(api.as_("li").post(SEARCH, data=b"{}", headers=headers), 415, "unsupported_media")


def test_a_body_that_is_too_large_is_413(api: Api):
    huge = b'{"filter": {"text": "' + b"x" * 3_000_000 + b'"}}'
    problem(api.as_("li").post(SEARCH, data=huge, content_type="application/json"), 413, "too_large")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"filter": {"colour": 1}}, "filter.colour"),
        ({"filter": {"instance_id": "7"}}, "filter.instance_id"),
        ({"filter": {"instance_id": 7.5}}, "filter.instance_id"),
        ({"filter": {"instance_id": True}}, "filter.instance_id"),
        ({"filter": {"instance_id": 2**63}}, "filter.instance_id"),
        ({"filter": {"instance_id": 0}}, "filter.instance_id"),
        ({"filter": {"overdue": 1}}, "filter.overdue"),
        ({"filter": {"text": "a\x00b"}}, "filter.text"),
        ({"filter": {"text": "x" * 201}}, "filter.text"),
        ({"filter": []}, "filter"),
        ({"sort": "name"}, "sort"),
        ({"page": {"limit": 0}}, "page.limit"),
        ({"page": {"limit": 201}}, "page.limit"),
        ({"page": {"after": "made up"}}, "page.after"),
        ({"page": {"after": "made-up"}}, "page.after"),
    ],
)
def test_a_wrong_field_is_named_in_both_languages(api: Api, body: dict, field: str):
    assert fields(problem(api.as_("li").post(SEARCH, body), 422, "invalid_fields")) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("limit=many", "limit"),
        ("limit=0", "limit"),
        ("limit=25&limit=26", "limit"),
        ("box=letter", "box"),
        ("instance_id=-1", "instance_id"),
        ("overdue=perhaps", "overdue"),
        ("after=%00", "after"),
        ("text=%00", "text"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, query: str, field: str):
    assert fields(problem(api.as_("li").get(f"/tasks?{query}"), 422)) == [field]


def test_an_address_that_takes_no_parameters_says_so(api: Api, task: int):
    assert fields(problem(api.as_("li").get(f"/tasks/{task}?verbose=1"), 422)) == ["verbose"]
    assert fields(problem(api.as_("li").post(f"/tasks/{task}/claim?force=1"), 422)) == ["force"]


ODD_IDS = ["0", "-1", "abc", "1.5", "٣", "9" * 19, "9" * 5000, "%00", "1%20", "0x1", "１"]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_id_that_is_none_is_404(api: Api, odd: str):
    for path in ("/tasks/{}", "/process-instances/{}/history", "/process-definitions/{}/xml", "/bases/{}"):
        problem(api.as_("admin").get(path.format(odd)), 404)
    for path, body in (
        ("/tasks/{}/claim", {}),
        ("/incidents/{}/retry", {}),
        ("/process-instances/{}/cancel", {"reason": "x"}),
    ):
        problem(api.as_("admin").post(path.format(odd), body), 404)


@pytest.mark.parametrize(
    "value",
    [
        2**60,
        -(2**60),
        {"deep": __import__("functools").reduce(lambda inner, _: [inner], range(40), 1)},
        "nul\x00",
        {"nul\x00": 1},
    ],
)
def test_values_that_would_not_come_back_as_they_were_sent_are_refused(api: Api, task: int, value: object):
    before = api.version(api.office.task(task).instance_id)
    refused = api.as_("admin").post(f"/tasks/{task}/complete", {"variables": {"x": value}})
    assert fields(problem(refused, 422)) == ["variables"]
    assert api.version(api.office.task(task).instance_id) == before


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_that_are_none_are_refused(api: Api, task: int, literal: bytes):
    body = b'{"variables": {"x": ' + literal + b"}}"
    refused = api.as_("admin").post(f"/tasks/{task}/complete", data=body, content_type="application/json")
    assert refused.status_code in (400, 422)
    problem(refused, refused.status_code)


def test_a_bug_of_ours_is_a_problem_with_a_number_and_no_secrets(api: Api, monkeypatch: pytest.MonkeyPatch):
    from service.queries import inbox

    monkeypatch.setattr(inbox, "tasks", lambda *_args, **_named: 1 / 0)
    document = problem(api.as_("li").get("/tasks"), 500, "unexpected")
    assert document["number"]
    assert "ZeroDivision" not in str(document)
