"""A form on a page: what the island in ``frontend/form`` is given, and what comes back from it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from flask import request, url_for
from flask import session as cookie

from service import errors
from service.commands.inbox import attachments
from service.commands.inbox.drafts import Kept
from service.commands.inbox.task_forms import TaskForm
from service.models import User

from . import here, i18n


def box(
    form: TaskForm,
    *,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
    read_only: bool = False,
    key: str | None = None,
    draft: Kept | None = None,
    draft_url: str | None = None,
    returnable: list[str] | None = None,
) -> dict[str, Any]:
    """Everything a form opens with. ``values`` are what a refused submission had typed; they beat any draft.

    ``returnable`` are the names under which its fields may be returned, where the form is read in order to decide.
    """
    form = form.read_in(i18n.choice())
    kept = draft if draft is not None and values is None else None
    return {
        "schema": form.schema,
        "values": {**form.values, **(values or {})},
        "errors": problems or {},
        "readOnly": read_only,
        "formHash": form.hash,
        "remarks": [{"path": one.path, "label": one.label, "text": one.text} for one in form.remarks],
        "returnable": returnable,
        "draft": None
        if read_only or key is None
        else {
            "url": draft_url,
            "key": key,
            "values": form.shown(kept.values, i18n.choice()) if kept else None,
            "savedAt": kept.draft.saved_at.isoformat() if kept else None,
            "otherForm": bool(kept and kept.draft.form_hash and kept.draft.form_hash != form.hash),
            "conflicts": [asdict(one) for one in kept.conflicts] if kept else [],
            "typed": values is not None,
        },
        "files": {
            "url": url_for("files.upload"),
            "limit": here.settings().upload_limit,
            "types": [f".{ending}" for ending in attachments.TYPES],
        },
    }


def submitted() -> dict[str, Any]:
    """The values a form sends in its hidden field."""
    try:
        values = orjson.loads(request.form.get("values") or "{}")
    except orjson.JSONDecodeError:
        values = None
    if not isinstance(values, dict):
        raise errors.InvalidInput(
            "表单内容无法读取，请刷新页面后重试。",
            "The form could not be read. Reload the page and try again.",
            field="values",
        )
    return values


def draft_key(user: User, what: str) -> str:
    """Under which name a browser keeps what this person typed into this form."""
    return f"guohe:{user.id}:{what}"


def forget_draft(key: str) -> None:
    """Tell the browser, with the next page, that its copy of a draft is not needed any more."""
    cookie[here.FINISHED_DRAFT] = key
