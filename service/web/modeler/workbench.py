"""The blueprint that the views of the workbench are on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("modeler", __name__, url_prefix="/modeler")
