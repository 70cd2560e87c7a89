"""What the register knows of an organisation, as diagrams, tables and forms see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from service.models import Organisation
from service.models.register import Project


def facts(session: Session, organisation: Organisation) -> dict[str, Any]:
    """An organisation as diagrams and forms see it."""
    superior = next(superiors(organisation), None)
    zone = None
    if organisation.attributes.get("zone"):
        zone = _find(session, organisation.authority_id, organisation.attributes["zone"])
    return {
        "code": organisation.code,
        "name": organisation.name,
        "kind": organisation.kind,
        "uscc": organisation.uscc,
        "region": organisation.region,
        "registeredOn": organisation.registered_on.isoformat() if organisation.registered_on else None,
        "domestic": organisation.domestic,
        "legalPerson": bool(organisation.attributes.get("legalPerson", organisation.uscc is not None)),
        "affiliation": superior.kind if superior else "local",
        "parentCode": organisation.parent.code if organisation.parent else None,
        "parentName": organisation.parent.name if organisation.parent else None,
        "planCity": organisation.attributes.get("planCity"),
        "zoneCode": zone.code if zone else None,
        "zoneName": zone.name if zone else None,
    }


def superiors(organisation: Organisation) -> Iterator[Organisation]:
    """The State Council departments and central enterprises above an organisation, nearest first."""
    seen = {organisation.id}
    above = organisation.parent
    while above is not None and above.id not in seen:
        seen.add(above.id)
        if above.kind in ("department", "central_enterprise"):
            yield above
        above = above.parent


def in_charge(recommender: Organisation, one: Organisation) -> bool:
    """True where a department is an organisation's 推荐部门 by affiliation, or else by territory (article 11)."""
    above = list(superiors(one))
    if above or recommender.kind in ("department", "central_enterprise"):
        return recommender in above
    city = one.attributes.get("planCity")
    if city is not None or recommender.kind == "plan_city":
        return recommender.kind == "plan_city" and recommender.attributes.get("planCity") == city
    return recommender.kind == "provincial_department" and recommender.region == one.region


def candidates(
    session: Session, recommender: Organisation, statuses: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Bodies in a recommender's charge with 专项 or 政府间 projects (article 6(2)1), with how many.

    With ``statuses`` only projects in one of them count. ``statuses`` of a candidate are those of its projects, one for
    each: which of them count as executed is for a table to say (A16).
    """
    counts = Project.status.in_(statuses) if statuses is not None else true()
    rows = session.execute(
        select(Organisation, Project.programme, Project.status, func.count(Project.id))
        .join(Project, Project.organisation_id == Organisation.id)
        .where(
            Organisation.authority_id == recommender.authority_id,
            Organisation.active,
            Project.programme.in_(("special", "intergovernmental")),
            counts,
        )
        .group_by(Organisation.id, Project.programme, Project.status)
        .order_by(Organisation.code, Project.programme, Project.status)
    ).all()
    found: dict[str, dict[str, Any]] = {}
    for one, programme, status, count in rows:
        if in_charge(recommender, one):
            blank = {"projects": 0, "special": 0, "intergovernmental": 0, "statuses": []}
            candidate = found.setdefault(one.code, {"code": one.code, "name": one.name, "uscc": one.uscc, **blank})
            candidate[programme] += count
            candidate["projects"] += count
            candidate["statuses"] += [status] * count
    return list(found.values())


def _find(session: Session, authority_id: int, code: str) -> Organisation | None:
    return session.scalar(
        select(Organisation).where(Organisation.authority_id == authority_id, Organisation.code == code)
    )
