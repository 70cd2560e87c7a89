"""What an administrator does to a case that cannot go on, or must not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.models import CASE_PARTIES, CaseParty, Event, Incident, Instance, Job, Organisation, User

from . import instances, jobs, projection
from .projection import Acted


def suspend(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """Stop a case for a while: nobody can work on it, and its timers and jobs wait."""
    instance = _administered(session, instance_id, user)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    instance.status = "suspended"
    _note(session, instance, "suspended", user, {"reason": reason})
    return instance


def resume(session: Session, instance_id: int, *, user: User, reason: str = "") -> Instance:
    """Let a suspended case go on; what became due meanwhile happens now."""
    instance = _administered(session, instance_id, user)
    if instance.status != "suspended":
        raise errors.Conflict("此案卷没有暂停。", "This case is not suspended.", code="not_suspended")
    trouble = session.scalar(
        select(Incident.id).where(Incident.instance_id == instance.id, Incident.resolved_at.is_(None)).limit(1)
    )
    instance.status = "incident" if trouble is not None else "active"
    _note(session, instance, "resumed", user, {"reason": reason})
    waiting = session.execute(
        select(Job.id, Job.due_at).where(Job.instance_id == instance.id, Job.status == "queued")
    ).all()
    jobs.wake(session, [(job_id, due_at) for job_id, due_at in waiting])
    return instance


def terminate(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """End a case for good."""
    return instances.cancel(session, instance_id, user=user, reason=reason)


def name_party(
    session: Session, instance_id: int, party: str, organisation: Organisation, *, user: User, reason: str
) -> Instance:
    """Say which organisation plays a party in a case, and offer it the tasks that waited for that."""
    if party not in CASE_PARTIES or organisation.authority_id != user.authority_id:
        raise errors.InvalidInput("没有这一方。", "There is no such party.", field="party")
    instance = _administered(session, instance_id, user)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    session.merge(CaseParty(instance_id=instance.id, party=party, organisation_id=organisation.id))
    session.flush()
    _note(session, instance, "party_named", user, {"party": party, "organisation": organisation.code, "reason": reason})
    tokens = session.scalars(
        select(Incident.token).where(
            Incident.instance_id == instance.id,
            Incident.resolved_at.is_(None),
            Incident.cause.in_(projection.NOBODY),
            Incident.token.is_not(None),
        )
    ).all()
    for token in sorted({token for token in tokens if token is not None}):
        instances.advance(
            session,
            instance,
            lambda run: engine.Step(run, run.waits(), []),
            acted=Acted(user=user, offer_again=token),
        )
    return instance


def _administered(session: Session, instance_id: int, user: User) -> Instance:
    instance = instances.lock(session, instance_id)
    if not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    return instance


def _note(session: Session, instance: Instance, kind: str, user: User, data: dict[str, Any]) -> None:
    session.add(
        Event(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            at=clock.now(),
            kind=kind,
            process_id=instance.process_id,
            user_id=user.id,
            data=data,
        )
    )
    instance.updated_at = clock.now()
    session.flush()
