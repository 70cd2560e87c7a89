"""Scenarios for people who write no YAML: what there is, what came of them, and their steps."""

from __future__ import annotations

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from .workbench import blueprint


@blueprint.get("/<int:copy_id>/scenarios")
def scenarios(copy_id: int) -> AnyResponse:
    """List the scenarios of a working copy."""
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.get("/<int:copy_id>/scenarios/<path:path>")
def scenario(copy_id: int, path: str) -> AnyResponse:
    """Show one scenario."""
    return redirect(url_for("modeler.edit", copy_id=copy_id, path=path), 303)
