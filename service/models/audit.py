"""The audit log: acts as links of a chain, so that a change, a gap or a missing end shows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model


class AuditRecord(Model):
    """One act: who, on whose behalf, what, on which case, with the state before and after.

    ``content`` is the canonical JSON of it all; ``digest`` is its SHA-256, and ``hash`` that of the former
    record's hash, the number and the digest. No foreign keys: the log outlives what it speaks of, and a content
    that had to be erased leaves its digest, so the chain stays whole.
    """

    __tablename__ = "audit_record"
    __table_args__ = (
        Index(None, "authority_id", "seq"),
        Index(None, "instance_id", "seq"),
        Index("uq_audit_record_event", "event_id", unique=True),
    )

    seq: Mapped[int] = mapped_column(BigId(), primary_key=True, autoincrement=False)
    authority_id: Mapped[int]
    event_id: Mapped[int]
    at: Mapped[datetime]
    kind: Mapped[str]
    actor_id: Mapped[int | None]
    instance_id: Mapped[int | None]
    content: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str]
    hash: Mapped[str]
    erased_at: Mapped[datetime | None]


class AuditHead(Model):
    """Where the chain ends: one row, locked by whoever appends. ``event_id``: all events up to it are in."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str]
    event_id: Mapped[int] = mapped_column(default=0)


class AuditAnchor(Model):
    """The hash of the chain at a moment, signed; a copy kept elsewhere proves the log even against its owner."""

    __tablename__ = "audit_anchor"

    seq: Mapped[int] = mapped_column(BigId(), primary_key=True, autoincrement=False)
    hash: Mapped[str]
    at: Mapped[datetime]
    signature: Mapped[str]
