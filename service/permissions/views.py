"""Who shares, deletes and sees the kept views of the inbox."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_

from ..models import InboxView
from ..models.identity import User
from .people import groups, may_administer


def may_share_view(user: User, organisation_id: int, role: str | None) -> bool:
    """A view is shared with a group one belongs to, or with all of one's organisation."""
    mine = groups(user)
    return (organisation_id, role) in mine if role else organisation_id in {one for one, _role in mine}


def may_delete_view(user: User, view: InboxView) -> bool:
    """Who keeps a view throws it away; an administrator does so for somebody of their authority."""
    return (user.active and view.owner_id == user.id) or may_administer(user, view.owner.authority_id)


def views_seen_by(user: User) -> ColumnElement[bool]:
    """One's own views, and those shared with a group one belongs to."""
    shared = [
        and_(InboxView.organisation_id == organisation, or_(InboxView.role == role, InboxView.role.is_(None)))
        for organisation, role in sorted(groups(user))
    ]
    return or_(InboxView.owner_id == user.id, *shared) if user.active else false()
