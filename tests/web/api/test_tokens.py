from __future__ import annotations

import base64

import pytest

from service.commands.people import identity
from service.models import ApiToken, UserSession

from .conftest import Api, Caller, fields, pages, problem

NEW = {"name": "报表程序"}


@pytest.fixture
def password(api: Api) -> str:
    with api.office.database.transaction() as session:
        identity.set_password(session, api.office.fresh(session, api.office.li), "correct horse")
    return "correct horse"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_password_makes_a_token_that_opens_the_interface(api: Api, password: str):
    made = api.nobody.post("/tokens", {**NEW, "scopes": ["read"], "days": 30}, headers=basic("li", password))
    token = made.get_json()
    assert made.status_code == 201
    assert token["token"].startswith(token["hint"])
    assert token["scopes"] == ["read"]
    assert Caller(api.app, token["token"]).get("/tasks").status_code == 200
    problem(Caller(api.app, token["token"]).post("/messages", {"name": "x"}), 403, "insufficient_scope")
    # Making a token is not signing in.
    assert api.office.rows(UserSession) == []


def test_a_wrong_password_makes_nothing_and_is_counted(api: Api, password: str):
    problem(api.nobody.post("/tokens", NEW, headers=basic("li", "wrong")), 401, "wrong_password")
    for _ in range(identity.FREE_FAILURES):
        api.nobody.post("/tokens", NEW, headers=basic("li", "wrong"))
    refused = api.nobody.post("/tokens", NEW, headers=basic("li", password))
    assert problem(refused, 429, "too_many_attempts")["when"]
    assert int(refused.headers["Retry-After"]) > 0
    assert api.office.rows(ApiToken) == []


def test_whoever_does_not_belong_here_learns_nothing_about_the_body(api: Api, password: str):
    problem(api.nobody.post("/tokens", {"colour": 1}, headers=basic("li", "wrong")), 401)
    problem(api.nobody.post("/tokens", {"colour": 1}, headers=basic("nobody", "wrong")), 401)
    assert fields(problem(api.nobody.post("/tokens", {**NEW, "colour": 1}, headers=basic("li", password)), 422)) == [
        "colour"
    ]


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic " + base64.b64encode(b":x").decode(), "Bearer x"])
def test_what_is_no_name_and_password_is_refused(api: Api, header: str):
    problem(api.nobody.post("/tokens", NEW, headers={"Authorization": header}), 401)


def test_a_token_makes_no_token(api: Api):
    problem(api.as_("li").post("/tokens", NEW), 401)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({**NEW, "scopes": []}, "scopes"),
        ({**NEW, "scopes": ["admin"]}, "scopes.0"),
        ({**NEW, "days": 0}, "days"),
        ({**NEW, "days": 4000}, "days"),
    ],
)
def test_a_token_that_cannot_be_is_refused(api: Api, password: str, body: dict, field: str):
    assert fields(problem(api.nobody.post("/tokens", body, headers=basic("li", password)), 422)) == [field]


def test_everybody_sees_and_revokes_their_own_tokens(api: Api):
    mine, other = api.as_("li"), Caller(api.app, api.token("li"))
    api.as_("zhao")
    listed = [one for page in pages(mine, "/tokens", limit=1) for one in page]
    assert len(listed) == 2
    assert all("token" not in one for one in listed)
    number = listed[0]["id"]
    problem(api.as_("zhao").call("DELETE", f"/tokens/{number}"), 404)
    gone = mine.call("DELETE", f"/tokens/{number}")
    assert (gone.status_code, gone.data) == (204, b"")
    problem(other.get("/tasks"), 401, "invalid_token")
    assert mine.call("DELETE", f"/tokens/{number}").status_code == 204
    assert mine.get("/tokens").get_json()["total"] == 1
