"""Error pages: both languages, what to do next, and never a secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from service import errors
from service.web import inbox
from tests.commands.conftest import Office
from tests.web.conftest import Browser, text

Open = Callable[..., Browser]


def test_an_unknown_address_says_so_in_both_languages_and_leads_on(applying: Office, browser: Open) -> None:
    answer = browser("wang").get("/nowhere")
    assert answer.status_code == 404
    page = text(answer)
    assert "没有这个页面" in page
    assert "There is no such page" in page
    assert "打开收件箱" in page
    assert "王芳" in page


def test_a_stranger_is_offered_the_door(browser: Open) -> None:
    page = text(browser().get("/nowhere"))
    assert "接下来可以： 登录" in page


def test_a_wrong_method_is_refused_with_the_right_one(applying: Office, browser: Open) -> None:
    answer = browser("wang").get("/tasks/1/claim")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_bug_shows_a_number_and_nothing_else(
    applying: Office, browser: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wang = browser("wang")

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(inbox.boxes, "tasks", broken)
    answer = wang.get("/inbox")
    assert answer.status_code == 500
    page = text(answer)
    assert "您的数据没有改变" in page
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    number = page.split("请提供编号 ")[1].split("。")[0]
    assert number in caplog.text


def test_a_busy_database_asks_to_try_again(
    applying: Office, browser: Open, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang = browser("wang")

    def busy(*_args: object, **_more: object) -> None:
        raise errors.Busy

    monkeypatch.setattr(inbox.boxes, "tasks", busy)
    answer = wang.get("/inbox?box=done")
    assert answer.status_code == 503
    assert 'href="/inbox?box=done"' in answer.text


def test_a_script_gets_json(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    wang.get("/inbox")
    answer = wang.json("/tasks/999999/draft", {"values": {}})
    assert answer.status_code == 404
    assert answer.json["zh"] == "不存在，或者您无权查看。"
    assert answer.json["en"].startswith("There is no such thing")


def test_too_large_a_form_is_refused(applying: Office, browser: Open) -> None:
    task_id = applying.open(applying.start("applying"))["draft"]
    answer = browser("wang").send(f"/tasks/{task_id}/complete", {"goals": "长" * 3_000_000})
    assert answer.status_code == 413
    assert "过大" in text(answer)


@pytest.mark.parametrize("path", ["/inbox?q=%00", "/cases?q=%F0%9F%98%80%00", "/inbox?box=group&q=" + "长" * 500])
def test_odd_searches_are_only_searches(applying: Office, browser: Open, path: str) -> None:
    assert browser("wang").get(path).status_code == 200
