"""Issued documents: those of a case, and one for whoever may read it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import User
from service.models.register import Base, Document

from . import instances, register


def of_case(session: Session, user: User, instance_id: int) -> Sequence[Document]:
    """Return the documents that a case has issued, newest first; none where the user may not see the case."""
    if not instances.sees(session, user, instance_id):
        return []
    query = select(Document).where(Document.instance_id == instance_id)
    return session.scalars(query.order_by(Document.issued_on.desc(), Document.id.desc())).all()


def document(session: Session, user: User, document_id: int) -> Document | None:
    """Return a document that is public, or of a case or base the user may see; otherwise None."""
    found = session.get(Document, document_id)
    if found is None or not (found.public or _is_open(session, user, found)):
        return None
    return found


def _is_open(session: Session, user: User, found: Document) -> bool:
    if found.instance_id is not None and instances.sees(session, user, found.instance_id):
        return True
    base = session.get(Base, found.base_id) if found.base_id is not None else None
    return base is not None and register.may_see(session, user, base)
