"""What a person may start, and starting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors, permissions
from service.commands.cases import instances
from service.commands.inbox import task_forms
from service.queries import definitions
from service.queries import inbox as boxes
from service.queries import instances as instance_queries

from . import formbox, here, i18n
from .beforehand import Beforehand

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("start", __name__)

SHOWN = 5
"""So many deadlines and cases; the inbox and the list of cases have all of them."""


@blueprint.get("/start")
def start() -> str:
    """Show the processes the person may start, the deadlines before them, and their cases that are under way.

    A desk that sees every case is shown those it began itself.
    """
    with here.reading() as (session, user):
        own = bool(permissions.desk_authorities(user) | permissions.expert_authorities(user))
        running = instance_queries.cases(
            session, user, status=("active", "incident", "suspended"), started_by_me=own, limit=SHOWN
        )
        return here.page(
            session,
            "start/start.html",
            items=definitions.startable(session, user),
            beforehand=Beforehand(session),
            deadlines=boxes.tasks(session, user, box="mine", limit=SHOWN),
            running=running,
        )


@blueprint.get("/start/<process_id>")
def begin(process_id: str) -> str:
    """Show what a process is about, and its start form."""
    with here.reading() as (session, user):
        return _begin_page(session, user, process_id)


@blueprint.post("/start/<process_id>")
def begin_submit(process_id: str) -> Response | tuple[str, int]:
    """Start a case."""
    values, organisation = formbox.submitted(), request.form.get("organisation") or None
    try:
        with here.writing() as (session, user):
            case = instances.start(session, process_id, values, user=user, organisation=organisation)
            number, case_id, key = case.number, case.id, formbox.draft_key(user, f"start:{process_id}")
    except errors.InvalidForm as refused:
        with here.reading() as (session, user):
            return _begin_page(session, user, process_id, values, refused.fields), 422
    except errors.InvalidInput as refused:
        if refused.field != "organisation":
            raise
        with here.reading() as (session, user):
            fields = {"organisation": refused.sentence(i18n.choice())}
            return _begin_page(session, user, process_id, values, fields=fields), 422
    flash(_("已发起，案号 %(number)s。", number=number), "good")
    formbox.forget_draft(key)
    return redirect(url_for("cases.case", instance_id=case_id), 303)


def _begin_page(
    session: Session,
    user: User,
    process_id: str,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
    fields: dict[str, str] | None = None,
) -> str:
    item = next((one for one in definitions.startable(session, user) if one.process_id == process_id), None)
    definition = definitions.definition(session, user, item.id) if item else None
    if item is None or definition is None:
        raise errors.NotFound("没有这个流程，或者您无权发起。", "There is no such process, or you may not start it.")
    form = task_forms.of_start(session, definition, user=user)
    return here.page(
        session,
        "start/begin.html",
        item=item,
        beforehand=Beforehand(session),
        chosen=request.form.get("organisation", ""),
        fields=fields or {},
        form=formbox.box(form, values=values, problems=problems, key=formbox.draft_key(user, f"start:{process_id}"))
        if form
        else None,
    )
