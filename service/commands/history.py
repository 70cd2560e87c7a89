"""What people do to a case, as lines of its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.models import Event, Instance, User


def note(session: Session, instance: Instance, kind: str, user: User | None, data: Mapping[str, Any]) -> None:
    """Append what somebody has done to the case as a whole."""
    session.add(
        Event(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            at=clock.now(),
            kind=kind,
            process_id=instance.process_id,
            user_id=user.id if user else None,
            data=dict(data),
        )
    )
    session.flush()
