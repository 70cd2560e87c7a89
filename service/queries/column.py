"""What everybody may read without signing in: the public column with its articles, and the list of bases (article 19).

These functions name what they give away, so a score, an opinion, an open case or a complaint never slips through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from service.models import Authority
from service.models.register import Base, ColumnArticle, RegisterEvent

from . import register
from .page import Page, mark, position, size
from .register import PAGE, Filter


@dataclass(frozen=True, slots=True)
class PublicBase:
    """What everybody may know of a base. ``type`` and ``fields`` are codes of ``TYPES`` and ``FIELDS``."""

    number: str
    name: str
    host: str
    region: str
    type: str
    fields: Sequence[str]
    status: str
    accredited_on: date
    ended_on: date | None


def owner(session: Session) -> Authority | None:
    """The authority whose column it is: the one that was there first. Others keep local bases (article 21)."""
    return session.scalars(select(Authority).order_by(Authority.id).limit(1)).first()


def bases(
    session: Session,
    authority_id: int,
    shown: Filter | None = None,
    *,
    sort: str = "number",
    after: str | None = None,
    limit: int = PAGE,
) -> Page[PublicBase]:
    """The public list of bases, by type: name, host, province, year."""
    found = register.bases(session, authority_id, shown or Filter(), sort=sort, after=after, limit=limit)
    return Page(items=[_public(base) for base in found.items], total=found.total, next=found.next)


def base(session: Session, authority_id: int, number: str) -> tuple[PublicBase, Sequence[RegisterEvent]] | None:
    """One base for everybody, with the lines of its history that are public."""
    found = register.find(session, authority_id, number)
    if found is None:
        return None
    return _public(found), [event for event in register.history(session, found) if event.public]


def counts(session: Session, authority_id: int) -> dict[str, int]:
    """How many bases there are of each type, by its code."""
    rows = session.execute(
        select(Base.type, func.count())
        .where(Base.authority_id == authority_id, Base.status == "active")
        .group_by(Base.type)
    )
    return {row[0]: row[1] for row in rows}


def articles(
    session: Session, authority_id: int, section: str | None = None, *, after: str | None = None, limit: int = PAGE
) -> Page[ColumnArticle]:
    """What stands in the public column now, newest first."""
    shown = [ColumnArticle.authority_id == authority_id, *_standing()]
    if section is not None:
        shown.append(ColumnArticle.section == section)
    query = select(ColumnArticle).where(*shown)
    if after is not None:
        query = query.where(ColumnArticle.id < position(after, (int,))[0])
    limit = size(limit)
    found = list(session.scalars(query.order_by(ColumnArticle.id.desc()).limit(limit + 1)))
    total = session.scalar(select(func.count()).select_from(ColumnArticle).where(*shown)) or 0
    more = len(found) > limit
    return Page(items=found[:limit], total=total, next=mark(found[limit - 1].id) if more else None)


def article(session: Session, authority_id: int, article_id: int) -> ColumnArticle | None:
    """One article that stands in the column now."""
    query = select(ColumnArticle).where(
        ColumnArticle.id == article_id, ColumnArticle.authority_id == authority_id, *_standing()
    )
    return session.scalar(query)


def _standing() -> list[ColumnElement[bool]]:
    return [ColumnArticle.published_at.is_not(None), ColumnArticle.withdrawn_at.is_(None)]


def _public(found: Base) -> PublicBase:
    return PublicBase(
        number=found.number,
        name=found.name,
        host=found.host.name,
        region=found.region,
        type=found.type,
        fields=[one.code for one in found.fields],
        status=found.status,
        accredited_on=found.accredited_on,
        ended_on=found.ended_on,
    )
