"""How people are told: what each wants by mail, reminders already sent, calendar feeds, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Enum, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import BigId, Model, RowId

Mail = Literal["at_once", "digest", "never"]


class NoticeSetting(Model):
    """What a person wants to hear of one kind of notice: in the bell, and how by mail. No row: the kind's default."""

    __tablename__ = "notice_setting"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    bell: Mapped[bool]
    mail: Mapped[Mail] = mapped_column(Enum(*get_args(Mail), native_enum=False, length=20, name="mail"))


class ReminderPolicy(Model):
    """How many working days before and after a task is due an authority reminds of it."""

    __tablename__ = "reminder_policy"

    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id", ondelete="CASCADE"), primary_key=True)
    before: Mapped[list[Any]]
    after: Mapped[list[Any]]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))


class Reminder(Model):
    """A reminder that was given, so that it is given once. ``days``: working days, negative before the due day, 0: its
    group was told that it is new."""

    __tablename__ = "reminder"

    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"), primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]


class CalendarFeed(Model):
    """A person's secret address of their deadlines. Only the hash of the secret is kept."""

    __tablename__ = "calendar_feed"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Webhook(Model):
    """A program that is told what happens in the cases of an authority.

    ``kinds`` are the kinds of acts it hears of, ``cursor`` the last record of the audit chain it has heard of. Its
    secret follows from the key of the installation, the id and ``salt``; a new salt makes a new secret.
    """

    __tablename__ = "webhook"
    __table_args__ = (Index(None, "authority_id", "id"),)

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    url: Mapped[str]
    kinds: Mapped[list[str]]
    salt: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    cursor: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))


class WebhookDelivery(Model):
    """One thing told to a webhook; how it went stands in its job."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index(None, "webhook_id", "id"), Index(None, "job_id"))

    id: Mapped[RowId]
    webhook_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhook.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(BigId, ForeignKey("job.id", ondelete="CASCADE"))
    kind: Mapped[str]
    created_at: Mapped[datetime]
