"""Find experts for a panel or a visit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from service import clock
from service.models import Membership, Organisation, User
from service.models.register import Expert

from . import case
from .registry import JobContext, topic


@topic("list_experts")
def list_experts(session: Session, job: JobContext) -> dict[str, Any]:
    """Experts of the pool who hold the role today, those of the asked fields first.

    Who works at the applicant or is named in ``excluded`` is left out from the start.
    """
    authority_id = case.instance_of(session, job).authority_id
    wanted = set(case.texts(job, "fields", []))
    excluded = set(case.texts(job, "excluded", []))
    applicant = case.value(job, "applicant.code", None)
    today = clock.today(job.now)
    holders = (
        select(Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.role == case.header(job, "role"),
            Organisation.authority_id == authority_id,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
    )
    pool = session.scalars(
        select(Expert)
        .join(User, User.id == Expert.user_id)
        .where(Expert.authority_id == authority_id, User.active, Expert.user_id.in_(holders))
        .options(joinedload(Expert.user), joinedload(Expert.employer))
        .order_by(User.username)
    ).all()
    found = [_facts(one) for one in pool if one.user.username not in excluded]
    found = [one for one in found if one["organisation"] is None or one["organisation"] != applicant]
    found.sort(key=lambda one: -len(wanted.intersection(one["fields"])))
    return {"expertCandidates": found}


def _facts(expert: Expert) -> dict[str, Any]:
    return {
        "user": expert.user.username,
        "name": expert.user.name,
        "organisation": expert.employer.code if expert.employer else None,
        "organisationName": expert.employer.name if expert.employer else expert.employer_name,
        "title": expert.title,
        "fields": list(expert.fields),
    }
