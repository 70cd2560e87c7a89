"""The organisations of a case: read one, add one, settle which department is the 推荐部门."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.models import CASE_PARTIES, CaseParty, Instance, Organisation
from service.queries import organisations, register

from . import case
from .registry import BusinessError, JobContext, topic

RECOMMENDERS = {
    "department": "department",
    "central_enterprise": "central_enterprise",
    "plan_city": "plan_city",
    "province": "provincial_department",
}
"""``route.kind`` of the decision table -> kind of organisation."""


@topic("lookup_organisation")
def lookup_organisation(session: Session, job: JobContext) -> dict[str, Any]:
    """What is known of the organisation that plays a party, so that no form asks for it."""
    return {"organisation": organisations.facts(session, case.party(session, job, case.header(job, "party")))}


@topic("assign_recommender")
def assign_recommender(session: Session, job: JobContext) -> dict[str, Any]:
    """Make the department that the route – or a person – points to the case's recommender."""
    applicant = case.organisation(session, job, case.text(job, "applicant.code"))
    chosen = case.text(job, "chosen", None)
    if chosen is not None:
        found = case.find_organisation(session, applicant.authority_id, chosen)
        if found is None or found.kind not in RECOMMENDERS.values() or not found.active:
            raise BusinessError("no_recommender", f"“{chosen}”不是登记的推荐部门。")
        by = relation(applicant, found)
    else:
        by = case.text(job, "route.relation")
        found = _routed(session, applicant, by, case.text(job, "route.kind"))
    join(session, case.instance_of(session, job), "recommender", found)
    return {
        "recommender": {"code": found.code, "name": found.name, "kind": found.kind, "relation": by},
        "parties": {**case.value(job, "parties", {}), "recommender": found.code},
    }


@topic("add_party")
def add_party(session: Session, job: JobContext) -> dict[str, Any]:
    """Make an organisation party to the case: the park, the zone, whoever the diagram names."""
    party, code = case.header(job, "party"), case.text(job, "code", "").strip()
    instance = case.instance_of(session, job)
    found = case.find_organisation(session, instance.authority_id, code)
    if found is None or not found.active or party not in CASE_PARTIES:
        raise BusinessError("unknown_organisation", f"没有代码为“{code}”的机构。")
    join(session, instance, party, found)
    return {
        "organisation": organisations.facts(session, found),
        "parties": {**case.value(job, "parties", {}), party: found.code},
    }


@topic("list_candidates")
def list_candidates(session: Session, job: JobContext) -> dict[str, Any]:
    """Bodies in the recommender's charge that execute 专项 or 政府间 projects (article 6(2)1).

    Each says until when it is barred. ``statuses`` are those in which a project counts as executed (A16); without them
    every project counts.
    """
    recommender = case.party(session, job, "recommender")
    statuses = case.texts(job, "statuses", []) or None
    found = organisations.candidates(session, recommender, statuses)
    usccs = [one.pop("uscc") for one in found]
    until = register.barred_until(session, recommender.authority_id, usccs, clock.today(job.now))
    return {
        "candidates": [
            {**one, "barredUntil": case.iso(until.get(uscc))} for one, uscc in zip(found, usccs, strict=True)
        ]
    }


def relation(one: Organisation, recommender: Organisation) -> str:
    """How a recommender comes to an organisation: it stands above it, or it is that of its place."""
    return "affiliation" if recommender in list(organisations.superiors(one)) else "territory"


def join(session: Session, instance: Instance, party: str, organisation: Organisation) -> None:
    """Make an organisation a party to the case, in place of whoever was it before."""
    session.merge(CaseParty(instance_id=instance.id, party=party, organisation_id=organisation.id))
    session.flush()
    session.expire(instance, ["parties"])


def _routed(session: Session, applicant: Organisation, relation: str, kind: str) -> Organisation:
    """By affiliation the nearest superior of the kind; by territory the one department of the region or city."""
    wanted = RECOMMENDERS.get(kind)
    if relation == "affiliation":
        candidates = [one for one in organisations.superiors(applicant) if one.kind == wanted and one.active]
        if candidates:
            return candidates[0]
    else:
        rows = session.scalars(
            select(Organisation).where(
                Organisation.authority_id == applicant.authority_id,
                Organisation.kind == wanted,
                Organisation.active,
            )
        ).all()
        city = applicant.attributes.get("planCity")
        local = [
            one
            for one in rows
            if (one.attributes.get("planCity") == city if wanted == "plan_city" else one.region == applicant.region)
        ]
        if len(local) == 1:
            return local[0]
    raise BusinessError(
        "no_recommender", f"不能按{_RELATIONS.get(relation, relation)}关系确定“{applicant.name}”的推荐部门。"
    )


_RELATIONS = {"affiliation": "隶属", "territory": "属地"}
