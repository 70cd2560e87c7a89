"""Incidents: what cannot go on by itself gets another try, by somebody who has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.models import Event, Incident, Instance, Job, Membership, Organisation, TaskCandidate, User

from . import instances, jobs, projection
from .projection import Acted


def retry(session: Session, incident_id: int, *, user: User, variables: Mapping[str, Any] | None = None) -> Incident:
    """Let what failed try again, with corrected variables if given."""
    found = session.get(Incident, incident_id)
    if found is None or not permissions.may_administer(user, found.authority_id):
        raise errors.NotFound()
    instance = instances.lock(session, found.instance_id)
    incident = session.get_one(Incident, incident_id, populate_existing=True)
    if incident.resolved_at is not None:
        raise errors.Conflict("此异常已处理。", "This incident is already resolved.", code="incident_resolved")
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    now = clock.now()
    if incident.job_id is not None:
        _again(session, incident, instance, user, variables)
    elif incident.cause in projection.NOBODY:
        _offer_again(session, incident, instance, user)
    elif incident.token is None:
        raise errors.Conflict(
            "此异常不能重试，请移动令牌或终止案卷。", "This cannot be retried; move a token or end the case."
        )
    else:
        token = incident.token
        retried = _fact(incident, {"variables": dict(variables or {})})
        instances.advance(
            session,
            instance,
            lambda run: engine.retry(run, token, now=now, variables=variables),
            acted=Acted(user=user, incident_id=incident.id, facts=[retried]),
        )
    session.refresh(incident)
    return incident


def _again(
    session: Session, incident: Incident, instance: Instance, user: User, variables: Mapping[str, Any] | None
) -> None:
    """Queue the failed job once more; with corrected variables a new job takes its place."""
    job = session.get_one(Job, incident.job_id, populate_existing=True)
    token, now = job.token, clock.now()
    if not variables or token is None:
        jobs.requeue(session, job.id)
        _resolve(session, incident, user)
        return

    def replace(run: engine.Run) -> engine.Step:
        engine.park(run, token, incident.cause, incident.message_zh, incident.message_en, now=now)
        return engine.retry(run, token, now=now, variables=variables)

    retried = _fact(incident, {"variables": dict(variables)})
    instances.advance(
        session,
        instance,
        replace,
        acted=Acted(user=user, incident_id=incident.id, dropped_job_id=job.id, facts=[retried]),
    )


def _offer_again(session: Session, incident: Incident, instance: Instance, user: User) -> None:
    """Ask again who may do the task: somebody has joined, or an organisation has been named."""
    instances.advance(
        session,
        instance,
        lambda run: engine.Step(run, run.waits(), []),
        acted=Acted(user=user, incident_id=incident.id, offer_again=incident.token, facts=[_fact(incident, {})]),
    )


def _resolve(session: Session, incident: Incident, user: User | None) -> None:
    now = clock.now()
    incident.resolved_at, incident.resolved_by_id = now, user.id if user else None
    session.flush()
    left = session.scalar(
        select(Incident.id).where(Incident.instance_id == incident.instance_id, Incident.resolved_at.is_(None)).limit(1)
    )
    instance = session.get_one(Instance, incident.instance_id)
    if left is None and instance.status == "incident":
        instance.status = "active"
    session.add(
        Event(
            authority_id=incident.authority_id,
            instance_id=incident.instance_id,
            at=now,
            kind="retried",
            process_id=incident.process_id,
            element_id=incident.element_id,
            element_name=incident.element_name,
            token=incident.token,
            user_id=user.id if user else None,
            data={"incident": incident.id},
        )
    )
    session.flush()


def _fact(incident: Incident, data: Mapping[str, Any]) -> engine.Happened:
    return instances.fact(
        "retried",
        incident.process_id or "",
        incident.element_id or "",
        incident.element_name,
        {"incident": incident.id, **data},
        token=incident.token,
    )


def recheck(session: Session) -> int:
    """Resolve the incidents of tasks nobody could do, where somebody has been given the role since."""
    today = clock.today()
    staffed = (
        select(TaskCandidate.task_id)
        .join(
            Membership,
            (Membership.organisation_id == TaskCandidate.organisation_id) & (Membership.role == TaskCandidate.role),
        )
        .join(User, User.id == Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            TaskCandidate.task_id == Incident.task_id,
            User.active,
            Organisation.active,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
    )
    found = session.execute(
        select(Incident.id, Incident.instance_id)
        .where(Incident.resolved_at.is_(None), Incident.cause == "no_member", staffed.exists())
        .order_by(Incident.instance_id)
    ).all()
    for incident_id, instance_id in found:
        instances.lock(session, instance_id)
        incident = session.get_one(Incident, incident_id, populate_existing=True)
        if incident.resolved_at is None:
            _resolve(session, incident, None)
    return len(found)
