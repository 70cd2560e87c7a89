"""Who is asking, and who there is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload
from sqlalchemy.sql.base import ExecutableOption

from .. import clock
from ..models import ApiToken, Authority, Membership, Organisation, Role, User, UserSession


def signed_in(session: Session, token: str) -> UserSession | None:
    """Return the living session of a cookie, with its user and what the user may do, in one statement."""
    query = select(UserSession).join(UserSession.user).options(_user_of(UserSession.user))
    query = query.where(
        UserSession.token_hash == _hash(token),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > clock.now(),
        User.active,
    )
    return session.scalars(query).unique().one_or_none()


def by_token(session: Session, token: str) -> ApiToken | None:
    """Return the living API token of this text, with its user and what the user may do, in one statement."""
    query = select(ApiToken).join(ApiToken.user).options(_user_of(ApiToken.user))
    query = query.where(
        ApiToken.token_hash == _hash(token),
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now()),
        User.active,
    )
    return session.scalars(query).unique().one_or_none()


def user(session: Session, username: str) -> User | None:
    """Return an account by its name, with its memberships."""
    query = select(User).where(User.username == username.strip().lower()).options(joinedload(User.memberships))
    return session.scalars(query).unique().one_or_none()


def by_id(session: Session, user_id: int) -> User | None:
    """Return an account by its id, with its memberships."""
    query = select(User).where(User.id == user_id).options(joinedload(User.memberships))
    return session.scalars(query).unique().one_or_none()


def users(session: Session, authority_id: int) -> Sequence[User]:
    """Return the accounts of an authority with their memberships, by name."""
    query = select(User).where(User.authority_id == authority_id).options(joinedload(User.memberships))
    return session.scalars(query.order_by(User.username)).unique().all()


def demo_users(session: Session) -> Sequence[User]:
    """Return the accounts one can sign in to, for the sign-in page of a demonstration."""
    query = select(User).where(User.active, User.password_hash.is_not(None)).options(joinedload(User.memberships))
    return session.scalars(query.order_by(User.id)).unique().all()


def tokens(session: Session, user: User) -> Sequence[ApiToken]:
    """Return a user's own tokens that have not been revoked, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return session.scalars(query.order_by(ApiToken.id.desc())).all()


def organisations(session: Session, authority_id: int, kind: str | None = None) -> Sequence[Organisation]:
    """Return the organisations of an authority, by code."""
    query = select(Organisation).where(Organisation.authority_id == authority_id, Organisation.active)
    if kind is not None:
        query = query.where(Organisation.kind == kind)
    return session.scalars(query.order_by(Organisation.code)).all()


def roles(session: Session) -> dict[str, Role]:
    """Return all roles by code."""
    return {role.code: role for role in session.scalars(select(Role).order_by(Role.code))}


def authority(session: Session, code: str) -> Authority | None:
    """Return an authority by its code."""
    return session.scalar(select(Authority).where(Authority.code == code))


def holders(session: Session, organisation_id: int, role: str) -> Sequence[User]:
    """Return the people with an open account who hold a role in an organisation today."""
    today = clock.today()
    query = (
        select(User)
        .join(User.memberships)
        .join(Membership.organisation)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == role,
            Organisation.active,
            User.active,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
        .order_by(User.name, User.id)
    )
    return session.scalars(query).all()


def _user_of(relation: InstrumentedAttribute[User]) -> ExecutableOption:
    return contains_eager(relation).joinedload(User.memberships)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def organisation_names(session: Session, ids: Iterable[int]) -> dict[int, Organisation]:
    """Return some organisations by their ids."""
    found = session.scalars(select(Organisation).where(Organisation.id.in_(sorted(ids))))
    return {one.id: one for one in found}
