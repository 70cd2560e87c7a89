"""A fictional ministry to look around in: ``guohe demo``. Loading it again adds nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.config import Settings

from . import accounts, bases

__all__ = ["accounts", "bases", "load"]


def load(session: Session, settings: Settings | None = None) -> None:
    """Enter organisations, accounts, experts, bases and projects where there are none yet."""
    bases.load(session, accounts.load(session))
