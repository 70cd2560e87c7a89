"""Who: authorities, organisations, people, what they may do where, and how they prove it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import BigId, Model, RowId

if TYPE_CHECKING:
    from .duties import Deputy

CASE_PARTIES = frozenset({"applicant", "recommender", "zone", "province"})
"""Parties that another organisation plays in every case."""
FIXED_PARTIES = frozenset({"most", "coop", "torch", "experts", "secretariat", "platform"})
"""Parties that one organisation of an authority plays in all cases: the one whose code is the party."""


class Authority(Model):
    """Whose procedures and register these are: the ministry, or a province with its own measures (art. 21)."""

    __tablename__ = "authority"

    id: Mapped[RowId]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class Organisation(Model):
    """A legal entity or an office that plays a party in cases."""

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("authority_id", "code"),
        Index(None, "authority_id", "kind"),
        Index(None, "uscc"),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    region: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    uscc: Mapped[str | None]
    registered_on: Mapped[date | None]
    domestic: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)

    authority: Mapped[Authority] = relationship()
    parent: Mapped[Organisation | None] = relationship(remote_side="Organisation.id")


class User(Model):
    """A person with an account. What they may do follows from their memberships alone."""

    __tablename__ = "user"

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"), index=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    locale: Mapped[str] = mapped_column(default="zh")
    created_at: Mapped[datetime]

    memberships: Mapped[list[Membership]] = relationship(back_populates="user", cascade="all, delete-orphan")
    standing_in: Mapped[list[Deputy]] = relationship(
        back_populates="deputy", foreign_keys="Deputy.deputy_id", viewonly=True
    )


class Role(Model):
    """A function inside a party, as diagrams name it: ``recommender.reviewer``.

    ``lane`` is the lane whose tasks fall to this role where a diagram says nothing more.
    """

    __tablename__ = "role"

    code: Mapped[str] = mapped_column(primary_key=True)
    party: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    lane: Mapped[str | None] = mapped_column(unique=True)


class Membership(Model):
    """A person holds a role in an organisation, from a day on and until the day before ``until``."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "organisation_id", "role"), Index(None, "organisation_id", "role"))

    id: Mapped[RowId]
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(BigId, ForeignKey("organisation.id"))
    role: Mapped[str] = mapped_column(ForeignKey("role.code"))
    since: Mapped[date | None]
    until: Mapped[date | None]

    user: Mapped[User] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)

    @property
    def party(self) -> str:
        """The party this membership speaks for."""
        return self.role.partition(".")[0]

    def holds(self, today: date) -> bool:
        """True where the membership counts on this day."""
        return (
            (self.since is None or self.since <= today)
            and (self.until is None or today < self.until)
            and self.organisation.active
        )


class UserSession(Model):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "user_session"

    id: Mapped[RowId]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(default="")

    user: Mapped[User] = relationship()


class ApiToken(Model):
    """A personal token for the JSON API, shown once at its creation; only its hash is kept."""

    __tablename__ = "api_token"

    id: Mapped[RowId]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    hint: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class SignInFailure(Model):
    """Wrong passwords typed for a name lately, whether or not such an account exists."""

    __tablename__ = "sign_in_failure"

    username: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
