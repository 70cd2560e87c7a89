"""Documents that are issued, with their numbers."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import BigId, Model, RowId
from ..identity import Organisation


class Document(Model):
    """An official document as it was issued: its number, its bytes in the store, and who issued it."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("authority_id", "number"),
        UniqueConstraint("job_key"),
        Index(None, "base_id"),
        Index(None, "instance_id"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    kind: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    issued_on: Mapped[date]
    public: Mapped[bool] = mapped_column(default=False)
    file_name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str]
    base_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("base.id"))
    instance_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("instance.id"))
    job_key: Mapped[str | None]

    issuers: Mapped[list[DocumentIssuer]] = relationship(
        cascade="all, delete-orphan", order_by="DocumentIssuer.position"
    )


class DocumentIssuer(Model):
    """An organisation that issued a document; a joint document (article 7) has two."""

    __tablename__ = "document_issuer"

    document_id: Mapped[int] = mapped_column(BigId, ForeignKey("document.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)

    organisation: Mapped[Organisation] = relationship()
