"""Diagrams as data for the pages: heat, replay, versions side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flask import jsonify, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from service import errors
from service.commands.procedures import deployments
from service.queries import definitions
from service.queries import heat as reads

from .. import here
from . import blueprint, reading, words

if TYPE_CHECKING:
    from service.models import User


@blueprint.get("/heat")
def heat() -> str:
    """A diagram in colour."""
    measure = request.args.get("measure", "count")
    if measure not in reads.MEASURES:
        raise errors.NotFound()
    with reading() as (session, user):
        processes = definitions.names(session, user)
        process = request.args.get("process") or (processes[0][0] if processes else "")
        found = reads.heat(session, user, process, measure)
        context = {
            "processes": processes,
            "process": process,
            "measure": measure,
            "measures": reads.MEASURES,
            "rows": [(one, _shown(measure, one)) for one in found],
            "labels": _labels(session, user, process) if found else {},
        }
        if here.is_partial():
            return render_template("cockpit/_heat_panel.html", **context)
        return here.page(session, "cockpit/heat.html", **context)


def _labels(session: Session, user: User, process: str) -> dict[str, str]:
    latest = deployments.latest(session, process, authority_id=user.authority_id)
    found = deployments.labels(session, latest.deployment_id)
    return {element: label for (process_id, element), label in found.items() if process_id == process}


def _shown(measure: str, one: reads.Heat) -> str:
    return words.span(one.value) if measure in ("age", "duration") else str(int(one.value))


@blueprint.get("/heat/diagram")
def heat_diagram() -> Response:
    """The diagram with its values."""
    process, measure = request.args.get("process", ""), request.args.get("measure", "count")
    with reading() as (session, user):
        xml = reads.diagram(session, user, process)
        if xml is None or measure not in reads.MEASURES:
            raise errors.NotFound()
        latest = deployments.latest(session, process, authority_id=user.authority_id)
        xml = deployments.drawn(session, latest.deployment_id, process, xml)
        found = reads.heat(session, user, process, measure)
    most = max((one.value for one in found), default=0.0) or 1.0
    return jsonify(
        {
            "xml": xml.decode("utf-8", "replace"),
            "marks": {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []},
            "heat": [
                {"element": one.element_id, "share": one.value / most, "text": _shown(measure, one)} for one in found
            ],
        }
    )


@blueprint.get("/diagram")
def version_diagram() -> Response:
    """The diagram of a process in a certain deployment."""
    deployment = request.args.get("deployment", "")
    with reading() as (session, user):
        chosen = int(deployment) if deployment.isdigit() and len(deployment) < 19 else None
        process = request.args.get("process", "")
        xml = reads.diagram(session, user, process, chosen)
        if xml is None:
            raise errors.NotFound()
        shown = chosen or deployments.latest(session, process, authority_id=user.authority_id).deployment_id
        xml = deployments.drawn(session, shown, process, xml)
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    return jsonify({"xml": xml.decode("utf-8", "replace"), "marks": marks})


@blueprint.get("/cases/<int:instance_id>/replay")
def replay(instance_id: int) -> Response:
    """How a case went, step by step."""
    with reading() as (session, user):
        moves = reads.replay(session, user, instance_id, request.args.get("process", ""))
        if moves is None:
            raise errors.NotFound()
    return jsonify({"moves": [{**asdict(one), "at": one.at.isoformat()} for one in moves]})
