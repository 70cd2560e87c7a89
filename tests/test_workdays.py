"""Working days as the State Council arranged them, and the terms counted in them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import workdays

KNOWN = st.dates(date(2006, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2025, 10, 1), False),  # National Day
        (date(2025, 10, 8), False),  # a Wednesday taken from a weekend
        (date(2025, 10, 11), True),  # the Saturday worked for it
        (date(2025, 10, 12), False),
        (date(2025, 10, 13), True),
        (date(2026, 2, 14), True),  # the Saturday worked for Spring Festival
        (date(2026, 2, 17), False),
    ],
)
def test_holidays_and_working_weekends(day, worked):
    assert workdays.is_workday(day) is worked


def test_a_deadline_starts_counting_on_the_day_after():
    assert workdays.add(date(2025, 9, 29), 1) == date(2025, 9, 30)
    assert workdays.add(date(2025, 9, 30), 1) == date(2025, 10, 9)
    assert workdays.add(date(2025, 9, 30), 3) == date(2025, 10, 11)
    assert workdays.add(date(2025, 10, 9), -1) == date(2025, 9, 30)
    assert workdays.add(date(2025, 10, 4), 0) == date(2025, 10, 4)


def test_a_moment_counts_as_its_day_in_china():
    late = datetime(2025, 9, 29, 17, 0, tzinfo=UTC)  # 01:00 on the 30th in Shanghai
    assert workdays.day_of(late) == date(2025, 9, 30)
    assert workdays.add(late, 1) == date(2025, 10, 9)


def test_a_notice_counts_its_posting_day():
    assert workdays.notice_end(date(2025, 9, 26), 5).day == date(2025, 10, 9)
    assert workdays.notice_end(date(2025, 10, 4), 1).day == date(2025, 10, 9)


def test_a_year_without_arrangement_is_provisional_until_a_table_is_given():
    unknown = max(workdays.published().years) + 1
    new_year = date(unknown, 1, 1)
    before = date(unknown - 1, 12, 28)
    assert workdays.deadline(before, 5).provisional
    assert not workdays.deadline(date(2025, 3, 3), 5).provisional
    table = workdays.calendar({new_year: False})
    assert not workdays.deadline(before, 5, table=table).provisional
    assert not workdays.is_workday(new_year, table)


def test_a_table_can_say_that_a_year_has_no_exceptions():
    assert not workdays.is_provisional(date(2040, 1, 1), date(2040, 2, 1), workdays.calendar(years=[2040]))


def test_an_installed_table_is_the_default():
    try:
        workdays.install({date(2031, 1, 1): False})
        assert not workdays.is_workday(date(2031, 1, 1))
    finally:
        workdays.install(None)
    assert workdays.is_workday(date(2031, 1, 1))


def test_a_pause_stops_the_clock():
    start = date(2025, 3, 3)
    plain = workdays.deadline(start, 20)
    paused = workdays.deadline(start, 20, paused=[(date(2025, 3, 6), date(2025, 3, 12))])
    assert paused.paused == 4
    assert workdays.count(plain.day, paused.day) == 4


def test_the_calculation_is_shown():
    shown = workdays.explain(
        date(2025, 3, 3), 20, datetime(2025, 3, 25, 2, 0, tzinfo=UTC), paused=[(date(2025, 3, 6), date(2025, 3, 12))]
    )
    assert (shown.elapsed, shown.total, shown.paused, shown.left) == (12, 20, 4, 8)
    assert shown.zh == "第 12 个工作日，共 20；暂停 4 天；截止 2025-04-07"
    assert shown.en == "Working day 12 of 20; paused 4 days; due 2025-04-07"
    assert not shown.overdue


def test_an_open_pause_lasts_until_today():
    before = workdays.explain(date(2025, 3, 3), 5, date(2025, 3, 20), paused=[(date(2025, 3, 5), None)])
    assert (before.elapsed, before.left, before.overdue) == (2, 3, False)


def test_an_overdue_term_says_by_how_much():
    shown = workdays.explain(date(2025, 9, 22), 5, date(2025, 10, 11))
    assert shown.overdue
    assert shown.zh == "第 5 个工作日，共 5；截止 2025-09-28；已逾期 5 个工作日"
    assert workdays.explain(date(2025, 9, 28), 5, date(2025, 10, 13)).free == (
        date(2025, 10, 1),
        date(2025, 10, 2),
        date(2025, 10, 3),
        date(2025, 10, 6),
        date(2025, 10, 7),
        date(2025, 10, 8),
    )


@pytest.mark.parametrize(
    ("day", "years", "last"),
    [
        (date(2024, 3, 15), 3, date(2027, 3, 15)),
        (date(2024, 2, 29), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(2023, 2, 28), 1, date(2024, 2, 28)),
    ],
)
def test_a_term_in_years_ends_on_the_corresponding_day(day, years, last):
    assert workdays.years_later(day, years) == last


def test_a_company_registered_364_days_ago_is_one_day_short():
    filed = date(2026, 3, 15)
    assert workdays.one_year_after(filed - timedelta(days=365)) == filed
    assert workdays.one_year_after(filed - timedelta(days=364)) > filed


def test_absurd_numbers_are_refused():
    with pytest.raises(ValueError, match="at most"):
        workdays.add(date(2025, 1, 1), 10**9)


@given(KNOWN, st.integers(-200, 200))
def test_counting_undoes_adding(day, n):
    there = workdays.add(day, n)
    if n > 0:
        assert workdays.count(day, there) == n
        assert workdays.is_workday(there)
    elif n < 0:
        assert workdays.count(day, there) == n
    else:
        assert there == day


@given(KNOWN, KNOWN)
def test_the_library_agrees_on_every_single_day(first, second):
    import chinese_calendar

    assert workdays.is_workday(first) == chinese_calendar.is_workday(first)
    low, high = sorted((first, second))
    high = min(high, low + timedelta(days=400))
    expected = [day for day in chinese_calendar.get_workdays(low, high) if day > low]
    assert workdays.count(low, high) == len(expected)
