"""For machines that watch: is it alive, is it ready, and the numbers."""

from __future__ import annotations

import hmac
import logging
import os
import time

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from service import errors, logs, tracing
from service.queries import liveness
from service.web import here

log = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The process can do its work: the database answers with tables it knows, and somebody does the jobs."""
    checks: dict[str, str] = {}
    try:
        here.database().check()
        checks["database"] = "ok"
        with here.database().transaction(readonly=True) as session:
            checks["worker"] = "ok" if liveness.workers_alive(session) else "none heard of"
    except errors.ServiceError as error:
        checks["database"] = error.en
    ready = checks["database"] == "ok"
    return jsonify({"status": "ready" if ready else "not ready", "checks": checks}), 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus metrics: from this machine, or with the token ``GUOHE_METRICS_TOKEN``."""
    token = os.environ.get("GUOHE_METRICS_TOKEN", "")
    given = (request.authorization.token or "") if request.authorization else ""
    local = request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    if not (hmac.compare_digest(given, token) if token else local):
        raise errors.Forbidden()
    text, media = current_app.extensions["guohe.metrics"]()
    return Response(text, content_type=media)


def watch(app: Flask) -> None:
    """Count every request, and give it an id that logs and the answer carry."""

    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = logs.request_id(request.headers.get("X-Request-Id"))
        facts = {"request": g.request_id, "path": request.path}
        if instance_id := (request.view_args or {}).get("instance_id"):
            facts["case"] = instance_id
        logs.remember(**facts)
        g.trace = tracing.Request(
            f"{request.method} {request.url_rule or ''}".strip(),
            dict(request.headers),
            http__request__method=request.method,
            url__path=request.path,
            **{name: value for name, value in facts.items() if name != "path"},
        )

    def end(response: Response) -> Response:
        if "request_id" in g:
            response.headers.setdefault("X-Request-Id", g.request_id)
            seconds = time.perf_counter() - g.began
            app.extensions["guohe.requests"].observe(request.endpoint or "none", response.status_code, seconds)
            g.trace.answered(response.status_code)
            log.info("%s %s %s", request.method, response.status_code, request.path, extra={"seconds": seconds})
        return response

    def forget(_error: BaseException | None) -> None:
        if "trace" in g:
            g.pop("trace").end()
        logs.forget()

    app.before_request(begin)
    app.after_request(end)
    app.teardown_request(forget)
