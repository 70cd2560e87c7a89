"""What the modeler sends as JSON."""

from __future__ import annotations

from typing import Any

from flask import request

from service import errors


def body_of() -> dict[str, Any]:
    """The JSON of the request; nothing sent is an empty object. Raises InvalidInput."""
    body = request.get_json(silent=True)
    if body is None and not request.get_data():
        return {}
    if not isinstance(body, dict):
        raise errors.InvalidInput("应为 JSON 对象。", "A JSON object is expected.")
    return body


def variables_of(body: dict[str, Any]) -> dict[str, Any]:
    """The variables a case is started with. Raises InvalidInput."""
    variables = body.get("variables") or {}
    if not isinstance(variables, dict):
        raise errors.InvalidInput("variables 应为 JSON 对象。", "variables should be an object.", field="variables")
    return variables
