"""Enter a base in the register, give it its plaque, and say how the bases lie over the country."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from service import clock
from service.commands import register
from service.models.register import Base
from service.queries import register as read

from . import case
from .registry import JobContext, topic


@topic("register_base")
def register_base(session: Session, job: JobContext) -> dict[str, Any]:
    """Enter the accredited base with its host, its recommender and the document that says so."""
    host = case.organisation(session, job, case.text(job, "applicant.code"))
    recommender = _recommender(session, job)
    zone = case.text(job, "applicant.zoneCode", None)
    base = register.register_base(
        session,
        type=case.text(job, "baseType"),
        name=case.text(job, "application.baseName"),
        host=host,
        recommender=recommender,
        relation=case.text(job, "recommender.relation", "territory"),
        fields=case.texts(job, "application.fields", []),
        decided_on=case.day(job, "decidedOn", clock.today(job.now)),
        document=case.document(session, job),
        zone=case.organisation(session, job, zone) if zone else None,
        summary=case.text(job, "application.goals", ""),
        instance_id=job.instance_id,
    )
    plan = case.value(job, "application.planFiles", None)
    if plan:
        register.adopt_plan(
            session,
            base,
            goals=case.text(job, "application.goals", ""),
            effective_on=base.accredited_on,
            attachments=plan,
            instance_id=job.instance_id,
        )
    return {"base": facts(base)}


def _recommender(session: Session, job: JobContext) -> Any:
    """Whoever recommended; a park's supervisor by territory or affiliation, never the government (A13)."""
    return case.organisation(session, job, case.text(job, "recommender.code"))


def facts(base: Base) -> dict[str, Any]:
    """A base as diagrams and forms see it."""
    return {
        "id": base.id,
        "number": base.number,
        "name": base.name,
        "type": base.type,
        "status": base.status,
        "region": base.region,
        "fields": [one.code for one in base.fields],
        "accreditedOn": case.iso(base.accredited_on),
        "accreditedUnder": base.accredited_under,
        "hostCode": base.host.code,
        "hostName": base.host.name,
    }


@topic("record_plaque")
def record_plaque(session: Session, job: JobContext) -> None:
    """Note that the plaque was given."""
    register.give_plaque(
        session,
        case.base(session, job),
        inscription=case.text(job, "plaque.inscription"),
        given_on=case.day(job, "plaque.givenOn", clock.today(job.now)),
        instance_id=job.instance_id,
    )


@topic("layout_report")
def layout_report(session: Session, job: JobContext) -> dict[str, Any]:
    """Count the bases of the type by region and field, and those nearest to the applicant."""
    authority_id = case.instance_of(session, job).authority_id
    found = read.layout(session, authority_id, case.text(job, "baseType"))
    region = case.text(job, "region", None)
    wanted = set(case.texts(job, "fields", []))
    return {
        "layoutFacts": {
            "total": found.total,
            "sameRegion": dict(found.by_region).get(region or "", 0),
            "sameFields": sum(count for code, count in found.by_field if code in wanted),
            "byRegion": [{"region": name, "count": count} for name, count in found.by_region],
            "byField": [{"field": code, "count": count} for code, count in found.by_field],
        }
    }
