"""One case as its administrator sees it: why it rests, what repairs would do, and doing them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors
from service.commands.administration import previews, repairkinds, repairs
from service.commands.procedures import deployments
from service.models import Instance
from service.queries import heat, liveness, progress
from service.queries import instances as cases
from service.queries import repairs as reads

from .. import here, show
from . import blueprint, evidence, reading, writing

if TYPE_CHECKING:
    from service.models import User


@blueprint.get("/cases/<int:instance_id>")
def case(instance_id: int) -> str:
    """Why a case rests, and what can be done."""
    with reading() as (session, user):
        found = _found(session, user, instance_id)
        incidents = reads.open_incidents(session, instance_id)
        rests = _named(session, instance_id)
        live = liveness.findings(session, instance_id=instance_id)
        open_causes = {(one.cause, one.token) for one in incidents}
        live = [one for one in live if (one.cause, one.token) not in open_causes and one.cause != "no_member"]
        diagrams = progress.progress(session, user, instance_id) or []
        shown = request.args.get("process", "")
        own = found.case.process_id
        return here.page(
            session,
            "cockpit/case.html",
            case=found,
            why=evidence.why(found.case.status, rests, incidents, live, found.case.ended_at),
            rests=rests,
            repairs=reads.of_case(session, user, instance_id),
            relatives=heat.relatives(session, user, instance_id),
            sent=reads.sent(session, instance_id),
            diagrams=diagrams,
            shown=shown if any(one.process_id == shown for one in diagrams) else own,
            kinds=repairkinds.KINDS,
        )


@blueprint.get("/cases/<int:instance_id>/repair/<kind>")
def repair(instance_id: int, kind: str) -> str:
    """Show what a repair asks for."""
    with reading() as (session, user):
        return _repair_page(session, user, instance_id, kind, dict(request.args))


@blueprint.post("/cases/<int:instance_id>/repair/<kind>/preview")
def preview_submit(instance_id: int, kind: str) -> tuple[str, int]:
    """Say what it would do; nothing is written."""
    values = {name: value for name, value in request.form.items() if name != "csrf_token"}
    with reading() as (session, user):
        try:
            parameters = _parameters(kind, values)
            seen = repairs.preview(session, instance_id, kind, parameters, user=user)
        except errors.InvalidInput as wrong:
            return _repair_page(session, user, instance_id, kind, values, wrong=wrong), 422
        return _repair_page(session, user, instance_id, kind, values, seen=seen), 200


@blueprint.post("/cases/<int:instance_id>/repair/<kind>")
def repair_submit(instance_id: int, kind: str) -> Response | tuple[str, int]:
    """Do it, as it was previewed."""
    values = {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        with writing() as (session, user):
            done = repairs.perform(
                session,
                instance_id,
                kind,
                _parameters(kind, values),
                user=user,
                reason=values.get("reason", ""),
                version=here.number("version"),
            )
            status = done.status
    except errors.InvalidInput as wrong:
        with reading() as (session, user):
            return _repair_page(session, user, instance_id, kind, values, wrong=wrong), 422
    if status == "proposed":
        flash(_("已提出，等待另一位管理员批准。"), "info")
    else:
        flash(_("已执行：%(what)s。", what=repairkinds.kind(kind).zh), "good")
    return redirect(url_for("cockpit.case", instance_id=instance_id), 303)


@blueprint.post("/repairs/<int:repair_id>/<act>")
def decide_submit(repair_id: int, act: str) -> Response:
    """Agree to a proposed repair, turn it down, or undo one that was done."""
    reason = request.form.get("reason", "")
    with writing() as (session, user):
        if act == "approve":
            found = repairs.approve(session, repair_id, user=user, note=reason)
        elif act == "reject":
            found = repairs.reject(session, repair_id, user=user, note=reason)
        elif act == "undo":
            found = repairs.undo(session, repair_id, user=user, reason=reason)
        else:
            raise errors.NotFound()
        instance_id = found.instance_id
    words = {"approve": _("已批准并执行。"), "reject": _("已否决。"), "undo": _("已撤销，案件恢复到修复之前。")}
    flash(words[act], "good")
    return redirect(url_for("cockpit.case", instance_id=instance_id), 303)


def _named(session: Session, instance_id: int) -> list[reads.Rest]:
    """Where the case rests, every element by its name."""
    labels = deployments.labels(session, session.get_one(Instance, instance_id).deployment_id)
    rests = reads.rests(session, instance_id)
    return [replace(one, name=labels.get((one.process_id, one.element_id), one.name)) for one in rests]


def _found(session: Session, user: User, instance_id: int) -> cases.CaseView:
    found = cases.case(session, user, instance_id)
    if found is None or not found.administers:
        raise errors.NotFound()
    return found


def _repair_page(
    session: Session,
    user: User,
    instance_id: int,
    kind: str,
    values: dict[str, str],
    *,
    seen: repairs.Preview | None = None,
    wrong: errors.InvalidInput | None = None,
) -> str:
    if kind not in repairkinds.KINDS:
        raise errors.NotFound()
    found = _found(session, user, instance_id)
    rests = _named(session, instance_id)
    incidents = reads.open_incidents(session, instance_id)
    token = values.get("token", "")
    here_at = next((one for one in rests if str(one.token) == token), None)
    return here.page(
        session,
        "cockpit/repair.html",
        case=found,
        kind=repairkinds.KINDS[kind],
        values=values,
        tokens=_tokens(kind, rests, incidents),
        elements=_elements(session, kind, instance_id),
        people=reads.people(session, user, here_at.data["task"]) if here_at and here_at.kind == "task" else [],
        sent=reads.sent(session, instance_id) if kind == "resend" else [],
        variables=_variables(session, instance_id, token),
        preview=seen,
        wrong=wrong,
        problems=getattr(wrong, "fields", {}) if wrong else {},
    )


def _tokens(kind: str, rests: list[reads.Rest], incidents: list[Any]) -> list[tuple[int, str]]:
    """The tokens this repair makes sense for."""
    fits = {
        "reassign": ("task",),
        "release": ("task",),
        "offer": ("task",),
        "extend": ("task", "timer"),
        "fire": ("timer",),
        "message": ("message",),
        "retry": ("job",),
        "retry_with": ("job",),
    }.get(kind, ("task", "job", "timer", "message"))
    found = {one.token: one.name for one in rests if one.token is not None and one.kind in fits}
    if kind in ("retry", "retry_with", "skip", "move", "back", "offer"):
        for one in incidents:
            if one.token is not None:
                found.setdefault(one.token, one.element_name or one.element_id or str(one.token))
    return sorted(found.items())


def _elements(session: Session, kind: str, instance_id: int) -> list[tuple[str, str]]:
    """Where a token could go: what has been done before, or everything the diagram has."""
    if kind == "back":
        return [(element, name) for _process, element, name in reads.visited(session, instance_id)]
    if kind not in ("move", "restart"):
        return []
    return previews.goals(session, instance_id)


def _variables(session: Session, instance_id: int, token: str) -> dict[str, Any]:
    return previews.known_variables(session, instance_id, int(token) if token.isdigit() else None)


def _parameters(kind: str, values: dict[str, str]) -> dict[str, Any]:
    """From what a form sends to what a repair takes."""
    found: dict[str, Any] = {}
    for name in repairkinds.kind(kind).asks:
        value = values.get(name, "").strip()
        if name in ("token", "job", "deployment", "repair"):
            if value.isdigit():
                found[name] = int(value)
        elif name == "variables" or name == "names":
            found[name] = _json(value)
        elif name == "due":
            found[name] = _moment(value)
        else:
            found[name] = value
    return found


def _json(value: str) -> Any:
    if not value:
        return {}
    try:
        return json.loads(value)
    except ValueError as error:
        raise errors.InvalidInput(
            f"不是有效的 JSON：{error}", f"That is not JSON: {error}", field="variables"
        ) from None


def _moment(value: str) -> str:
    """The local time a browser sends, as a moment."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (at if at.tzinfo else at.replace(tzinfo=show.CHINA)).isoformat()
