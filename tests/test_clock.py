"""Time, and travelling in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from service import clock

NOON = datetime(2026, 2, 28, 12, 0, tzinfo=UTC)


def test_time_passes_in_utc():
    first = clock.now()
    assert first.tzinfo == UTC
    assert clock.now() >= first


def test_the_day_is_that_of_china():
    assert clock.today(datetime(2026, 2, 28, 16, 0, tzinfo=UTC)) == date(2026, 3, 1)
    assert clock.today(datetime(2026, 2, 28, 15, 59, tzinfo=UTC)) == date(2026, 2, 28)


def test_a_traveller_stands_still_until_time_is_moved_on():
    with clock.travel(NOON):
        assert clock.now() == clock.now() == NOON
        assert clock.advance(timedelta(days=1)) == NOON + timedelta(days=1) == clock.now()


def test_journeys_nest_and_end_even_when_something_goes_wrong():
    with pytest.raises(ZeroDivisionError), clock.travel(NOON):
        with clock.travel(NOON + timedelta(days=9)):
            assert clock.now() == NOON + timedelta(days=9)
        assert clock.now() == NOON
        _ = 1 / 0
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_time_that_passes_by_itself_is_not_moved():
    with pytest.raises(RuntimeError):
        clock.advance(timedelta(days=1))
