"""Who must keep away from a task, and who stands in for whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId
from .identity import User
from .task import Task


class Exclusion(Model):
    """A person, or everybody of an organisation, who may not do an open task, whatever else grants it.

    kind: ``acted`` (did the step ``because_id``, or had it done in their name), ``holds`` (has that step in hand),
    ``party`` (their organisation plays a party of the case that must keep away). Written in the transaction of the
    step that causes it (``commands.cases.duties``); the rows of a task that is over mean nothing.
    """

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (organisation_id IS NULL)", name="one_kind"),
        Index(None, "task_id"),
        Index(None, "user_id", "task_id"),
        Index(None, "organisation_id", "task_id"),
    )

    id: Mapped[RowId]
    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    kind: Mapped[str]
    because_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"))
    because: Mapped[str] = mapped_column(default="")

    task: Mapped[Task] = relationship(foreign_keys=[task_id], back_populates="exclusions")


class RelatedParty(Model):
    """An organisation that a case names beside its parties: a ``partner`` of the applicant, or one ``joint`` with it.

    Follows the process property ``relatedParties`` (``commands.cases.related``). ``keys`` are what it may be recognised
    by, folded: names, social credit code, code; ``organisation_id`` is the one of the register that has one of them.
    """

    __tablename__ = "related_party"
    __table_args__ = (Index(None, "instance_id"),)

    id: Mapped[RowId]
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    party: Mapped[str]
    name: Mapped[str]
    keys: Mapped[list[str]] = mapped_column(default=list)
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))


class Deputy(Model):
    """Somebody stands in for an absent person, from the first day to the last, both included.

    ``process_id`` and ``role`` narrow what is lent, ``signs`` says whether tasks of signing roles are lent, too.
    ``reason`` is what an administrator gave who arranged it for somebody else.
    """

    __tablename__ = "deputy"
    __table_args__ = (Index(None, "deputy_id", "last_day"), Index(None, "principal_id", "last_day"))

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    principal_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    deputy_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    process_id: Mapped[str | None]
    role: Mapped[str | None] = mapped_column(ForeignKey("role.code"))
    signs: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))

    principal: Mapped[User] = relationship(foreign_keys=[principal_id])
    deputy: Mapped[User] = relationship(foreign_keys=[deputy_id], back_populates="standing_in")

    def counts(self, today: date) -> bool:
        """True where the arrangement is in force on this day."""
        return self.revoked_at is None and self.first_day <= today <= self.last_day
