"""What the scenarios of a working copy touch: flows, roles, form fields and rows of tables."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from sqlalchemy.orm import Session

from service import errors
from service.commands.procedures import scenarioruns, storyboard, workshop
from service.models import ScenarioRun, User
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import here, i18n
from .workbench import blueprint


@blueprint.get("/<int:copy_id>/coverage")
def coverage(copy_id: int) -> str:
    """Show what the scenarios of one procedure touch, painted on its diagram and listed."""
    process_id = request.args.get("process", "")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        run = covering(session, user, copy_id)
        found = (run.coverage if run else {}).get(process_id)
        if run is None or found is None:
            raise errors.NotFound("还没有这个流程的覆盖情况，请先运行全部场景。", "Play all scenarios first.")
        story = storyboard.of(files)
        return here.page(
            session,
            "modeler/coverage.html",
            copy=copy,
            process_id=process_id,
            found=found,
            fresh=run.files_hash == scenarioruns.files_hash(files),
            run=run,
            flows=_flow_names(files, process_id, found["missing_flows"]),
            people={code: en if i18n.choice() == "en" else zh for code, zh, en in storyboard.PEOPLE},
            others=[(one, story.processes.get(one, one)) for one in sorted(run.coverage)],
        )


@blueprint.get("/<int:copy_id>/coverage-diagram")
def coverage_diagram(copy_id: int) -> Response:
    """The diagram with the flows that scenarios take, and those that none does."""
    process_id = request.args.get("process", "")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        run = covering(session, user, copy_id)
    found = (run.coverage if run else {}).get(process_id, {"taken_flows": [], "missing_flows": []})
    marks = {
        "active": [],
        "done": [],
        "cancelled": [],
        "incidents": [],
        "flows": found["taken_flows"],
        "missing": found["missing_flows"],
    }
    return jsonify({"xml": rehearsals.diagram(files, process_id).decode("utf-8", "replace"), "marks": marks})


def coverage_rows(run: ScenarioRun | None) -> list[dict[str, Any]]:
    """How much of each procedure is covered, in per cent; the least covered first."""
    found = []
    for process_id, one in (run.coverage if run else {}).items():
        parts = {
            "flows": (one["flows"], len(one["missing_flows"])),
            "roles": (one["roles"], len(one["missing_roles"])),
            "fields": (one["fields"], len(one["missing_fields"])),
            "rows": (one["rows"], len(one["missing_rows"])),
        }
        shares = {name: None if not all_ else 100 * (all_ - missing) // all_ for name, (all_, missing) in parts.items()}
        found.append({"process": process_id, "name": one["name"], "parts": parts, "shares": shares})
    return sorted(found, key=lambda one: (one["shares"]["flows"] or 0, one["name"]))


def covering(session: Session, user: User, copy_id: int) -> ScenarioRun | None:
    runs = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=scenarioruns.KEPT)
    return next((one for one in runs if one.whole and one.status == "done"), None)


def _flow_names(files: dict[str, bytes], process_id: str, flows: list[str]) -> list[tuple[str, str]]:
    """What people call a flow: from where it leads where."""
    return [(flow, rehearsals.flow_name(files, process_id, flow)) for flow in flows]
