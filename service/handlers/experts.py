"""Find experts for a panel or a visit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from service import clock
from service.commands.cases import duties, related
from service.models import Membership, Organisation, RelatedParty, User
from service.models.register import Expert

from . import case
from .registry import JobContext, topic


@topic("list_experts")
def list_experts(session: Session, job: JobContext) -> dict[str, Any]:
    """Experts of the pool who hold the role today, those of the asked fields first.

    Who is named in ``excluded`` is left out from the start, and so is who works for the applicant or for an
    organisation that the case names (``relatedParties``): those are listed apart, each with the reason.
    """
    instance = case.instance_of(session, job)
    wanted = set(case.texts(job, "fields", []))
    excluded = set(case.texts(job, "excluded", []))
    applicant = case.value(job, "applicant.code", None)
    today = clock.today(job.now)
    holders = (
        select(Membership.user_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.role == case.header(job, "role"),
            Organisation.authority_id == instance.authority_id,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
    )
    pool = session.scalars(
        select(Expert)
        .join(User, User.id == Expert.user_id)
        .where(Expert.authority_id == instance.authority_id, User.active, Expert.user_id.in_(holders))
        .options(joinedload(Expert.user), joinedload(Expert.employer))
        .order_by(User.username)
    ).all()
    named = related.of_case(session, instance.id)
    candidates, kept_away = [], []
    for one in pool:
        if one.user.username in excluded:
            continue
        if why := _conflict(one, applicant, named):
            kept_away.append({**_facts(one), "reason": why})
        else:
            candidates.append(_facts(one))
    candidates.sort(key=lambda one: -len(wanted.intersection(one["fields"])))
    return {"expertCandidates": candidates, "expertsKeptAway": kept_away}


def _conflict(expert: Expert, applicant: str | None, named: list[RelatedParty]) -> str | None:
    """Why the register keeps an expert away from a case."""
    if expert.employer is not None and expert.employer.code == applicant:
        return "与申报机构同单位"
    for one in named:
        if related.employs(one, expert):
            return f"所在单位是本案所列的{duties.PARTIES[one.party][0]}（{one.name}）"
    return None


def _facts(expert: Expert) -> dict[str, Any]:
    return {
        "user": expert.user.username,
        "name": expert.user.name,
        "organisation": expert.employer.code if expert.employer else None,
        "organisationName": expert.employer.name if expert.employer else expert.employer_name,
        "title": expert.title,
        "fields": list(expert.fields),
    }
