"""What the deploy and start buttons of the desktop Camunda Modeler call: Camunda 8's REST API, and Camunda 7's.

Signed in by user name and password (Basic), by a personal token (Bearer), or by OAuth client credentials, where the
secret is a personal token. What is wrong comes back in the form the modeler shows.
"""

from __future__ import annotations

from flask import Flask

from ..security import csrf
from . import answers, callers, camunda7, camunda8
from .blueprint import blueprint

__all__ = ["answers", "callers", "camunda7", "camunda8", "init_app"]


def init_app(app: Flask) -> None:
    """Put the calls under their addresses. No cookie opens anything here, so nothing can be forged."""
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
