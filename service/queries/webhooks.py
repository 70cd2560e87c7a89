"""Webhooks of an authority, and how their deliveries went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Job, User, Webhook, WebhookDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery: ``status`` is that of its job, ``error`` the last line of what went wrong."""

    id: int
    webhook_id: int
    kind: str
    url: str
    status: str
    attempts: int
    error: str
    created_at: datetime
    finished_at: datetime | None
    due_at: datetime


def webhooks(session: Session, user: User) -> list[Webhook]:
    """The webhooks of the user's authority."""
    return list(session.scalars(select(Webhook).where(Webhook.authority_id == user.authority_id).order_by(Webhook.id)))


def deliveries(session: Session, user: User, *, limit: int = 50) -> list[Delivery]:
    """The latest deliveries, newest first."""
    rows = session.execute(
        select(WebhookDelivery, Job, Webhook.url)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .join(Job, Job.id == WebhookDelivery.job_id)
        .where(Webhook.authority_id == user.authority_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    )
    return [
        Delivery(
            id=one.id,
            webhook_id=one.webhook_id,
            kind=one.kind,
            url=url,
            status=job.status,
            attempts=job.attempts,
            error=(job.error or "").strip().splitlines()[-1][:300] if job.error else "",
            created_at=one.created_at,
            finished_at=job.finished_at,
            due_at=job.due_at,
        )
        for one, job, url in rows
    ]
