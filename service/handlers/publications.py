"""Publications that were given an hour."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.commands import publishing

from .registry import JobContext, topic


@topic(publishing.TOPIC)
def publish(session: Session, job: JobContext) -> None:
    """Put a scheduled publication into force."""
    publishing.carry_out(session, int(job.variables["publication"]))
