"""Who stands in for whom, and who could."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from .. import clock, permissions
from ..models import Deputy, Membership, Role, User


def colleagues(session: Session, principal: User) -> list[User]:
    """Those who could stand in: enabled, and in office where the principal is, for the same party."""
    pairs = {
        (one.organisation_id, one.party) for one in permissions.held(principal) if one.party not in permissions.PERSONAL
    }
    if not pairs:
        return []
    today = clock.today()
    ways = [
        and_(Membership.organisation_id == place, Membership.role.startswith(f"{party}.")) for place, party in pairs
    ]
    found = session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            or_(*ways),
            User.active,
            User.id != principal.id,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
        .distinct()
        .order_by(User.name, User.id)
    )
    return list(found)


def roles(session: Session, principal: User) -> list[Role]:
    """The roles of a person that can be lent."""
    codes = {one.role for one in permissions.held(principal) if one.party not in permissions.PERSONAL}
    return list(session.scalars(select(Role).where(Role.code.in_(codes)).order_by(Role.code)))


def arranged(session: Session, user: User, *, everybody: bool = False) -> list[Deputy]:
    """The arrangements that are in force or to come, soonest first: the user's own, or all of their authority."""
    query = select(Deputy).where(Deputy.revoked_at.is_(None), Deputy.last_day >= clock.today())
    if everybody:
        query = query.where(Deputy.authority_id == user.authority_id)
    else:
        query = query.where(or_(Deputy.principal_id == user.id, Deputy.deputy_id == user.id))
    query = query.options(joinedload(Deputy.principal), joinedload(Deputy.deputy))
    return list(session.scalars(query.order_by(Deputy.first_day, Deputy.id).limit(500)))
