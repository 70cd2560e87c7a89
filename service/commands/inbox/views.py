"""Views of the inbox: filters kept under a name, for oneself or shared with colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.models import InboxView, User

LONGEST_NAME = 40
MOST = 50
"""So many views a person keeps."""


def save(
    session: Session,
    name: str,
    query: Mapping[str, Any],
    *,
    user: User,
    organisation_id: int | None = None,
    role: str | None = None,
) -> InboxView:
    """Keep filters under a name; the same name again replaces what was there.

    Shared, it is offered to everybody who holds the role in the organisation, or with no role to all of it – and
    shows each of them what they may see. ``Forbidden`` where the user is not one of those it is shared with.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise errors.InvalidInput(
            f"请给视图起一个不超过 {LONGEST_NAME} 个字的名称。",
            f"Give the view a name of at most {LONGEST_NAME} characters.",
            field="name",
        )
    if organisation_id is not None and not permissions.may_share_view(user, organisation_id, role):
        raise errors.Forbidden()
    view = session.scalar(select(InboxView).where(InboxView.owner_id == user.id, InboxView.name == name))
    if view is None:
        if (session.scalar(select(func.count(InboxView.id)).where(InboxView.owner_id == user.id)) or 0) >= MOST:
            raise errors.Conflict(f"最多保存 {MOST} 个视图，请先删除不用的。", f"At most {MOST} views can be kept.")
        view = InboxView(owner_id=user.id, name=name, created_at=clock.now())
        session.add(view)
    view.query, view.organisation_id, view.role = dict(query), organisation_id, role if organisation_id else None
    session.flush()
    return view


def delete(session: Session, view_id: int, *, user: User) -> InboxView:
    """Throw a view away. Only who keeps it may; an administrator may for others in the authority."""
    view = session.get(InboxView, view_id)
    if view is None or not permissions.may_delete_view(user, view):
        raise errors.NotFound
    session.delete(view)
    session.flush()
    return view
