"""Views of the inbox: keep filters under a name, share them, throw them away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import permissions
from service.commands.inbox import views as commands
from service.queries import identity, views

from . import finder, here, i18n

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("inboxviews", __name__)


@blueprint.post("/inbox/views")
def save_submit() -> Response:
    """Keep what the list shows under a name."""
    question = finder.read(dict(parse_qsl(request.form.get("query", ""))))
    organisation, _colon, role = request.form.get("share", "").partition(":")
    with here.writing() as (session, user):
        view = commands.save(
            session,
            request.form.get("name", ""),
            question.query(),
            user=user,
            organisation_id=int(organisation) if organisation.isascii() and organisation.isdigit() else None,
            role=role or None,
        )
        name = view.name
    flash(_("已保存视图“%(name)s”。", name=name), "good")
    return redirect(question.url(), 303)


@blueprint.post("/inbox/views/<int:view_id>/delete")
def delete_submit(view_id: int) -> Response:
    """Throw a view away."""
    with here.writing() as (session, user):
        name = commands.delete(session, view_id, user=user).name
    flash(_("已删除视图“%(name)s”。", name=name), "good")
    return redirect(here.safe_next(url_for("inbox.inbox")), 303)


def offered(session: Session, user: User) -> dict[str, Any]:
    """What the page of the inbox shows of views: those there are, and with whom one may be shared."""
    names = identity.roles(session)
    shares: dict[str, str] = {}
    for one in permissions.held(user):
        office = i18n.name_of(one.organisation)
        shares[f"{one.organisation_id}:"] = _("%(office)s全体", office=office)
        shares[f"{one.organisation_id}:{one.role}"] = f"{office} · {i18n.name_of(names[one.role])}"
    return {"views": views.of(session, user), "shares": list(shares.items())}
