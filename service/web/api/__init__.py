"""The JSON API under ``/api/v1``, one file per noun. A view reads, transacts, commands and answers.

Only a bearer token opens it (``auth.py``); every error is a problem document (``problems.py``); what the endpoints
take and answer (``schemas.py``) is also what ``openapi.json`` says (``openapi.py``).
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, Flask, Response
from pydantic_core import to_json

from service.web.security import csrf

from . import bases, definitions, deployments, incidents, instances, messages, openapi, problems, tasks, tokens
from . import repairs as _repairs  # noqa: F401
from .routes import Call, api


@api.get("/openapi.json", zh="接口说明", security="none", tag="about")
def description(call: Call) -> Response:
    """This document."""
    return Response(_document(), mimetype="application/json")


def init_app(app: Flask) -> None:
    """Put the API under its address."""
    blueprint = Blueprint("api", __name__, url_prefix=api.prefix)
    api.bind(blueprint)
    problems.init_app(app, blueprint, api.prefix)
    # No cookie opens anything here, so there is nothing a foreign page could forge.
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


@cache
def _document() -> bytes:
    try:
        release = version("guohe")
    except PackageNotFoundError:
        release = "0"
    return to_json(openapi.document(api, release))


__all__ = ["bases", "definitions", "deployments", "incidents", "init_app", "instances", "messages", "tasks", "tokens"]
