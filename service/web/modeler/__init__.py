"""The process owners' workbench: working copies, editors, checks, try-outs, comparison and publishing."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("modeler", __name__, url_prefix="/modeler")

from . import copies, editing  # noqa: E402 - they put their views on the blueprint

__all__ = ["blueprint", "copies", "editing"]
