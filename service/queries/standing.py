"""Where an organisation stands with the register: bans, bases, open cases, projects, filing periods.

The same facts serve the qualification check of a case and the look before a case is started (``before_start``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from service.models import CASE_PARTIES, CaseParty, Instance, Organisation, ProcessDefinition
from service.models.register import Base, Document, Project, RecommenderLink

from . import organisations, register


def ban(session: Session, authority_id: int, uscc: str | None, on: date) -> dict[str, Any]:
    """Is the legal entity barred on the day? The code of the entity counts, not the name of unit or base."""
    found = register.active_ban(session, authority_id, uscc, on) if uscc else None
    if found is None:
        return {"active": False, "startOn": None, "lastOn": None, "reason": None, "documentNumber": None}
    document = session.get(Document, found.document_id) if found.document_id else None
    holder = session.get(Organisation, found.organisation_id) if found.organisation_id else None
    return {
        "active": True,
        "startOn": _iso(found.start_on),
        "lastOn": _iso(found.last_on),
        "reason": found.reason,
        "documentNumber": document.number if document else None,
        "name": holder.name if holder else None,
    }


def holdings(session: Session, authority_id: int, uscc: str, *, before: int | None = None) -> dict[str, Any]:
    """The active bases, running applications and projects of a legal entity.

    With ``before`` only the applications older than that case: of several the oldest goes on.
    """
    bases = register.active_bases_of(session, authority_id, uscc)
    cases = register.open_cases_of(session, authority_id, uscc, before=before)
    projects = register.projects_of(session, authority_id, uscc)
    return {
        "activeBases": [
            {"number": one.number, "name": one.name, "type": one.type, "accreditedOn": _iso(one.accredited_on)}
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
                "startsOn": _iso(one.starts_on),
                "endsOn": _iso(one.ends_on),
                "funding": float(one.funding) if one.funding is not None else None,
            }
            for one in projects
        ],
    }


def window(session: Session, authority_id: int, base_type: str, on: date) -> dict[str, Any] | None:
    """The announced filing period that counts on the day, and whether it is open. None: the type is open all year."""
    found = register.filing_window(session, authority_id, base_type, on)
    if found is None:
        return None
    return {
        "title": found.title,
        "opensOn": _iso(found.opens_on),
        "closesOn": _iso(found.closes_on),
        "open": found.opens_on <= on <= found.closes_on,
    }


def special_projects(session: Session, recommender: Organisation, on: date) -> list[dict[str, Any]]:
    """Projects listed in the 专项 of the active bases in a recommender's charge (article 16)."""
    rows = session.execute(
        select(Project, Base)
        .join(Base, Base.id == Project.base_id)
        .join(RecommenderLink, RecommenderLink.base_id == Base.id)
        .where(
            Project.special,
            Base.status == "active",
            and_(
                RecommenderLink.organisation_id == recommender.id,
                RecommenderLink.since <= on,
                or_(RecommenderLink.until.is_(None), RecommenderLink.until > on),
            ),
        )
        .options(joinedload(Base.host))
        .order_by(Project.number)
    ).all()
    return [
        {
            "number": project.number,
            "name": project.name,
            "base": {"number": base.number, "name": base.name},
            "applicant": base.host.code,
            "special": True,
            "funding": float(project.funding) if project.funding is not None else None,
        }
        for project, base in rows
    ]


def of_organisation(session: Session, organisation: Organisation, on: date) -> dict[str, Any]:
    """What is known of whoever would start a case, whatever the case is."""
    authority_id, uscc = organisation.authority_id, organisation.uscc
    recommends = organisation.kind in ("provincial_department", "department", "central_enterprise", "plan_city")
    candidates = organisations.candidates(session, organisation) if recommends else []
    return {
        "applicant": organisations.facts(session, organisation),
        "ban": ban(session, authority_id, uscc, on),
        "registerFacts": holdings(session, authority_id, uscc)
        if uscc
        else {"activeBases": [], "openCases": [], "projects": []},
        "candidates": candidates,
        "barred": _barred(session, organisation, candidates, on),
        "specialProjects": special_projects(session, organisation, on) if recommends else [],
        "agendaItems": [
            {"year": one.year, "title": one.title}
            for one in register.agenda(session, authority_id, organisation.id, on.year)
        ],
        "activeBases": register.layout(session, authority_id).total,
    }


def _barred(
    session: Session, organisation: Organisation, candidates: Sequence[Mapping[str, Any]], on: date
) -> list[dict[str, Any]]:
    """Who could be named as the applicant and is barred: the candidates of a recommender, the parks of a province."""
    known = [(one["uscc"], one["name"]) for one in candidates]
    if organisation.kind == "provincial_government":
        parks = select(Organisation.uscc, Organisation.name).where(
            Organisation.authority_id == organisation.authority_id,
            Organisation.kind == "park",
            Organisation.active,
            Organisation.region == organisation.region,
        )
        known += [(uscc, name) for uscc, name in session.execute(parks.order_by(Organisation.name))]
    until = register.barred_until(session, organisation.authority_id, [uscc for uscc, _ in known], on)
    return [{"name": name, "lastOn": _iso(until[uscc])} for uscc, name in known if uscc in until]


def before_start(
    session: Session,
    definition: ProcessDefinition,
    organisation: Organisation,
    known: Mapping[str, Any],
    on: date,
) -> dict[str, Any]:
    """What a case of this process would know before anybody types; ``known`` is what ``of_organisation`` gave."""
    base_type = definition.properties.get("baseType")
    open_period = window(session, definition.authority_id, base_type, on) if base_type else None
    return {
        **known,
        "process": definition.process_id,
        "checkpoint": "start",
        "checkedOn": on.isoformat(),
        "baseType": base_type,
        "registerFacts": {**known["registerFacts"], "window": open_period},
        "running": _running(session, definition, organisation),
    }


def _running(session: Session, definition: ProcessDefinition, organisation: Organisation) -> list[dict[str, Any]]:
    """The running cases of the process: those of the organisation, or all where one office starts every case."""
    query = select(Instance.number, Instance.title).where(
        Instance.authority_id == definition.authority_id,
        Instance.process_id == definition.process_id,
        Instance.ended_at.is_(None),
    )
    if any(role.partition(".")[0] in CASE_PARTIES for role in definition.starters):
        parties = select(CaseParty.instance_id).where(CaseParty.organisation_id == organisation.id)
        query = query.where(Instance.id.in_(parties))
    rows = session.execute(query.order_by(Instance.id).limit(20))
    return [{"number": number, "title": title} for number, title in rows]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
