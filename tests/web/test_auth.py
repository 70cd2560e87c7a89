"""The door: who comes in, how, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from service import config
from service.app import create_app
from service.db import Database
from tests.conftest import People
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]


@pytest.fixture
def wang(people: People) -> None:
    people.user("wang", "applicant.drafter@uni", name="王芳", password="correct-horse", locale="zh")


@pytest.mark.usefixtures("wang")
def test_a_stranger_is_led_to_the_door_and_then_to_the_page_asked_for(browser: Open) -> None:
    visitor = browser()
    answer = visitor.get("/cases?state=all")
    assert answer.status_code == 303
    assert path_of(answer) == "/sign-in?next=/cases?state%3Dall"
    visitor.get(path_of(answer))
    entered = visitor.post("/sign-in", username="wang", password="correct-horse", next="/cases?state=all")
    assert (entered.status_code, path_of(entered)) == (303, "/cases?state=all")
    assert "王芳" in text(visitor.get("/cases?state=all"))


@pytest.mark.usefixtures("wang")
@pytest.mark.parametrize(
    "target", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "\n//evil", ""]
)
def test_signing_in_never_leads_to_a_foreign_site(browser: Open, target: str) -> None:
    entered = browser().post("/sign-in", username="wang", password="correct-horse", next=target)
    assert path_of(entered) == "/inbox"


@pytest.mark.usefixtures("wang")
def test_a_wrong_password_says_so_at_the_field_and_keeps_the_name(browser: Open) -> None:
    answer = browser().post("/sign-in", username="wang", password="wrong")
    assert answer.status_code == 401
    assert 'value="wang"' in answer.text
    assert "密码" in text(answer)
    assert 'id="password-error">' in answer.text
    assert "correct" not in answer.text


@pytest.mark.usefixtures("wang")
def test_an_unknown_name_reads_like_a_wrong_password(browser: Open) -> None:
    wrong, unknown = (browser().post("/sign-in", username=name, password="wrong") for name in ("wang", "nobody"))
    assert text(wrong) == text(unknown)


def test_empty_fields_are_named_each(browser: Open) -> None:
    answer = browser().post("/sign-in", username=" ", password="")
    assert answer.status_code == 422
    assert "请填写用户名。" in text(answer)
    assert "请填写密码。" in text(answer)


@pytest.mark.usefixtures("wang")
def test_guessing_is_slowed_down(browser: Open) -> None:
    visitor = browser()
    answers = [visitor.post("/sign-in", username="wang", password=f"wrong{n}").status_code for n in range(7)]
    assert answers[0] == 401
    assert answers[-1] == 429


@pytest.mark.usefixtures("wang")
def test_signing_out_ends_the_session_on_the_server(browser: Open) -> None:
    visitor = browser("wang")
    stolen = visitor.client.get_cookie("guohe")
    assert stolen is not None
    assert visitor.post("/sign-out").status_code == 303
    visitor.client.set_cookie("guohe", stolen.value)
    assert visitor.get("/inbox").status_code == 303


@pytest.mark.usefixtures("wang")
def test_a_post_without_the_token_is_refused_and_nothing_happens(browser: Open) -> None:
    visitor = browser("wang")
    visitor.token = "forged"
    answer = visitor.post("/sign-out")
    assert answer.status_code == 400
    assert "页面已过期" in text(answer)
    assert visitor.get("/inbox").status_code == 200


@pytest.mark.usefixtures("wang")
def test_the_cookie_is_kept_from_scripts_and_other_sites(app: Flask) -> None:
    client = Browser(app)
    client.get("/sign-in")
    cookie = client.post("/sign-in", username="wang", password="correct-horse").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_by_https_the_cookie_insists_on_it(database: Database, settings: config.Settings) -> None:
    import dataclasses

    secure = Browser(create_app(dataclasses.replace(settings, base_url="https://guohe.example"), database))
    assert "Secure" in secure.get("/sign-in").headers["Set-Cookie"]


@pytest.mark.usefixtures("wang")
def test_every_page_tells_the_browser_what_it_may_do(browser: Open) -> None:
    headers = browser("wang").get("/inbox").headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "style-src 'self';" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("wang")
def test_demo_accounts_are_listed_and_open_by_a_click(browser: Open) -> None:
    visitor = browser()
    page = visitor.get("/sign-in")
    assert "演示账号" in text(page)
    assert "王芳 起草人 wang" in text(page)
    assert path_of(visitor.post("/sign-in/demo", username="wang")) == "/inbox"


@pytest.mark.usefixtures("wang")
def test_outside_a_demonstration_there_is_no_such_way_in(database: Database, settings: config.Settings) -> None:
    import dataclasses

    visitor = Browser(create_app(dataclasses.replace(settings, demo=False), database))
    assert "演示账号" not in visitor.get("/sign-in").text
    assert visitor.post("/sign-in/demo", username="wang").status_code == 404
    assert visitor.get("/inbox").status_code == 303


def test_a_demo_account_that_does_not_exist_is_not_found(browser: Open) -> None:
    assert browser().post("/sign-in/demo", username="nobody").status_code == 404


@pytest.mark.usefixtures("wang")
def test_the_language_is_switched_and_stays(browser: Open) -> None:
    visitor = browser("wang")
    answer = visitor.post("/locale", locale="en", next="/inbox?box=done")
    assert path_of(answer) == "/inbox?box=done"
    page = visitor.get("/inbox?box=done")
    assert '<html lang="en"' in page.text
    assert "Nothing done yet" in text(page)
    visitor.post("/sign-out")
    assert "Sign in" in text(visitor.get("/sign-in"))
    assert '<html lang="en"' in browser("wang").get("/inbox").text
    assert visitor.post("/locale", locale="de").status_code == 400
