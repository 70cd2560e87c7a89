"""What time it is. Everything that records or compares a moment asks here, so that scenarios can travel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")

_standing: datetime | None = None


def now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC) if _standing is None else _standing


def today(at: datetime | None = None) -> date:
    """Return the calendar day in China, now or at a given moment."""
    return (at or now()).astimezone(CHINA).date()


@contextmanager
def travel(to: datetime) -> Iterator[None]:
    """Let the whole process live at one moment; ``advance`` moves it on."""
    global _standing
    before, _standing = _standing, to.astimezone(UTC)
    try:
        yield
    finally:
        _standing = before


def advance(by: timedelta) -> datetime:
    """Let time pass while travelling."""
    global _standing
    if _standing is None:
        raise RuntimeError("time passes by itself; clock.advance works inside clock.travel")
    _standing += by
    return _standing
