"""Messages between instances: who waits for which, and what has been said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, RowId


class Subscription(Model):
    """A token of an instance, or a start event of the latest definition, waits for a message."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        CheckConstraint("(instance_id IS NULL) <> (definition_id IS NULL)", name="one_kind"),
        Index(None, "authority_id", "name", "key"),
        Index(
            "uq_subscription_start",
            "definition_id",
            "element_id",
            unique=True,
            postgresql_where=text("definition_id IS NOT NULL"),
            sqlite_where=text("definition_id IS NOT NULL"),
        ),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    token: Mapped[int | None]
    definition_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("process_definition.id", ondelete="CASCADE"))
    element_id: Mapped[str]
    process_id: Mapped[str]
    name: Mapped[str]
    key: Mapped[str | None]
    created_at: Mapped[datetime]


class PublishedMessage(Model):
    """Something an instance, a person or a program has said. It waits for a listener until it expires.

    ``message_id`` is the sender's own name for it: the same one said twice counts once.
    """

    __tablename__ = "published_message"
    __table_args__ = (
        UniqueConstraint("authority_id", "name", "message_id"),
        Index(None, "authority_id", "name", "key", "expires_at"),
        Index(None, "expires_at"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    name: Mapped[str]
    key: Mapped[str | None]
    message_id: Mapped[str | None]
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict)
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    from_instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"), index=True)
    expires_at: Mapped[datetime]
    correlated_at: Mapped[datetime | None]


class Correlation(Model):
    """A message reached an instance. It reaches at most one instance of each process."""

    __tablename__ = "correlation"
    __table_args__ = (Index(None, "instance_id"),)

    message_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("published_message.id", ondelete="CASCADE"), primary_key=True
    )
    process_id: Mapped[str] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    token: Mapped[int | None]
    at: Mapped[datetime]
