"""Official documents and the numbers they bear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service import errors
from service.models import Counter, Organisation
from service.models.register import Base, Document, DocumentIssuer


def next_number(session: Session, authority_id: int, series: str) -> int:
    """Take the next number of a series. Two takers get two numbers; a transaction undone gives its number back."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    counted = insert(Counter).values(authority_id=authority_id, series=series, last=1)
    given = session.scalar(
        counted.on_conflict_do_update(
            index_elements=[Counter.authority_id, Counter.series], set_={"last": Counter.last + 1}
        ).returning(Counter.last)
    )
    return cast(int, given)


def next_document_number(session: Session, issuers: Sequence[Organisation], kind: str, *, on: date) -> str:
    """The next number of a kind of document in the year, in the series of the organisation that leads.

    An organisation's ``documentSeries`` attribute names the series by kind of document; without one the series is
    its code.
    """
    if not issuers:
        raise errors.InvalidInput("没有发文机关。", "No organisation issues this document.", field="issuers")
    leader = issuers[0]
    names = leader.attributes.get("documentSeries") or {}
    name = names.get(kind) or names.get("default") or leader.code
    serial = next_number(session, leader.authority_id, f"document:{name}:{on.year}")
    return f"{name}〔{on.year}〕{serial}号"


def add_document(
    session: Session,
    *,
    kind: str,
    number: str,
    title: str,
    issuers: Sequence[Organisation],
    issued_on: date,
    file_name: str,
    media_type: str,
    size: int,
    sha256: str,
    storage_key: str,
    base: Base | None = None,
    public: bool = False,
    instance_id: int | None = None,
    job_key: str | None = None,
) -> Document:
    """Enter an official document whose file is already in the store."""
    authority_id = issuers[0].authority_id
    taken = select(Document.id).where(Document.authority_id == authority_id, Document.number == number)
    if session.scalar(taken) is not None:
        raise errors.Conflict(f"文号“{number}”已经使用。", f"The document number “{number}” is taken.", field="number")
    document = Document(
        authority_id=authority_id,
        kind=kind,
        number=number,
        title=title,
        issued_on=issued_on,
        public=public,
        file_name=file_name,
        media_type=media_type,
        size=size,
        sha256=sha256,
        storage_key=storage_key,
        base_id=base.id if base else None,
        instance_id=instance_id,
        job_key=job_key,
        issuers=[DocumentIssuer(organisation_id=one.id, position=place) for place, one in enumerate(issuers)],
    )
    session.add(document)
    session.flush()
    return document
