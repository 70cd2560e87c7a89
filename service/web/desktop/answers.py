"""What is wrong, in the form the modeler shows."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from service import errors
from service.commands.procedures import desktop

from .blueprint import blueprint


class Waiting(errors.Conflict):
    """Handed in for the approval of another process owner; it is not in force yet."""

    zh_default = "已提交，等待另一位流程负责人批准后生效。"
    code = "waiting"


def _listed(refused: desktop.Refused) -> str:
    """The findings as the modeler knows them from its own engine."""
    lines = ["Expected to deploy new resources, but encountered the following errors:"]
    for one in refused.findings:
        found = one.finding
        lines.append(f"'{found.file.rpartition('/')[2] or '–'}': - Element: {found.element_id or '–'}")
        lines.append(f"    - {found.severity.upper()}: {found.zh} {found.en}")
    return "\n".join(lines)


@blueprint.errorhandler(errors.ServiceError)
def _refused(error: errors.ServiceError) -> Response:
    detail = _listed(error) if isinstance(error, desktop.Refused) else f"{error.zh} {error.en}"
    if request.path.startswith("/engine-rest"):
        answer = jsonify(_c7(error, detail))
    else:
        title = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
        answer = jsonify(
            {
                "type": "about:blank",
                "title": title.get(error.status, error.code.upper()),
                "status": error.status,
                "detail": detail,
                "instance": request.path,
            }
        )
        answer.mimetype = "application/problem+json"
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Guohe", Bearer'
    return answer


def _c7(error: errors.ServiceError, detail: str) -> dict[str, Any]:
    if not isinstance(error, desktop.Refused):
        return {"type": type(error).__name__, "message": detail, "code": error.code}
    details: dict[str, Any] = {}
    for one in error.findings:
        found = one.finding
        file = details.setdefault(found.file.rpartition("/")[2], {"errors": [], "warnings": []})
        file["errors" if found.severity == "error" else "warnings"].append(
            {
                "message": f"{found.zh} {found.en}",
                "line": found.line or 0,
                "column": 0,
                "mainElementId": found.element_id,
                "elementIds": [found.element_id] if found.element_id else [],
            }
        )
    return {"type": "ParseException", "message": detail, "code": 0, "details": details}


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    answer = jsonify({"type": "about:blank", "title": error.name, "status": error.code, "detail": error.description})
    answer.status_code = error.code or 500
    return answer
