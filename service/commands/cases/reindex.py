"""Write anew what tasks are found by: after an upgrade that cuts words differently, or a restore of half a backup."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Instance

from . import instances, search

AT_ONCE = 200
"""So many cases a transaction."""


def rebuild(session: Session, *, after: int = 0) -> tuple[int, int]:
    """Write the entries of the cases that follow ``after``; return the last one's id (0: none left) and how many."""
    ids = session.scalars(select(Instance.id).where(Instance.id > after).order_by(Instance.id).limit(AT_ONCE)).all()
    for instance_id in ids:
        instance = instances.lock(session, instance_id)
        search.anew(session, instance, instances.load(session, instance).instance.data)
    return (ids[-1], len(ids)) if ids else (0, 0)
