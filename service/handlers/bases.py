"""Bases: enter one, read it, change it, give it its plaque, let it go – and how they lie over the country."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from service import clock, workdays
from service.commands.bases import register, sanctions
from service.models.register import TYPES, Base
from service.queries import organisations
from service.queries import register as read

from . import case
from .organisations import join, relation
from .registry import BusinessError, JobContext, topic


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
        rule_set=case.text(job, "ruleSet", register.RULE_SET),
        summary=case.text(job, "application.goals", ""),
        director=case.text(job, "application.directorName", ""),
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


@topic("lookup_base")
def lookup_base(session: Session, job: JobContext) -> dict[str, Any]:
    """Read a base with its host and its recommender of today, and make both party to the case.

    A number that belongs to somebody else's base is treated as one that does not exist. With ``reportYear``, what the
    base reported last before that year is read too: a form fills in what lasts.
    """
    instance = case.instance_of(session, job)
    base = read.find(session, instance.authority_id, case.text(job, "baseNumber", "").strip().upper())
    link = read.recommender(session, base) if base is not None else None
    named = case.value(job, "parties", {})
    if base is None or link is None:
        raise BusinessError("unknown_base", "登记库中没有这个编号的基地。")
    ours = {"applicant": base.host.code, "recommender": link.organisation.code}
    if any(named.get(party, code) != code for party, code in ours.items()):
        raise BusinessError("unknown_base", "这个编号的基地不属于本案的机构。")
    noticed = sanctions.standing_notice(session, base)
    year = case.number(job, "reportYear", 0)
    for party, one in (("applicant", base.host), ("recommender", link.organisation)):
        join(session, instance, party, one)
    return {
        "base": facts(base)
        | {"underNotice": noticed is not None, "noticeOn": case.iso(noticed.issued_on) if noticed else None}
        | {"projects": read.running_projects(session, base), "partners": read.partners(session, base)},
        "formerReport": read.former_report(session, base, year) if year else None,
        "applicant": organisations.facts(session, base.host),
        "recommender": {
            "code": link.organisation.code,
            "name": link.organisation.name,
            "kind": link.organisation.kind,
            "relation": link.relation,
        },
        "parties": {**named, **ours},
    }


@topic("list_own_bases")
def list_own_bases(session: Session, job: JobContext) -> dict[str, Any]:
    """The active bases of the applicant, or those in the recommender's charge today, to choose from."""
    party = job.headers.get("party") or "applicant"
    ours = case.party(session, job, party)
    wanted = read.Filter(recommender_id=ours.id) if party == "recommender" else read.Filter(host_id=ours.id)
    found = read.bases(session, ours.authority_id, wanted, limit=200)
    return {"ownBases": [{"number": one.number, "name": one.name, "type": one.type} for one in found.items]}


@topic("update_base")
def update_base(session: Session, job: JobContext) -> None:
    """Enter an approved change; a new recommender takes over on its day."""
    base = case.base(session, job)
    kind = case.text(job, "changeRequest.kind")
    # What is picked out of the register has a field of its own; everything else is written.
    value = case.text(job, f"changeRequest.{kind}", case.text(job, "changeRequest.value", ""))
    on = case.day(job, "effectiveOn", clock.today(job.now))
    if kind == "recommender":
        recommender = case.organisation(session, job, value)
        register.change_recommender(
            session, base, recommender, relation(base.host, recommender), since=on, instance_id=job.instance_id
        )
    elif kind == "plan":
        files = case.records(job, "changeRequest.files")
        register.adopt_plan(session, base, goals=value, effective_on=on, attachments=files, instance_id=job.instance_id)
    elif kind == "host":
        host = case.organisation(session, job, value)
        register.change_base(session, base, host=host, instance_id=job.instance_id)
    elif kind == "name":
        register.change_base(session, base, name=value, instance_id=job.instance_id)
    elif kind == "director":
        register.change_base(session, base, director=value, instance_id=job.instance_id)
    else:
        raise case.WrongInput(topic=job.topic, name="changeRequest.kind", value=kind)


@topic("end_base")
def end_base(session: Session, job: JobContext) -> None:
    """Let a base go at its own wish. A ban follows only where the table of the process says so (A27)."""
    base = case.base(session, job)
    on = case.day(job, "endedOn", clock.today(job.now))
    register.leave(session, base, on=on, reason=case.text(job, "reason", ""), instance_id=job.instance_id)
    years = case.number(job, "banYears", 0)
    if years > 0:
        sanctions.ban(
            session,
            base.host,
            start_on=on,
            last_on=workdays.years_later(on, years),
            reason=f"“{base.name}”自愿退出",
            base=base,
            instance_id=job.instance_id,
        )


def facts(base: Base) -> dict[str, Any]:
    """A base as diagrams and forms see it."""
    return {
        "id": base.id,
        "number": base.number,
        "name": base.name,
        "type": base.type,
        "typeName": TYPES.get(base.type, base.type),
        "status": base.status,
        "region": base.region,
        "fields": [one.code for one in base.fields],
        "accreditedOn": case.iso(base.accredited_on),
        "accreditedUnder": base.accredited_under,
        "director": base.director,
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
