"""Cases: the list, one case with its parties, records and diagram, and messages people may send into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors
from service.commands.cases import messages
from service.commands.inbox import task_forms
from service.commands.procedures import deployments
from service.queries import attachments, definitions, documents, instances, progress
from service.queries import inbox as boxes
from service.queries import tasks as task_queries

from . import ahead, formbox, here, history, work

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("cases", __name__)

STATES: dict[str, tuple[str, ...]] = {
    "open": ("active", "incident", "suspended"),
    "over": ("completed", "terminated"),
    "all": (),
}
EVERY_STATE = STATES["open"] + STATES["over"]
HISTORY_SHOWN = 200
RECORDS_SHOWN = 100


@blueprint.get("/cases")
def cases() -> str:
    """List the cases the person may see."""
    with here.reading() as (session, user):
        found = _list(session, user, dict(request.args))
        if here.is_partial():
            return render_template("cases/_panel.html", **found)
        return here.page(session, "cases/cases.html", **found)


@blueprint.get("/cases/<int:instance_id>")
def case(instance_id: int) -> str:
    """Show one case."""
    with here.reading() as (session, user):
        found = _found(session, user, instance_id)
        happened = instances.history(
            session, user, instance_id, kinds=history.KINDS, newest_first=True, limit=HISTORY_SHOWN
        )
        records = boxes.tasks(
            session, user, box="all", sort="created", instance=instance_id, status="completed", limit=RECORDS_SHOWN
        )
        diagrams = progress.progress(session, user, instance_id) or []
        own = found.case.process_id
        shown = request.args.get("process", "")
        return here.page(
            session,
            "cases/case.html",
            case=found,
            course=ahead.course(session, user, instance_id),
            talk=work.talk(session, user, instance_id),
            history=history.lines(happened.items, own) if happened else [],
            records=records,
            diagrams=diagrams,
            shown=shown if any(one.process_id == shown for one in diagrams) else own,
            attachments=attachments.of_case(session, user, instance_id),
            documents=documents.of_case(session, user, instance_id),
            messages=task_forms.messages_of(session, user, instance_id),
        )


@blueprint.get("/cases/<int:instance_id>/diagram")
def diagram(instance_id: int) -> Response:
    """One diagram of a case as this case runs it, and where the case is on it."""
    with here.reading() as (session, user):
        found = _found(session, user, instance_id)
        process_id = request.args.get("process") or found.case.process_id
        xml = progress.diagram(session, user, instance_id, process_id)
        if xml is None:
            raise errors.NotFound
        xml = deployments.drawn(session, found.deployment_id, process_id, xml)
        steps = {one.process_id: one for one in progress.progress(session, user, instance_id) or []}
    return jsonify({"xml": xml.decode("utf-8", "replace"), "marks": _marks(steps.get(process_id))})


@blueprint.get("/cases/<int:instance_id>/records/<int:task_id>")
def record(instance_id: int, task_id: int) -> str:
    """What was handed in with one task, as a part of the case's page."""
    with here.reading() as (session, user):
        task = task_queries.task(session, user, task_id)
        if task is None or task.instance_id != instance_id or task.status == "open":
            raise errors.NotFound
        form = task_forms.of_task(session, task_id, user=user)
        return render_template(
            "cases/_record.html", task=task, form=formbox.box(form, read_only=True) if form else None
        )


@blueprint.get("/cases/<int:instance_id>/messages/<name>")
def message(instance_id: int, name: str) -> str:
    """Show the form of a message somebody may send into a case."""
    with here.reading() as (session, user):
        return _message_page(session, user, instance_id, name)


@blueprint.post("/cases/<int:instance_id>/messages/<name>")
def message_submit(instance_id: int, name: str) -> Response | tuple[str, int]:
    """Send a message into a case."""
    values = formbox.submitted()
    try:
        with here.writing() as (session, user):
            _found(session, user, instance_id)
            messages.send(session, instance_id, name, values, user=user)
            key = formbox.draft_key(user, f"message:{instance_id}:{name}")
    except errors.InvalidForm as refused:
        with here.reading() as (session, user):
            return _message_page(session, user, instance_id, name, values, refused.fields), 422
    flash(_("已提交。"), "good")
    formbox.forget_draft(key)
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


def _found(session: Session, user: User, instance_id: int) -> instances.CaseView:
    found = instances.case(session, user, instance_id)
    if found is None:
        raise errors.NotFound
    return found


def _message_page(
    session: Session,
    user: User,
    instance_id: int,
    name: str,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    found = _found(session, user, instance_id)
    label, form = task_forms.of_message(session, instance_id, name, user=user)
    return here.page(
        session,
        "cases/message.html",
        case=found.case,
        name=name,
        label=label,
        form=formbox.box(
            form, values=values, problems=problems, key=formbox.draft_key(user, f"message:{instance_id}:{name}")
        )
        if form
        else None,
    )


def asked(args: Mapping[str, str]) -> dict[str, Any]:
    """What an address asks of ``queries.instances.cases``."""
    state = args.get("state", "open")
    if state not in STATES:
        raise errors.NotFound
    return {
        "status": STATES[state] or None,
        "process": args.get("process") or None,
        "text": args.get("q", "").strip()[:100] or None,
    }


def _list(session: Session, user: User, args: dict[str, str]) -> dict[str, Any]:
    state = args.get("state", "open")
    if state not in STATES:
        raise errors.NotFound
    text, process, after = args.get("q", "").strip()[:100], args.get("process", ""), args.get("after") or None
    page = instances.cases(
        session, user, status=STATES[state] or None, process=process or None, text=text or None, after=after
    )
    chosen: dict[str, Any] = {"state": state, "q": text or None, "process": process or None}
    return {
        "state": state,
        "link": {name: value for name, value in chosen.items() if value},
        "q": text,
        "process": process,
        "page": page,
        "processes": definitions.names(session, user),
        "next_url": url_for("cases.cases", **chosen, after=page.next) if page.next else None,
        "first_url": url_for("cases.cases", **chosen) if after else None,
    }


def _marks(step: progress.Progress | None) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    if step is not None:
        for element, state in step.elements.items():
            marks["incidents" if state == "incident" else state].append(element)
        marks["flows"] = list(step.flows)
    return marks
