"""What the platform has told a person."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from service.commands.people import notifications as commands
from service.queries import notifications as queries

from . import here

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/notifications")
def notifications() -> str:
    """List them, newest first."""
    after = request.args.get("after") or None
    with here.reading() as (session, user):
        page = queries.notifications(session, user, after=after)
        return here.page(
            session,
            "notifications/notifications.html",
            page=page,
            next_url=url_for("notifications.notifications", after=page.next) if page.next else None,
            first_url=url_for("notifications.notifications") if after else None,
        )


@blueprint.post("/notifications/read")
def read_submit() -> Response:
    """Mark all as read."""
    with here.writing() as (session, user):
        commands.read_all(session, user=user)
    return redirect(url_for("notifications.notifications"), 303)
