"""The web application. ``create_app`` is the only wiring: what it builds, it hands on."""

from __future__ import annotations

import logging
import os

from flask import Flask, g

from service import handlers, metrics, sandbox
from service.config import Settings, read
from service.db import Database
from service.storage import Folder
from service.web import (
    account,
    api,
    assets,
    auth,
    bulk,
    cases,
    cockpit,
    column,
    compression,
    deputies,
    desktop,
    errors,
    export,
    files,
    here,
    i18n,
    inbox,
    inboxviews,
    modeler,
    notifications,
    printed,
    register,
    registerwords,
    security,
    show,
    start,
    telling,
    webhooks,
    work,
    workcalendar,
)

PAGES = (
    auth,
    account,
    deputies,
    inbox,
    inboxviews,
    export,
    start,
    cases,
    register,
    column,
    files,
    notifications,
    telling,
    webhooks,
    modeler,
    bulk,
    printed,
    work,
    workcalendar,
)


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """Build the application on a database; without arguments, as the environment says."""
    settings = settings or read(os.environ)
    app = Flask("service.web")
    app.config["GUOHE"] = settings
    app.extensions["guohe.database"] = database or Database(settings.database_url, pool_size=settings.database_pool)
    app.extensions["guohe.store"] = Folder(settings.files)
    app.extensions["guohe.topics"] = handlers.topics
    app.extensions["guohe.sandboxes"] = sandbox.Pool()
    app.extensions["guohe.scenarios"] = sandbox.Runs(app.extensions["guohe.database"])
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    security.init_app(app, settings)
    i18n.init_app(app)
    show.init_app(app)
    registerwords.init_app(app)
    assets.init_app(app)
    compression.init_app(app)
    errors.init_app(app)
    for pages in PAGES:
        app.register_blueprint(pages.blueprint)
    api.init_app(app)
    desktop.init_app(app)
    cockpit.init_app(app)
    app.extensions["guohe.metrics"], app.extensions["guohe.requests"] = metrics.reporter(
        app.extensions["guohe.database"]
    )
    app.context_processor(_everywhere)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    return app


def _everywhere() -> dict[str, object]:
    """What every template may use."""
    return {
        "lang": i18n.tag(),
        "chosen_theme": here.theme(),
        "theme": here.theme(),
        "here": here.address(),
        "demo": here.settings().demo,
        "person": g.get("person"),
        "unread": 0,
        "undo": here.undo(),
    }
