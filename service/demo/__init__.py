"""A fictional ministry to look around in: ``guohe demo``. Loading it again adds nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.config import Settings
from service.db import Database

from . import accounts, bases, cases

__all__ = ["accounts", "bases", "cases", "load", "start_cases"]


def load(session: Session, settings: Settings | None = None) -> None:
    """Enter organisations, accounts, experts, bases and projects where there are none yet."""
    bases.load(session, accounts.load(session))


def start_cases(database: Database, settings: Settings) -> None:
    """Bring a few applications to different steps, where the procedures are deployed and no case runs yet."""
    cases.load(database, settings)
