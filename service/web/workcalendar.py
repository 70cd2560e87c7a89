"""The working calendar: which days count, and the page where an administrator enters a new year."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from service import clock, errors, permissions
from service.commands.administration import workcalendar as commands
from service.queries import workcalendar as queries

from . import here

blueprint = Blueprint("workcalendar", __name__)


@blueprint.get("/calendar", defaults={"number": None})
@blueprint.get("/calendar/<int:number>")
def year(number: int | None) -> str:
    """Show a year."""
    return _page(number if number is not None else clock.today().year)


@blueprint.post("/calendar/<int:number>")
def year_submit(number: int) -> Response | tuple[str, int]:
    """Enter its arrangement."""
    text = request.form.get("days", "")
    try:
        with here.writing() as (session, user):
            commands.enter(session, number, text, user=user, note=request.form.get("note", "").strip())
            commands.refresh(session)
    except errors.InvalidInput as error:
        return _page(number, typed=text, error=error), error.status
    return redirect(url_for("workcalendar.year", number=number), 303)


def _page(number: int, *, typed: str | None = None, error: errors.ServiceError | None = None) -> str:
    if not 2004 <= number <= 2100:
        abort(404)
    with here.reading() as (session, user):
        commands.refresh(session)
        return here.page(
            session,
            "workcalendar/year.html",
            one=queries.year(session, number),
            typed=typed,
            error=error,
            may_edit=permissions.may_administer(user, user.authority_id),
        )
