"""Messages published to cases."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    ConfigDict,
    Field,
)

from .values import Document, Moment, Name, Variables


class Message(Document):
    """Something that cases wait for. The same `message_id` sent twice counts once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "ObjectionReceived",
                    "key": "DB-2026-0001",
                    "variables": {"by": "某单位"},
                    "ttl": 3600,
                    "message_id": "letter-4711",
                }
            ]
        }
    )

    name: Name
    key: Name | None = Field(default=None, description="The correlation key of whoever waits.")
    variables: Variables = Field(default_factory=dict)
    ttl: Annotated[
        int,
        Field(ge=0, le=400 * 86400, description="How many seconds it is kept for whoever comes to wait later."),
    ] = 3600
    message_id: Name | None = Field(
        default=None, description="Your own name for it (idempotency key); the header Idempotency-Key does the same."
    )


class PublishedMessage(Document):
    """A message as it was taken in. `correlated_at` is null until somebody heard it."""

    id: int
    name: str
    key: str | None
    message_id: str | None
    published_at: Moment
    expires_at: Moment
    correlated_at: Moment | None

    @classmethod
    def of(cls, row: Any) -> PublishedMessage:
        """The message of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})
