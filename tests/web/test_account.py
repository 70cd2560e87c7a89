"""A person's own account: roles, password, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import People
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]
OLD, NEW = "correct-horse", "battery-staple"


@pytest.fixture(autouse=True)
def wang(people: People) -> None:
    people.user("wang", "applicant.drafter@uni", "coop.intake", name="王芳", password=OLD)
    people.user("li", "coop.intake", name="李明", password=OLD)


def test_the_page_names_organisations_and_roles(browser: Open) -> None:
    page = text(browser("wang").get("/account"))
    assert "uni 起草人 长期" in page
    assert "国际合作司受理" in page


def test_a_new_password_signs_out_every_other_browser(browser: Open) -> None:
    here, there = browser("wang"), browser("wang")
    changed = here.post("/account/password", old=OLD, new=NEW, again=NEW)
    assert (changed.status_code, path_of(changed)) == (303, "/account")
    assert "密码已修改" in text(here.get("/account"))
    assert there.get("/inbox").status_code == 303
    assert browser().post("/sign-in", username="wang", password=OLD).status_code == 401
    assert browser().post("/sign-in", username="wang", password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "sentence"),
    [
        ("", NEW, NEW, "请填写现在的密码。"),
        (OLD, "", "", "请填写新密码。"),
        (OLD, NEW, "other", "两次填写的新密码不一致。"),
        ("wrong", NEW, NEW, "现在的密码不正确。"),
        (OLD, "short", "short", "密码至少 8 个字符。"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(
    browser: Open, old: str, new: str, again: str, sentence: str
) -> None:
    wang = browser("wang")
    answer = wang.post("/account/password", old=old, new=new, again=again)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert wang.get("/inbox").status_code == 200
    assert browser().post("/sign-in", username="wang", password=OLD).status_code == 303


def test_guessing_the_old_password_is_slowed_down(browser: Open) -> None:
    wang = browser("wang")
    for _guess in range(6):
        answer = wang.post("/account/password", old="wrong", new=NEW, again=NEW)
    assert "次数过多" in text(answer)


def test_a_token_is_shown_once_works_and_is_revoked(browser: Open, app: Flask) -> None:
    wang = browser("wang")
    made = wang.post("/account/tokens", name="统计系统", scopes="read", days="30")
    assert made.status_code == 201
    match = re.search(r'value="(guohe_[^"]+)"', made.text)
    assert match
    token = match[1]
    page = wang.get("/account")
    assert token not in page.text
    assert "统计系统" in text(page)
    api = app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert api.get("/api/v1/tasks", headers=headers).status_code == 200
    revoke = re.search(r'action="(/account/tokens/\d+/revoke)"', page.text)
    assert revoke
    assert browser("li").post(revoke[1]).status_code == 404
    assert path_of(wang.post(revoke[1])) == "/account"
    assert api.get("/api/v1/tasks", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "", "scopes": "read", "days": "30"}, "请填写令牌名称"),
        ({"name": "x", "days": "30"}, "权限范围应为 read 或 write。"),
        ({"name": "x", "scopes": "read", "days": "99999"}, "有效期应为 1 至 3650 天。"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(browser: Open, values: dict[str, str], sentence: str) -> None:
    answer = browser("wang").post("/account/tokens", **values)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert browser("wang").post("/account/tokens", name="x", scopes="read", days="x").status_code == 400
