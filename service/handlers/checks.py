"""What the qualification check asks: bans, and what the register knows of an applicant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.models import CaseParty, Instance, Task
from service.models.register import TYPES, AgendaItem
from service.queries import standing

from . import case
from .registry import JobContext, topic

SIGNED = "sign_recommendation"
"""The task whose completion recommends a case, in every procedure that has one."""


@topic("check_ban")
def check_ban(session: Session, job: JobContext) -> dict[str, Any]:
    """Is the legal entity barred on the day? The code of the entity counts, not the name of unit or base."""
    on = case.day(job, "checkedOn", clock.today(job.now))
    authority_id = case.instance_of(session, job).authority_id
    return {"ban": standing.ban(session, authority_id, case.text(job, "applicant.uscc", ""), on)}


@topic("lookup_register")
def lookup_register(session: Session, job: JobContext) -> dict[str, Any]:
    """What the register holds on the applicant, so that rules and forms need not ask.

    Of several open cases the oldest goes on: a case is told of those before it, not of those that came later.
    """
    instance = case.instance_of(session, job)
    uscc, today = case.text(job, "applicant.uscc", ""), clock.today(job.now)
    return {
        "registerFacts": {
            **standing.holdings(session, instance.authority_id, uscc, before=instance.id),
            "window": standing.window(session, instance.authority_id, case.text(job, "baseType"), today),
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
