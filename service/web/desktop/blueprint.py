"""The calls of the desktop modeler, under one blueprint."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("desktop", __name__)
LONGEST_NOTE = 200
