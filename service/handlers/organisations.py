"""Read an organisation of the case, and settle which department is its 推荐部门."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import CaseParty, Organisation

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
    return {"organisation": facts(session, case.party(session, job, case.header(job, "party")))}


def facts(session: Session, organisation: Organisation) -> dict[str, Any]:
    """An organisation as diagrams and forms see it."""
    superior = next(_superiors(organisation), None)
    zone = None
    if organisation.attributes.get("zone"):
        zone = case.find_organisation(session, organisation.authority_id, organisation.attributes["zone"])
    return {
        "code": organisation.code,
        "name": organisation.name,
        "kind": organisation.kind,
        "uscc": organisation.uscc,
        "region": organisation.region,
        "registeredOn": case.iso(organisation.registered_on),
        "domestic": organisation.domestic,
        "legalPerson": bool(organisation.attributes.get("legalPerson", organisation.uscc is not None)),
        "affiliation": superior.kind if superior else "local",
        "parentCode": organisation.parent.code if organisation.parent else None,
        "parentName": organisation.parent.name if organisation.parent else None,
        "planCity": organisation.attributes.get("planCity"),
        "zoneCode": zone.code if zone else None,
        "zoneName": zone.name if zone else None,
    }


def _superiors(organisation: Organisation) -> Iterator[Organisation]:
    """The State Council departments and central enterprises above an organisation, nearest first."""
    seen = {organisation.id}
    above = organisation.parent
    while above is not None and above.id not in seen:
        seen.add(above.id)
        if above.kind in ("department", "central_enterprise"):
            yield above
        above = above.parent


@topic("assign_recommender")
def assign_recommender(session: Session, job: JobContext) -> dict[str, Any]:
    """Make the department that the route – or a person – points to the case's recommender."""
    applicant = case.organisation(session, job, case.text(job, "applicant.code"))
    chosen = case.text(job, "chosen", None)
    if chosen is not None:
        found = case.find_organisation(session, applicant.authority_id, chosen)
        if found is None or found.kind not in RECOMMENDERS.values() or not found.active:
            raise BusinessError("no_recommender", f"“{chosen}”不是登记的推荐部门。")
        relation = "affiliation" if found in list(_superiors(applicant)) else "territory"
    else:
        relation = case.text(job, "route.relation")
        found = _routed(session, applicant, relation, case.text(job, "route.kind"))
    instance = case.instance_of(session, job)
    session.merge(CaseParty(instance_id=instance.id, party="recommender", organisation_id=found.id))
    session.flush()
    session.expire(instance, ["parties"])
    return {
        "recommender": {"code": found.code, "name": found.name, "kind": found.kind, "relation": relation},
        "parties": {**case.value(job, "parties", {}), "recommender": found.code},
    }


def _routed(session: Session, applicant: Organisation, relation: str, kind: str) -> Organisation:
    """By affiliation the nearest superior of the kind; by territory the one department of the region or city."""
    wanted = RECOMMENDERS.get(kind)
    if relation == "affiliation":
        candidates = [one for one in _superiors(applicant) if one.kind == wanted and one.active]
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
