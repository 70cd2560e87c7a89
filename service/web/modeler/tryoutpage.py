"""The page of a try-out: where it stands, who can do what, and the form of what is being done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from flask import request, url_for
from sqlalchemy.orm import Session

from service import errors, sandbox
from service.models import DryRun, User
from service.queries import rehearsals

from .. import here, i18n
from . import drafts, filing, steps


def page(
    run_id: int,
    refused: dict[str, Any] | None = None,
    typed: dict[str, Any] | None = None,
    wanted: dict[str, Any] | None = None,
) -> str:
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = drafts.prepared(session, run)
        view = held.view if not held.preparing else None
        context: dict[str, Any] = {"run": run, "copy": run.working_copy, "view": view, "problem": held.problem}
        if view is None:
            context["findings"] = held.problem.extra.get("findings", []) if held.problem else []
            return here.page(session, "modeler/tryout.html", **context, chosen=chosen())
        context |= _doing(run, held, view, refused, typed, wanted)
        context |= _shown(session, user, run, view)
        return here.page(session, "modeler/tryout.html", **context, refused=refused, chosen=chosen())


def _doing(
    run: DryRun,
    held: sandbox.Held,
    view: dict[str, Any],
    refused: dict[str, Any] | None,
    typed: dict[str, Any] | None,
    wanted: dict[str, Any] | None,
) -> dict[str, Any]:
    """What is being done: the chosen task, the start, or a message – with its form."""
    task = message = start = None
    wanted = wanted or _wanted(view)
    if wanted is None:
        return {"task": None, "message": None, "start": None, "form": None, "actor": None}
    if wanted["kind"] == "task":
        task = task_of(view, wanted["id"])
    elif wanted["kind"] == "message":
        message = next((one for one in view["messages"] if one["name"] == wanted["name"]), None)
    else:
        start = next((one for one in view["starts"] if one["kind"] == "none"), None)
    people = (message or start or {}).get("by", []) if task is None else [task["by"]]
    actor = next((one for one in people if one["username"] == wanted["by"]), None)
    try:
        form = drafts.pool().ask(held, "form", wanted=wanted)["form"]
    except errors.NotFound:
        form = None
    return {
        "task": task,
        "message": message,
        "start": start,
        "actor": actor,
        "form": filing.box(
            form,
            files=url_for("modeler.tryout_upload", run_id=run.id),
            values=typed if refused else None,
            problems=(refused or {}).get("fields"),
        )
        if form
        else None,
    }


def _wanted(view: dict[str, Any]) -> dict[str, Any] | None:
    args = request.args
    if args.get("message"):
        one = next((one for one in view["messages"] if one["name"] == args["message"] and one["by"]), None)
        if one is not None:
            names = [person["username"] for person in one["by"]]
            by = args["by"] if args.get("by") in names else names[0]
            return {"kind": "message", "name": one["name"], "by": by, "case": one["case"]}
    mine = [one for one in view["tasks"] if args.get("as") in (None, one["by"]["username"])] or view["tasks"]
    if mine:
        task = task_of(view, request.args.get("task", type=int)) or mine[0]
        return {"kind": "task", "id": task["id"], "by": task["by"]["username"]}
    start = next((one for one in view["starts"] if one["kind"] == "none" and one["by"]), None)
    if start is not None and not view["cases"]:
        names = [person["username"] for person in start["by"]]
        return {"kind": "start", "by": args["by"] if args.get("by") in names else names[0]}
    return None


def _shown(session: Session, user: User, run: DryRun, view: dict[str, Any]) -> dict[str, Any]:
    diagrams: dict[str, str] = {}
    for case in view["cases"]:
        diagrams |= {one["process"]: one["name"] for one in case["diagrams"]}
    if not diagrams:
        diagrams = {run.process_id: rehearsals.name_of(drafts.files_of(session, run), run.process_id)}
    busy = [place for task in view["tasks"] for place in [task["process"]]]
    shown = request.args.get("process", "")
    if shown not in diagrams:
        shown = next((one for one in busy if one in diagrams), next(iter(diagrams)))
    return {
        "now": datetime.fromisoformat(view["now"]),
        "diagrams": diagrams,
        "shown": shown,
        "log": [steps.sentence(one) for one in view["log"]],
        "stopped": steps.stopped(view["stopped"], i18n.choice()) if view["stopped"] else None,
        "effects": steps.effects(view["effects"], i18n.choice()),
        "roles": steps.roles(view["tasks"], i18n.choice()),
        "english": i18n.choice() == "en",
        "newer": run.working_copy.revision > run.revision,
        "variables": [
            (case, orjson.dumps(case["variables"], option=orjson.OPT_INDENT_2, default=str).decode())
            for case in view["cases"]
        ],
        "keys": steps.keys_shown(),
        "at": datetime.fromisoformat,
        "suggested": steps.file_name(run),
    }


def task_of(view: dict[str, Any], task_id: int | None) -> dict[str, Any] | None:
    return next((one for one in view.get("tasks", []) if one["id"] == task_id), None)


def chosen() -> dict[str, str]:
    return {name: request.args[name] for name in ("task", "as", "message", "by", "process") if name in request.args}
