"""Scenarios for people who write no YAML: what there is, how they went, and a new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import clock, errors, sandbox, scenariotext
from service.commands.procedures import scenarioruns, workshop
from service.commands.procedures.workshop import Change
from service.models import ScenarioRun, WorkingCopy
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import here, i18n
from . import coverage, steps
from .workbench import blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scenario in the list: how it went the last time it was played, and whether the draft has changed since."""

    path: str
    name: str
    result: dict[str, Any] | None
    fresh: bool
    at: datetime | None

    @property
    def problem(self) -> str:
        """What came otherwise, in the reader's language."""
        return next((one["text"] for one in said(self.result)), "")


def said(result: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What came otherwise, each sentence in the reader's language with the element it is about."""
    if result is None:
        return []
    key = "en" if i18n.choice() == "en" else "zh"
    # Where the sandbox itself gave up there is only a line of text.
    plain = [{"text": one, "element": None} for one in result["problems"]]
    return [{"text": one[key], "element": one["element"]} for one in result.get("said", [])] or plain


@blueprint.get("/<int:copy_id>/scenarios")
def scenarios(copy_id: int) -> str:
    """List the scenarios of a working copy with what came of them and what they cover together."""
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        runs = rehearsals.scenario_runs(session, user, copy_id=copy_id)
        rows = _rows(session, copy, files, runs)
        covering = next((one for one in runs if one.whole and one.status == "done"), None)
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.path.rpartition("/scenarios/")[0], []).append(row)
        names = {one.file.rpartition("/")[0]: one.name for one in rehearsals.processes(files)}
        return here.page(
            session,
            "modeler/scenarios.html",
            copy=copy,
            groups=[(folder, names.get(folder, folder.rpartition("/")[2]), own) for folder, own in groups.items()],
            total=len(rows),
            failing=sum(1 for row in rows if row.result is not None and not row.result["ok"]),
            unknown=sum(1 for row in rows if row.result is None or not row.fresh),
            run=runs[0] if runs else None,
            going=going(runs[0]) if runs else False,
            coverage=coverage.coverage_rows(covering),
            covered=covering,
            processes=rehearsals.processes(files),
        )


@blueprint.post("/<int:copy_id>/scenarios")
def scenarios_run_submit(copy_id: int) -> AnyResponse:
    """Play all scenarios, or one, in the background."""
    path = request.form.get("path", "")
    with here.writing() as (session, user):
        run_id = scenarioruns.ask(session, copy_id, user=user, paths=[path] if path else []).id
    try:
        _runs().put(run_id)
    except errors.Busy:
        with here.writing() as (session, user):
            scenarioruns.cancel(session, run_id, user=user)
        raise
    if path:
        return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)
    return redirect(url_for("modeler.scenarios", copy_id=copy_id), 303)


@blueprint.get("/<int:copy_id>/scenarios-progress")
def scenarios_progress(copy_id: int) -> Response:
    """Say how far a run is; a page that waits asks this now and then."""
    with here.reading() as (session, user):
        reads.copy(session, user, copy_id)
        runs = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=1)
        if runs and going(runs[0]):
            return Response(render_template("modeler/_scenarios_progress.html", copy_id=copy_id, run=runs[0]))
    answer = Response("")
    answer.headers["HX-Redirect"] = here.safe_next(url_for("modeler.scenarios", copy_id=copy_id))
    return answer


@blueprint.post("/<int:copy_id>/scenarios-stop")
def scenarios_stop_submit(copy_id: int) -> AnyResponse:
    """Stop what is being played."""
    with here.writing() as (session, user):
        run = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=1)
        if run:
            scenarioruns.cancel(session, run[0].id, user=user)
    flash(_("已停止。"), "good")
    return redirect(url_for("modeler.scenarios", copy_id=copy_id), 303)


@blueprint.post("/<int:copy_id>/scenario-new")
def scenario_new_submit(copy_id: int) -> AnyResponse:
    """Begin a scenario of a procedure: a name, and nothing yet."""
    name = " ".join(request.form.get("name", "").split())[:120]
    process_id = request.form.get("process", "")
    with here.writing() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        rehearsals.diagram(files, process_id)
        path = steps.path_for(process_id, request.form.get("file", ""), files, copy)
        if path in files:
            raise errors.Conflict(f"“{path}”已存在。", f"“{path}” exists already.", field="file")
        text = scenariotext.write({"name": name or path.rpartition("/")[2], "process": process_id}, [])
        workshop.save(session, copy_id, {path: Change(text.encode(), None)}, user=user, kind="save")
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


def _rows(session: Session, copy: WorkingCopy, files: dict[str, bytes], runs: Any) -> list[Row]:
    now = scenarioruns.files_hash(files)
    found = []
    for row in reads.files(session, copy):
        if scenarioruns.is_scenario(row.path):
            result, fresh, at = result_of(row.path, runs, now)
            found.append(Row(path=row.path, name=row.title or row.name, result=result, fresh=fresh, at=at))
    return found


def result_of(path: str, runs: Any, now: str) -> tuple[dict[str, Any] | None, bool, datetime | None]:
    for run in runs:
        if path in run.results:
            return run.results[path], run.files_hash == now, run.beat_at
    return None, False, None


def going(run: ScenarioRun) -> bool:
    return run.status in ("queued", "running") and run.beat_at > clock.now() - scenarioruns.DEAD_AFTER


def _runs() -> sandbox.Runs:
    found: sandbox.Runs = current_app.extensions["guohe.scenarios"]
    return found
