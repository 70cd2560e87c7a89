"""When applications of a type are taken."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from service import errors
from service.models import User
from service.models.register import TYPES, FilingWindow

from .register import note


def announce_window(
    session: Session,
    authority_id: int,
    *,
    type: str,
    title: str,
    opens_on: date,
    closes_on: date,
    instance_id: int | None = None,
    user: User | None = None,
) -> FilingWindow:
    """Announce when applications of a type are taken: from the first day to the last, both included (practice)."""
    if type not in TYPES:
        raise errors.InvalidInput(f"没有“{type}”这个基地类型。", f"There is no type “{type}”.", field="type")
    if closes_on < opens_on:
        raise errors.InvalidInput(
            "截止日不能早于开始日。", "The last day cannot lie before the first.", field="closesOn"
        )
    window = FilingWindow(
        authority_id=authority_id,
        type=type,
        title=title,
        opens_on=opens_on,
        closes_on=closes_on,
        instance_id=instance_id,
    )
    session.add(window)
    note(
        session,
        "window_announced",
        f"{TYPES[type]}申报期：{opens_on} 至 {closes_on}",
        f"Applications of the type {type} are taken from {opens_on} to {closes_on}",
        authority_id=authority_id,
        instance_id=instance_id,
        user=user,
    )
    return window
