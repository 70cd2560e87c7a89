"""Lists out of the register that a form may offer: a person picks what is known instead of typing its code.

A form names them like variables – ``=for p in registeredParks return {label: p.name, value: p.code}``. They are read
when the form is opened and again when it is handed in, so they are never stale and no case stores them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, engine
from service.models import Organisation
from service.models.register import TYPES, Ban, Base

RECOMMENDERS = ("provincial_department", "department", "central_enterprise", "plan_city")
"""The kinds of organisation that can be a 推荐部门 (article 11)."""


def lists(session: Session, authority_id: int, bundle: engine.Bundle, form_id: str | None) -> dict[str, Any]:
    """The lists that a form names, each with what the register of the authority holds now."""
    return {name: LISTS[name](session, authority_id) for name in _named(bundle, form_id)} if form_id else {}


@lru_cache(maxsize=512)
def _named(bundle: engine.Bundle, form_id: str) -> tuple[str, ...]:
    """Which lists a form names. Kept, because every task that is handed in asks."""
    text = orjson.dumps(bundle.forms.get(form_id)).decode()
    return tuple(name for name in LISTS if name in text)


def _bases(session: Session, authority_id: int) -> list[dict[str, Any]]:
    """Active bases in the order of their numbers."""
    rows = session.execute(
        select(Base.number, Base.name, Base.type, Organisation.name)
        .join(Organisation, Organisation.id == Base.host_id)
        .where(Base.authority_id == authority_id, Base.status == "active")
        .order_by(Base.number)
    )
    return [
        {"number": number, "name": name, "typeName": TYPES.get(type, type), "host": host}
        for number, name, type, host in rows
    ]


def _organisations(*kinds: str) -> Callable[[Session, int], list[dict[str, Any]]]:
    """Active organisations of some kinds; without kinds, all that are a legal entity of their own."""

    def read(session: Session, authority_id: int) -> list[dict[str, Any]]:
        wanted = Organisation.kind.in_(kinds) if kinds else Organisation.uscc.is_not(None)
        today = clock.today()
        barred_until = (
            select(func.max(Ban.last_on))
            .where(Ban.authority_id == authority_id, Ban.uscc == Organisation.uscc)
            .where(Ban.start_on <= today, Ban.last_on >= today)
            .scalar_subquery()
        )
        rows = session.execute(
            select(Organisation.code, Organisation.name, Organisation.region, barred_until)
            .where(Organisation.authority_id == authority_id, Organisation.active, wanted)
            .order_by(Organisation.region, Organisation.name)
        )
        return [
            {"code": code, "name": name, "region": region, "barredUntil": until.isoformat() if until else None}
            for code, name, region, until in rows
        ]

    return read


LISTS: dict[str, Callable[[Session, int], list[dict[str, Any]]]] = {
    "registeredBases": _bases,
    "registeredRecommenders": _organisations(*RECOMMENDERS),
    "registeredProvinces": _organisations("provincial_government"),
    "registeredParks": _organisations("park"),
    "registeredInstitutions": _organisations(),
}
"""Name in a form -> what it reads. Bases: number, name, typeName, host; organisations: code, name, region,
barredUntil (the last day of a ban)."""


__all__ = ["LISTS", "RECOMMENDERS", "lists"]
