"""A form that is filled for a draft: files go nowhere, their names alone count."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from service import errors
from service.commands.inbox import attachments

from .. import here
from . import steps


def box(
    form: dict[str, Any],
    *,
    files: str,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The form island's input: files go nowhere, and nothing typed is kept as a draft."""
    return {
        "schema": form["schema"],
        "values": {**form["values"], **(values or {})},
        "errors": problems or {},
        "readOnly": False,
        "formHash": form["hash"],
        "draft": None,
        "files": {
            "url": files,
            "limit": here.settings().upload_limit,
            "types": [f".{ending}" for ending in attachments.TYPES],
        },
    }


def named_file() -> tuple[Response, int]:
    """Answer an upload with the file's name, of which a scenario says no more."""
    files = request.files.getlist("file")
    if len(files) != 1 or not files[0].filename:
        raise errors.InvalidInput("请选择一个文件。", "Choose one file.", field="file")
    name = attachments.clean_name(files[0].filename)
    if name.rpartition(".")[2].lower() not in attachments.TYPES:
        raise errors.UnsupportedMedia("不接受此类文件。", "Files of this kind are not accepted.", field="file")
    files[0].stream.seek(0, 2)
    return jsonify({"id": f"{steps.KEPT}{name}", "name": name, "size": files[0].stream.tell()}), 201
