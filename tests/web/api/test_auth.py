from __future__ import annotations

from datetime import timedelta

import pytest

from service import clock
from service.commands.people import identity
from service.models import ApiToken
from service.web import here

from .conftest import PREFIX, Api, Caller, problem

CLOSED = [("GET", "/tasks"), ("GET", "/tasks/1"), ("POST", "/tasks/1/claim"), ("POST", "/messages"), ("GET", "/bases")]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_token_nothing_opens(api: Api, method: str, path: str):
    refused = api.nobody.call(method, path)
    problem(refused, 401, "not_signed_in")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="guohe"'


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer guohe_wrong", "Basic dXNlcjpwYXNz", "Bearer a b", "Bearer " + "x" * 500, "表单"],
)
def test_a_header_that_is_no_living_token_is_refused(api: Api, header: str):
    refused = api.nobody.get("/tasks", headers={"Authorization": header.encode().decode("latin-1")})
    problem(refused, 401, "invalid_token")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_a_stranger_is_told_who_they_are_not_before_what_they_sent_wrong(api: Api):
    stranger = Caller(api.app, "guohe_nobody")
    problem(stranger.post("/tasks/1/complete", data=b"{", content_type="application/json"), 401, "invalid_token")
    problem(stranger.post("/messages", {"colour": 1}), 401)
    problem(stranger.get("/tasks?limit=none"), 401)
    problem(stranger.get("/tasks/nothing"), 401)


def test_a_revoked_an_expired_and_a_closed_account_s_token_open_nothing(api: Api):
    token = api.token("li", days=1)
    assert Caller(api.app, token).get("/tasks").status_code == 200
    with clock.travel(clock.now() + timedelta(days=2)):
        problem(Caller(api.app, token).get("/tasks"), 401, "invalid_token")
    with api.office.database.transaction() as session:
        identity.set_active(session, api.office.fresh(session, api.office.li), False)
    problem(Caller(api.app, token).get("/tasks"), 401, "invalid_token")


def test_a_reading_token_reads_and_searches_but_changes_nothing(api: Api, task: int):
    reader = Caller(api.app, api.token("li", scopes=("read",)))
    assert reader.get("/tasks").status_code == 200
    assert reader.post("/tasks/search", {}).status_code == 200
    refused = reader.post(f"/tasks/{task}/claim")
    problem(refused, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert api.office.task(task).assignee_id is None


def test_a_writing_token_reads_too(api: Api):
    assert Caller(api.app, api.token("li", scopes=("write",))).get("/tasks").status_code == 200


def test_a_cookie_opens_nothing(api: Api):
    with api.office.database.transaction() as session:
        attempt = identity.Attempt("li", api.office.fresh(session, api.office.li))
        opened = identity.sign_in(session, attempt)
    assert opened is not None
    browser = api.app.test_client()
    with browser.session_transaction() as cookie:
        cookie[here.TOKEN] = opened[1]
    problem(browser.get(f"{PREFIX}/tasks"), 401, "not_signed_in")  # type: ignore[arg-type]


def test_pages_guard_against_forgery_does_not_stand_in_the_way(api: Api, task: int):
    assert api.app.config.get("WTF_CSRF_ENABLED", True)
    assert api.as_("li").post(f"/tasks/{task}/claim").status_code == 200


def test_the_use_of_a_token_is_noted_now_and_then(api: Api):
    api.as_("li").get("/tasks")
    first = _last_used(api)
    assert first is not None
    api.as_("li").get("/tasks")
    assert _last_used(api) == first


def _last_used(api: Api):
    with api.office.database.transaction() as session:
        return session.query(ApiToken).one().last_used_at
