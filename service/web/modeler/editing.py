"""The editors: open a file, keep it as it is typed, and say at once what is wrong with the bundle."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import errors, topics
from service.commands.procedures import checks, workshop
from service.commands.procedures.workshop import Change, EditConflict
from service.models import User, WorkingCopy
from service.queries import workshop as reads

from .. import here, i18n, security, show
from . import copies
from .workbench import blueprint

ISLANDS = {"diagram": "modeler", "table": "dmn", "form": "formeditor"}
TEXT = ("diagram", "table", "form", "scenario")


@blueprint.get("/<int:copy_id>/files/<path:path>")
def edit(copy_id: int, path: str) -> str | AnyResponse:
    """Open a file in the editor for its kind."""
    security.allow_inline_style_attributes()
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        file = reads.content(session, copy, path)
        kind = reads.kind_of(path)
        if kind == "english":
            folder = path.rpartition("/")[0] or "."
            return redirect(url_for("modeler.english", copy_id=copy_id, folder=folder), 303)
        files = reads.files(session, copy)
        closed = checks.unreadable(path, file.content)
        return here.page(
            session,
            f"modeler/{kind if kind in ISLANDS and not closed else 'file'}.html",
            copy=copy,
            file=file,
            kind=kind,
            island=ISLANDS.get(kind),
            title=next((one.title for one in files if one.path == path), ""),
            groups=copies.groups(files),
            editor=_editor(session, user, copy, file.path, file.sha256),
            text=file.content.decode("utf-8", "replace") if kind == "scenario" else "",
            closed=closed.shown(i18n.choice()) if closed else None,
            readable=workshop.last_readable(session, copy, path) if closed else None,
            use=checks.template(workshop.files(session, copy), path) if kind == "template" else None,
            english=i18n.choice() == "en",
        )


def _editor(session: Session, user: User, copy: WorkingCopy, path: str, sha256: str) -> dict[str, Any]:
    """What the island in the page begins with."""
    return {
        "path": path,
        "sha256": sha256,
        "revision": copy.revision,
        "me": user.name,
        "readOnly": copy.closed_at is not None,
        "urls": {
            "raw": url_for("modeler.raw", copy_id=copy.id, path=path),
            "save": url_for("modeler.save_submit", copy_id=copy.id),
            "check": url_for("modeler.check_submit", copy_id=copy.id),
            "context": url_for("modeler.context", copy_id=copy.id),
            "variables": url_for("modeler.variables_submit", copy_id=copy.id),
            "sample": url_for("modeler.sample_submit", copy_id=copy.id),
            "edit": url_for("modeler.edit", copy_id=copy.id, path=""),
            "files": url_for("modeler.file_submit", copy_id=copy.id),
            "upload": url_for("files.upload") if _has("files.upload") else "",
        },
    }


def _has(endpoint: str) -> bool:
    from flask import current_app

    return endpoint in current_app.view_functions


@blueprint.get("/<int:copy_id>/raw/<path:path>")
def raw(copy_id: int, path: str) -> Response:
    """Hand out a file byte for byte."""
    with here.reading() as (session, user):
        file = reads.content(session, reads.copy(session, user, copy_id), path)
        answer = Response(file.content, mimetype="application/octet-stream")
        answer.headers["X-Sha256"] = file.sha256
        if checks.unreadable(path, file.content):
            answer.headers["X-Closed"] = "1"
        answer.headers.set("Content-Disposition", "attachment", filename=path.rpartition("/")[2])
        return answer


@blueprint.post("/<int:copy_id>/save")
def save_submit(copy_id: int) -> AnyResponse:
    """Keep what was typed. 409 where somebody else changed the same file meanwhile."""
    body = _body()
    changes = {path: _change(path, one) for path, one in _files(body, "changes").items()}
    comment = body.get("comment", "")
    if not isinstance(comment, str):
        raise errors.InvalidInput(field="comment")
    try:
        with here.writing() as (session, user):
            saved = workshop.save(
                session, copy_id, changes, user=user, comment=comment, kind="save" if comment else "autosave"
            )
    except EditConflict as conflict:
        answer = jsonify(
            {
                "code": conflict.code,
                "detail": conflict.sentence(i18n.choice()),
                "path": conflict.extra.get("path"),
                "sha256": conflict.extra.get("sha256"),
                "removed": conflict.extra.get("removed", False),
            }
        )
        answer.status_code = 409
        return answer
    return jsonify({"revision": saved.revision, "sha256": saved.hashes, "others": saved.others})


@blueprint.post("/<int:copy_id>/check")
def check_submit(copy_id: int) -> AnyResponse:
    """Say what is wrong with the bundle, with these files as they are being typed."""
    body = _body()
    with here.reading() as (session, user):
        files = _with_typed(session, user, copy_id, body)
        found = checks.check(session, files, topics=topics.KNOWN)
    locale = i18n.choice()
    return jsonify({"findings": [one.shown(locale) for one in found]})


@blueprint.post("/<int:copy_id>/variables")
def variables_submit(copy_id: int) -> AnyResponse:
    """The variables known at one element of a diagram that is being typed, each with who writes it."""
    body = _body()
    element = body.get("element")
    if not isinstance(element, str):
        raise errors.InvalidInput(field="element")
    with here.reading() as (session, user):
        files = _with_typed(session, user, copy_id, body)
    return jsonify({"variables": checks.variables(files, element)})


@blueprint.post("/<int:copy_id>/sample")
def sample_submit(copy_id: int) -> AnyResponse:
    """Data to try a form with, as it is opened at a task; the form as it is being typed."""
    body = _body()
    element, form = body.get("element"), body.get("form")
    if not isinstance(element, str) or not isinstance(form, str):
        raise errors.InvalidInput(field="element")
    with here.reading() as (session, user):
        files = _with_typed(session, user, copy_id, body)
    return jsonify({"data": checks.sample(files, element, form)})


def _with_typed(session: Session, user: User, copy_id: int, body: dict[str, Any]) -> dict[str, bytes]:
    """The files of a working copy, with those that are being typed in their place."""
    typed = {path: _content(path, one) for path, one in _files(body, "files").items()}
    files = workshop.files(session, reads.copy(session, user, copy_id))
    return {**files, **{path: content for path, content in typed.items() if content is not None}}


@blueprint.get("/<int:copy_id>/context")
def context(copy_id: int) -> AnyResponse:
    """What a diagram may refer to: roles, lanes, forms, decisions, processes, topics."""
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        return jsonify(
            {
                "roles": [
                    {"code": role.code, "name": i18n.name_of(role), "party": role.party, "lane": role.lane}
                    for role in reads.roles(session)
                ],
                "parties": {role.party: show.party(role.party) for role in reads.roles(session)},
                "topics": topics.catalogue(),
                **checks.references(workshop.files(session, copy)),
            }
        )


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise errors.InvalidInput("应为 JSON。", "JSON is expected.")
    return body


def _files(body: dict[str, Any], name: str) -> dict[str, Any]:
    files = body.get(name, {})
    if not isinstance(files, dict):
        raise errors.InvalidInput(field=name)
    return files


def _change(path: str, one: Any) -> Change:
    if not isinstance(one, dict) or not isinstance(one.get("base"), str | None):
        raise errors.InvalidInput("应说明从哪一版改起（base）。", "Say what was changed (base).", field=path)
    return Change(_content(path, one), one.get("base"))


def _content(path: str, one: Any) -> bytes | None:
    """Text as typed, or base64 for what is no text; null removes."""
    if isinstance(one, str):
        return one.encode("utf-8", "surrogatepass")
    if isinstance(one, dict) and isinstance(one.get("text"), str):
        return one["text"].encode("utf-8", "surrogatepass")
    if isinstance(one, dict) and isinstance(one.get("base64"), str):
        try:
            return base64.b64decode(one["base64"], validate=True)
        except (binascii.Error, ValueError):
            pass
    elif isinstance(one, dict) and "text" in one and one["text"] is None:
        return None
    raise errors.InvalidInput("文件内容无法识别。", "The content of the file cannot be understood.", field=path)
