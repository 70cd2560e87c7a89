"""What the qualification check asks: bans, and what the register knows of an applicant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.models import CaseParty, Instance, Organisation, Task
from service.models.register import TYPES, AgendaItem, Document
from service.queries import register

from . import case
from .registry import JobContext, topic

SIGNED = "sign_recommendation"
"""The task whose completion recommends a case, in every procedure that has one."""


@topic("check_ban")
def check_ban(session: Session, job: JobContext) -> dict[str, Any]:
    """Is the legal entity barred on the day? The code of the entity counts, not the name of unit or base."""
    uscc = case.text(job, "applicant.uscc", "")
    on = case.day(job, "checkedOn", clock.today(job.now))
    authority_id = case.instance_of(session, job).authority_id
    found = register.active_ban(session, authority_id, uscc, on) if uscc else None
    if found is None:
        return {"ban": {"active": False, "startOn": None, "lastOn": None, "reason": None, "documentNumber": None}}
    document = session.get(Document, found.document_id) if found.document_id else None
    holder = session.get(Organisation, found.organisation_id) if found.organisation_id else None
    return {
        "ban": {
            "active": True,
            "startOn": case.iso(found.start_on),
            "lastOn": case.iso(found.last_on),
            "reason": found.reason,
            "documentNumber": document.number if document else None,
            "name": holder.name if holder else None,
        }
    }


@topic("lookup_register")
def lookup_register(session: Session, job: JobContext) -> dict[str, Any]:
    """What the register holds on the applicant, so that rules and forms need not ask.

    Of several open cases the oldest goes on: a case is told of those before it, not of those that came later.
    """
    instance = case.instance_of(session, job)
    uscc = case.text(job, "applicant.uscc", "")
    bases = register.active_bases_of(session, instance.authority_id, uscc)
    cases = register.open_cases_of(session, instance.authority_id, uscc, before=instance.id)
    projects = register.projects_of(session, instance.authority_id, uscc)
    return {
        "registerFacts": {
            "activeBases": [
                {"number": one.number, "name": one.name, "type": one.type, "accreditedOn": case.iso(one.accredited_on)}
                for one in bases
            ],
            "openCases": [
                {"number": one.number, "type": one.number.partition("-")[0], "title": one.title} for one in cases
            ],
            "projects": [
                {
                    "number": one.number,
                    "name": one.name,
                    "programme": one.programme,
                    "level": one.level,
                    "status": one.status,
                    "partner": one.partner,
                    "country": one.country,
                    "startsOn": case.iso(one.starts_on),
                    "endsOn": case.iso(one.ends_on),
                    "funding": float(one.funding) if one.funding is not None else None,
                }
                for one in projects
            ],
            "window": _window(session, job, instance),
            "recommendedThisYear": _recommended(session, job, instance),
        }
    }


@topic("lookup_agenda")
def lookup_agenda(session: Session, job: JobContext) -> dict[str, Any]:
    """What stood on the consultations between the ministry and the province about a park, in any year."""
    province = case.party(session, job, "province")
    park = case.organisation(session, job, case.text(job, "park"))
    items = session.scalars(
        select(AgendaItem)
        .where(AgendaItem.province_id == province.id, AgendaItem.park_id == park.id)
        .order_by(AgendaItem.year, AgendaItem.id)
    )
    return {
        "agendaItems": [
            {
                "year": one.year,
                "title": one.title,
                "recordNumber": one.record_number,
                "listedOn": case.iso(one.listed_on),
            }
            for one in items
        ]
    }


def _window(session: Session, job: JobContext, instance: Instance) -> dict[str, Any] | None:
    """The announced filing period that counts today, and whether it is open. None: the type is open all year."""
    today = clock.today(job.now)
    found = register.filing_window(session, instance.authority_id, case.text(job, "baseType"), today)
    if found is None:
        return None
    return {
        "title": found.title,
        "opensOn": case.iso(found.opens_on),
        "closesOn": case.iso(found.closes_on),
        "open": found.opens_on <= today <= found.closes_on,
    }


def _recommended(session: Session, job: JobContext, instance: Instance) -> int:
    """How many cases of this type this recommender has recommended this year, besides this one."""
    code = case.text(job, "recommender.code", None)
    base_type = case.text(job, "baseType")
    if code is None or base_type not in TYPES:
        return 0
    recommender = case.organisation(session, job, code)
    year = clock.today(job.now).year
    signed = session.execute(
        select(Task.instance_id, Task.submitted, Task.completed_at)
        .join(Instance, Instance.id == Task.instance_id)
        .join(CaseParty, CaseParty.instance_id == Instance.id)
        .where(
            CaseParty.party == "recommender",
            CaseParty.organisation_id == recommender.id,
            Instance.number.startswith(f"{base_type}-", autoescape=True),
            Instance.id != instance.id,
            Task.element_id == SIGNED,
            Task.status == "completed",
        )
    ).all()
    return len(
        {
            instance_id
            for instance_id, submitted, completed_at in signed
            if clock.today(completed_at).year == year and _is_signed(submitted)
        }
    )


def _is_signed(submitted: dict[str, Any] | None) -> bool:
    return ((submitted or {}).get("recommendation") or {}).get("result") == "signed"
