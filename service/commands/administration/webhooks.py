"""Webhooks: what happens in cases is told to other programs, from the audit chain, one job for each delivery."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from service import clock, errors, outgoing, permissions
from service.commands.cases import history, jobs
from service.commands.cases.difference import table_of
from service.models import AuditHead, AuditRecord, Event, Instance, Job, User, Webhook, WebhookDelivery

KINDS = ("started", "claimed", "released", "assigned", "completed", "incident", "ended")
TRIES = 8
MOST = 200


def create(
    session: Session, url: str, kinds: Collection[str], *, user: User, allowed: Collection[outgoing.Network] = ()
) -> Webhook:
    """Tell an address of these kinds of acts from now on. Raises Forbidden, InvalidInput, TargetRefused."""
    _administers(user, user.authority_id)
    wanted = [kind for kind in KINDS if kind in kinds]
    if not wanted:
        raise errors.InvalidInput("请至少选择一种事件。", "Choose at least one kind of event.", field="kinds")
    outgoing.check(url.strip(), allowed)
    made = Webhook(
        authority_id=user.authority_id,
        url=url.strip(),
        kinds=wanted,
        salt=secrets.token_hex(16),
        cursor=session.scalar(select(func.max(AuditHead.seq))) or 0,
        created_at=clock.now(),
        created_by_id=user.id,
    )
    session.add(made)
    session.flush()
    _note(session, made, user, "webhook_created")
    return made


def remove(session: Session, webhook_id: int, *, user: User) -> None:
    """Tell it nothing any more, and forget it with its deliveries."""
    found = _found(session, webhook_id, user)
    _note(session, found, user, "webhook_removed")
    session.delete(found)
    session.flush()


def switch(session: Session, webhook_id: int, *, active: bool, user: User) -> None:
    """Pause it, or go on from now; what happened meanwhile is not told."""
    found = _found(session, webhook_id, user)
    found.active = active
    if active:
        found.cursor = session.scalar(select(func.max(AuditHead.seq))) or 0
    session.flush()
    _note(session, found, user, "webhook_resumed" if active else "webhook_paused")


def renew(session: Session, webhook_id: int, *, user: User) -> Webhook:
    """Give it another secret; the old one signs nothing any more."""
    found = _found(session, webhook_id, user)
    found.salt = secrets.token_hex(16)
    session.flush()
    _note(session, found, user, "webhook_renewed")
    return found


def redeliver(session: Session, delivery_id: int, *, user: User) -> None:
    """Send a delivery again: the same id and content, so that the receiver can tell."""
    delivery = session.get(WebhookDelivery, delivery_id)
    if delivery is None:
        raise errors.NotFound()
    webhook = _found(session, delivery.webhook_id, user)
    job = session.get_one(Job, delivery.job_id)
    if job.status in ("queued", "running"):
        return
    payload = {**job.payload, "url": webhook.url, "salt": webhook.salt}
    delivery.job_id = jobs.add(
        session, "service", authority_id=job.authority_id, topic="webhook", payload=payload, retries=TRIES
    )
    session.flush()


def spread(session: Session) -> int:
    """Queue a delivery for each new record of the chain that a webhook wants to hear of; how many."""
    made = 0
    hooks = session.scalars(select(Webhook).where(Webhook.active).with_for_update(skip_locked=True)).all()
    for hook in hooks:
        records = session.execute(
            select(AuditRecord, Event, Instance)
            .join(Event, Event.id == AuditRecord.event_id)
            .join(Instance, Instance.id == AuditRecord.instance_id)
            .where(AuditRecord.seq > hook.cursor, AuditRecord.authority_id == hook.authority_id)
            .order_by(AuditRecord.seq)
            .limit(MOST)
        ).all()
        wanted = [row for row in records if row[0].kind in hook.kinds]
        if wanted:
            rows = [_delivery(hook, *row) for row in wanted]
            ids = jobs.enqueue(session, rows)
            session.execute(
                insert(table_of(WebhookDelivery)),
                [
                    {"webhook_id": hook.id, "job_id": job, "kind": row[0].kind, "created_at": clock.now()}
                    for job, row in zip(ids, wanted, strict=True)
                ],
            )
        last = records[-1][0].seq if len(records) == MOST else _head(session)
        hook.cursor = max(hook.cursor, last)
        made += len(wanted)
    session.flush()
    return made


def _head(session: Session) -> int:
    return session.scalar(select(func.max(AuditRecord.seq))) or 0


def _delivery(hook: Webhook, record: AuditRecord, event: Event, instance: Instance) -> dict[str, Any]:
    """The job of one delivery. It names the case and the step; what is in them, a program asks the API with a token."""
    body = {
        "type": f"case.{record.kind}",
        "timestamp": record.at.isoformat(),
        "data": {
            "case": instance.id,
            "number": instance.number,
            "process": instance.process_id,
            "element": event.element_id,
            "name": event.element_name,
            "task": event.task_id,
            "end_event": instance.end_event if record.kind == "ended" else None,
        },
    }
    return {
        "authority_id": hook.authority_id,
        "instance_id": None,
        "definition_id": None,
        "token": None,
        "element_id": None,
        "process_id": None,
        "kind": "service",
        "topic": "webhook",
        "status": "queued",
        "due_at": clock.now(),
        "attempts": 0,
        "retries": TRIES,
        "payload": {
            "webhook": hook.id,
            "salt": hook.salt,
            "url": hook.url,
            "id": f"msg_{record.seq}_{hook.id}",
            "body": orjson.dumps(body).decode(),
        },
        "created_at": clock.now(),
    }


def _found(session: Session, webhook_id: int, user: User) -> Webhook:
    found = session.get(Webhook, webhook_id)
    if found is None or not permissions.may_administer(user, found.authority_id):
        raise errors.NotFound()
    return found


def _administers(user: User, authority_id: int) -> None:
    if not permissions.may_administer(user, authority_id):
        raise errors.Forbidden()


def _note(session: Session, hook: Webhook, user: User, kind: str) -> None:
    data = {"webhook": hook.id, "url": hook.url, "kinds": list(hook.kinds)}
    history.note_authority(session, hook.authority_id, kind, user, data)
