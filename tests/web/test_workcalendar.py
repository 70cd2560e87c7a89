"""The working calendar: a year that is not published yet is entered, and deadlines count by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from service import workdays
from service.commands.administration import workcalendar
from service.engine import feel
from tests.commands.conftest import Office
from tests.engine.diagrams import NOW
from tests.web.conftest import Browser, path_of, text

Open = Callable[..., Browser]
DAYS = "2031-01-01 至 2031-01-03 休 元旦\n2031-01-04 班 元旦"


@pytest.fixture(autouse=True)
def published_again() -> Iterator[None]:
    yield
    workdays.install(None)
    workcalendar._installed = ()


def test_a_year_without_arrangement_says_so_and_one_with_it_does_not(applying: Office, browser: Open) -> None:
    admin = browser("admin")
    assert "本年放假安排尚未录入" in text(admin.get("/calendar/2031"))
    assert path_of(admin.post("/calendar/2031", days=DAYS, note="国办发明电")) == "/calendar/2031"
    page = text(admin.get("/calendar/2031"))
    assert "本年放假安排尚未录入" not in page
    assert "2031-01-04 班 元旦" in page


def test_deadlines_in_diagrams_and_pages_count_by_what_was_entered(applying: Office, browser: Open) -> None:
    before = workdays.add(date(2030, 12, 31), 1)
    assert before == date(2031, 1, 1)
    browser("admin").post("/calendar/2031", days=DAYS)
    assert workdays.add(date(2030, 12, 31), 1) == date(2031, 1, 4)  # a worked Saturday
    assert feel.evaluate('workdays(date("2030-12-31"), 1)', {}, now=NOW) == "2031-01-04"
    assert not workdays.is_provisional(date(2031, 1, 1), date(2031, 12, 31))


def test_another_process_learns_of_it_when_it_looks(applying: Office, browser: Open) -> None:
    browser("admin").post("/calendar/2031", days=DAYS)
    workdays.install(None)
    workcalendar._installed = ()
    with applying.database.transaction(readonly=True) as session:
        assert workcalendar.refresh(session)
        assert not workcalendar.refresh(session)
    assert not workdays.is_workday(date(2031, 1, 1))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ("2031-01-01 休 元旦\n一月二日休息", "第 2 行“一月二日休息”看不懂"),
        ("2031-02-30 休", "第 1 行“2031-02-30 休”看不懂"),
        ("2030-01-01 休", "第 1 行的日期不在 2031 年内"),
        ("2031-01-05 至 2031-01-01 休", "第 1 行的日期不在 2031 年内，或先后颠倒"),
        ("", "没有填写任何日期"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_what_was_typed_stays(
    applying: Office, browser: Open, days: str, said: str
) -> None:
    answer = browser("admin").post("/calendar/2031", days=days)
    assert answer.status_code == 400
    assert said in text(answer)
    assert all(line in text(answer) for line in days.splitlines())
    assert workdays.is_provisional(date(2031, 1, 1), date(2031, 12, 31))


def test_only_an_administrator_enters_a_year_and_everybody_reads_it(applying: Office, browser: Open) -> None:
    wang = browser("wang")
    assert "录入或更正放假安排" not in text(wang.get("/calendar/2031"))
    assert wang.post("/calendar/2031", days=DAYS).status_code == 403
    assert wang.get("/calendar/1900").status_code == 404
