"""Arrangements of public holidays that the calendar library does not know yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model
from .identity import User


class CalendarYear(Model):
    """A year's arrangement as an administrator entered it: free working days, worked weekends.

    ``days`` maps ISO dates to ``{"worked": bool, "name": str}``. It holds for the whole country, so for every
    authority. The row takes precedence over what the library knows.
    """

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    days: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="")
    entered_at: Mapped[datetime]
    entered_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))

    entered_by: Mapped[User | None] = relationship()
