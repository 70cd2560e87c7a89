"""Batches: choose, look, begin, watch."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from service import errors
from service.commands.administration import batches as commands
from service.commands.administration.repairkinds import KINDS
from service.queries import definitions, stuck
from service.queries import repairs as reads

from .. import here
from . import blueprint, reading, writing
from .case import _parameters

OFFERED = ("retry", "retry_with", "offer", "release", "skip", "suspend", "resume", "terminate", "variables", "extend")
CONDITIONS = ("cause", "symptom", "process", "element", "status")


@blueprint.get("/batches")
def batches() -> str:
    """All batches, newest first."""
    with reading() as (session, user):
        return here.page(session, "cockpit/batches.html", batches=reads.batches(session, user))


@blueprint.get("/batches/new")
def batch_new() -> str:
    """Choose the cases and the repair."""
    return _form(dict(request.args))


@blueprint.post("/batches/preview")
def batch_preview_submit() -> tuple[str, int]:
    """Say how the chosen cases would fare."""
    values = _values()
    try:
        with reading() as (session, user):
            ids = _ids(session, values, user)
            parameters = _given(values)
            seen = commands.dry_run(session, values.get("kind", ""), parameters, ids, user=user)
    except errors.InvalidInput as wrong:
        return _form(values, wrong=wrong), 422
    return _form(values, seen=seen), 200


@blueprint.post("/batches")
def batch_submit() -> Response | tuple[str, int]:
    """Freeze the list and begin."""
    values = _values()
    try:
        with writing() as (session, user):
            batch = commands.create(
                session,
                values.get("kind", ""),
                _given(values),
                user=user,
                reason=values.get("reason", ""),
                ids=_ids(session, values, user),
                query={name: values[name] for name in CONDITIONS if values.get(name)},
                canary=here.number("canary") or 0,
            )
            batch_id = batch.id
    except errors.InvalidInput as wrong:
        return _form(values, wrong=wrong), 422
    return redirect(url_for("cockpit.batch", batch_id=batch_id), 303)


@blueprint.get("/batches/<int:batch_id>")
def batch(batch_id: int) -> str:
    """One batch and its cases."""
    status, after = request.args.get("status") or None, request.args.get("after") or None
    with reading() as (session, user):
        found = reads.batches(session, user, batch_id=batch_id)
        if not found:
            raise errors.NotFound()
        page = reads.items(session, batch_id, status=status, after=after)
        context: dict[str, Any] = {
            "row": found[0],
            "page": page,
            "status": status,
            "next_url": url_for("cockpit.batch", batch_id=batch_id, status=status, after=page.next)
            if page.next
            else None,
            "first_url": url_for("cockpit.batch", batch_id=batch_id, status=status) if after else None,
        }
        if here.is_partial():
            return render_template("cockpit/_batch_panel.html", **context)
        return here.page(session, "cockpit/batch.html", **context)


@blueprint.post("/batches/<int:batch_id>/<act>")
def batch_act_submit(batch_id: int, act: str) -> Response:
    """Pause it, go on, give the rest up, try failures again, undo what was done."""
    goal = batch_id
    with writing() as (session, user):
        if act == "pause":
            commands.pause(session, batch_id, user=user)
        elif act == "resume":
            commands.go_on(session, batch_id, user=user)
        elif act == "cancel":
            commands.cancel(session, batch_id, user=user)
        elif act == "retry":
            commands.retry(session, batch_id, user=user)
        elif act == "revert":
            reason = request.form.get("reason") or _("撤销批次 %(id)s", id=batch_id)
            goal = commands.revert(session, batch_id, user=user, reason=reason).id
        else:
            raise errors.NotFound()
    flash(_("已更新。"), "good")
    return redirect(url_for("cockpit.batch", batch_id=goal), 303)


def _values() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name not in ("csrf_token", "ids")} | {
        "ids": ",".join(request.form.getlist("ids"))
    }


def _ids(session: Any, values: dict[str, str], user: Any) -> list[int]:
    chosen = [int(one) for one in values.get("ids", "").split(",") if one.isdigit() and len(one) < 19]
    if chosen:
        return chosen
    return commands.choose(session, {name: values.get(name, "") for name in CONDITIONS}, user=user)


def _given(values: dict[str, str]) -> dict[str, Any]:
    kind = values.get("kind", "")
    if kind not in OFFERED:
        raise errors.InvalidInput("请选择修复方式。", "Choose a repair.", field="kind")
    parameters = {name: value for name, value in _parameters(kind, values).items() if name != "token"}
    if values.get("element"):
        parameters["at"] = values["element"]
    return parameters


def _set(values: dict[str, str]) -> set[str]:
    return {values["cause"]} if values.get("cause") else set()


def _form(
    values: dict[str, str], *, seen: dict[str, Any] | None = None, wrong: errors.InvalidInput | None = None
) -> str:
    if "ids" not in values and request.args.getlist("ids"):
        values["ids"] = ",".join(request.args.getlist("ids"))
    with reading() as (session, user):
        return here.page(
            session,
            "cockpit/batch_new.html",
            values=values,
            kinds=[KINDS[code] for code in OFFERED],
            processes=definitions.names(session, user),
            causes=sorted(
                {group.code for group in stuck.groups(session, user) if group.kind == "cause"} | _set(values)
            ),
            symptoms=stuck.SYMPTOMS,
            steps=reads.steps(session, user),
            seen=seen,
            wrong=wrong,
        )
