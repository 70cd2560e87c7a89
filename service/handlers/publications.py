"""Publications that were given an hour."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.commands.procedures import publishing

from .registry import BusinessError, JobContext, topic


@topic(publishing.TOPIC)
def publish(session: Session, job: JobContext) -> None:
    """Put a scheduled publication into force. No diagram may ask for that."""
    if job.instance_id is not None:
        raise BusinessError("not_allowed", "publications are carried out by the workshop alone")
    publishing.carry_out(session, int(job.variables["publication"]))
