"""One row by its number, where the reader may know of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from .. import permissions
from ..models import Deployment, User
from ..models.register import Base


def user(session: Session, user_id: int) -> User | None:
    """An account, with its memberships. For whoever already knows that they may hand something to it."""
    query = select(User).where(User.id == user_id).options(joinedload(User.memberships))
    return session.scalars(query).unique().one_or_none()


def deployment(session: Session, user: User, deployment_id: int) -> Deployment | None:
    """A deployment of the user's authorities, with its processes."""
    query = (
        select(Deployment)
        .where(
            Deployment.id == deployment_id,
            Deployment.authority_id.in_(sorted({one.organisation.authority_id for one in permissions.held(user)})),
        )
        .options(joinedload(Deployment.definitions))
    )
    return session.scalars(query).unique().one_or_none()


def base(session: Session, user: User, base_id: int) -> Base | None:
    """A base of the register of the user's authority, with its host."""
    query = select(Base).where(Base.id == base_id, Base.authority_id == user.authority_id)
    return session.scalars(query.options(joinedload(Base.host))).unique().one_or_none()
