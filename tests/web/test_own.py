"""The start page shows what is one's own: deadlines and running cases."""

from __future__ import annotations

from collections.abc import Callable

from tests.commands.conftest import Office
from tests.web.conftest import Browser, text

Open = Callable[..., Browser]


def test_the_start_page_shows_my_deadlines_and_my_running_cases(applying: Office, browser: Open) -> None:
    wang, li = browser("wang"), browser("li")
    assert "我的在办案件" not in text(wang.get("/start"))
    case_id = applying.start("applying")
    wang.post(f"/tasks/{applying.open(case_id)['draft']}/claim")
    page = text(wang.get("/start"))
    assert "我的待办与期限" in page
    assert "填报申报材料" in page
    assert "我的在办案件" in page
    assert applying.instance(case_id).number in page
    assert applying.instance(case_id).number not in text(li.get("/start")), "a desk is not shown everybody's cases"
