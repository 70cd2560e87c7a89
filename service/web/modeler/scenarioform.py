"""The real form of a step of a scenario, with the data of the step in it."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from service import errors, scenariotext
from service.commands.procedures import storyboard
from service.queries import workshop as reads

from .. import formbox, here
from . import drafts, filing, steps
from . import scenario as page
from .workbench import blueprint

START = "start"
"""Stands in the place of the number of a step for the start of the case."""


@blueprint.get("/<int:copy_id>/scenario-form")
def scenario_form(copy_id: int) -> str:
    """Open the real form of a step or of the start, as it looks when the scenario gets there, with its data in it."""
    path, number = request.args.get("path", ""), request.args.get("number", "0")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        file, draft = reads.content(session, copy, path), drafts.as_it_is(session, copy)
        story = storyboard.of(draft.files)
    text = file.content.decode("utf-8", "replace")
    raw = _raw(text, number)
    with drafts.pool().once(draft) as box:
        if number == START:
            view = page.at_the_start(box, path)
            wanted: dict[str, Any] | None = _starting(view, raw, page.process_of(text, path))
        else:
            view = page.played_to(box, path, page.part_of(text, _whole(number)).line)
            wanted = _wanted(view, raw, story)
        form = box.ask("form", wanted=wanted)["form"] if wanted is not None else None
    with here.reading() as (session, user):
        words = (
            _("发起“%(what)s”", what=story.processes.get(page.process_of(text, path), ""))
            if number == START
            else page.shown(_whole(number), page.part_of(text, _whole(number)), story)["words"]
        )
        return here.page(
            session,
            "modeler/scenario_form.html",
            copy=copy,
            path=path,
            number=number,
            place=words if number == START else _("第 %(n)s 步", n=_whole(number) + 1),
            base=file.sha256,
            words=words,
            shown=orjson.dumps(form["values"], default=str).decode() if form else "{}",
            form=_form_box(form, raw.get("data") or {}, copy_id) if form else None,
        )


@blueprint.post("/<int:copy_id>/scenario-form")
def scenario_form_submit(copy_id: int) -> AnyResponse:
    """Keep what was filled into the form as the data of the step or of the start."""
    path, number = request.form.get("path", ""), request.form.get("number", "0")
    try:
        shown = orjson.loads(request.form.get("shown", "{}"))
    except orjson.JSONDecodeError:
        raise errors.InvalidInput(field="shown") from None
    if not isinstance(shown, dict):
        raise errors.InvalidInput(field="shown")
    data = steps.typed(shown, formbox.submitted())
    with here.reading() as (session, user):
        text = reads.content(session, reads.copy(session, user, copy_id), path).content.decode("utf-8", "replace")
    raw = dict(_raw(text, number))
    raw.pop("data", None)
    if data:
        raw["data"] = data
    made = scenariotext.set_start(text, raw) if number == START else scenariotext.replace(text, _whole(number), raw)
    page.saved(copy_id, path, made, request.form.get("base", ""), _("修改场景"))
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path) + f"#step-{number}", 303)


def _raw(text: str, number: str) -> dict[str, Any]:
    """The step, or the start, as JSON."""
    if number == START:
        found = scenariotext.take_apart(text).head.get("start")
        return found if isinstance(found, dict) else {}
    return page.part_of(text, _whole(number)).raw or {}


def _whole(number: str) -> int:
    if not number.isdecimal():
        raise errors.InvalidInput(field="number")
    return int(number)


def _starting(view: dict[str, Any], raw: dict[str, Any], process_id: str) -> dict[str, Any] | None:
    """The form with which somebody starts the case."""
    start = next((one for one in view["starts"] if one["kind"] == "none" and one["by"]), None)
    if start is None:
        return None
    by = raw.get("by") or start["by"][0]["username"]
    return {"kind": "start", "by": by, "process": process_id}


@blueprint.post("/<int:copy_id>/scenario-form/files")
def scenario_form_upload(copy_id: int) -> tuple[Response, int]:
    """Take a file into a step: its name counts."""
    with here.reading() as (session, user):
        reads.copy(session, user, copy_id)
    return filing.named_file()


def _wanted(view: dict[str, Any], raw: dict[str, Any], story: storyboard.Storyboard) -> dict[str, Any] | None:
    """The form that a step fills."""
    if "send" in raw:
        one = next((one for one in view["messages"] if one["name"] == raw["send"] and one["by"]), None)
        by = raw.get("by") or (one["by"][0]["username"] if one else "")
        return {"kind": "message", "name": raw["send"], "by": by, "case": one["case"]} if one else None
    if "begin" in raw:
        return {"kind": "start", "by": raw["by"], "process": raw["begin"]} if raw.get("by") else None
    tasks = [one for one in view["tasks"] if raw.get("do") in (one["element"], one["name"])]
    mine = [one for one in tasks if raw.get("by") in (None, one["by"]["username"], one["role"])] or tasks
    return {"kind": "task", "id": mine[0]["id"], "by": mine[0]["by"]["username"]} if mine else None


def _form_box(form: dict[str, Any], data: dict[str, Any], copy_id: int) -> dict[str, Any]:
    return filing.box(
        form,
        values=steps.over(form["values"], data),
        files=url_for("modeler.scenario_form_upload", copy_id=copy_id),
    )
