"""Files: taken at once while a form is being filled, given only to those who may see what they belong to."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import BinaryIO, cast

from flask import Blueprint, current_app, jsonify, render_template, request, send_file
from werkzeug.wrappers import Response

from service import errors, office, outside
from service.commands.inbox import attachments as commands
from service.queries import attachments as queries
from service.queries import documents
from service.storage import Store

from . import here

blueprint = Blueprint("files", __name__)


@blueprint.post("/files")
def upload() -> tuple[Response, int]:
    """Keep an uploaded file; it is the uploader's own until the form that names it is handed in."""
    # Read from the network before the transaction begins: a slow upload must not hold the database.
    files = request.files.getlist("file")
    if len(files) != 1 or not files[0].filename:
        raise errors.InvalidInput("请选择一个文件。", "Choose one file.", field="file")
    _scanned(cast(BinaryIO, files[0].stream), files[0].filename)
    with here.writing() as (session, user):
        kept = commands.add(
            session,
            _store(),
            cast(BinaryIO, files[0].stream),
            files[0].filename,
            user=user,
            limit=here.settings().upload_limit,
        )
        return jsonify({"id": kept.id, "name": kept.name, "size": kept.size}), 201


@blueprint.get("/files/<int:attachment_id>")
def download(attachment_id: int) -> Response:
    """Give an attachment to somebody who may see it."""
    with here.reading() as (session, user):
        found = queries.attachment(session, user, attachment_id)
        if found is None:
            raise errors.NotFound("没有这份文件，或者您无权查看。", "There is no such file, or you may not see it.")
        return _given(found.storage_key, found.name, found.media_type)


@blueprint.get("/files/<int:attachment_id>/view")
def view(attachment_id: int) -> str:
    """Show an attachment in the browser where that can be done safely."""
    with here.reading() as (session, user):
        found = queries.attachment(session, user, attachment_id)
        if found is None:
            raise errors.NotFound("没有这份文件，或者您无权查看。", "There is no such file, or you may not see it.")
        return here.page(session, "files/view.html", file=found, way=_way(found.name))


@blueprint.get("/files/<int:attachment_id>/preview")
def preview(attachment_id: int) -> Response:
    """What the page of an attachment shows: the picture or PDF itself, or a PDF made of an office file."""
    with here.reading() as (session, user):
        found = queries.attachment(session, user, attachment_id)
        if found is None or _way(found.name) is None:
            raise errors.NotFound("没有这份文件，或者您无权查看。", "There is no such file, or you may not see it.")
        key, name, media_type = found.storage_key, found.name, found.media_type
    # Outside of the transaction: a conversion may take its time.
    content = _content(key)
    if _way(name) == "office":
        command = office.command(here.settings().office_command)
        try:
            made = office.pdf_of(command or "", content, _suffix(name))
        except office.Unconverted:
            return _framed(Response(render_template("files/unshown.html", busy=False), 422, mimetype="text/html"))
        except office.Busy:
            return _framed(Response(render_template("files/unshown.html", busy=True), 503, mimetype="text/html"))
        finally:
            content.close()
        content, media_type = io.BytesIO(made), "application/pdf"
    answer = send_file(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = "inline"
    return _framed(answer)


def _framed(answer: Response) -> Response:
    """An answer that the page of an attachment shows in a frame."""
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; object-src 'self'; style-src 'self'; frame-ancestors 'self'"
    )
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


PICTURES = frozenset({"jpg", "jpeg", "png"})


def _way(name: str) -> str | None:
    """How an attachment can be shown: ``picture`` | ``pdf`` | ``office``; None: download only."""
    suffix = _suffix(name)
    if suffix in PICTURES:
        return "picture"
    if suffix == "pdf":
        return "pdf"
    can_convert = office.command(here.settings().office_command) is not None
    return "office" if suffix in office.FILTERS and can_convert else None


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower().lstrip(".")


def _scanned(stream: BinaryIO, name: str) -> None:
    try:
        outside.scan(here.settings().scan_command, stream, _suffix(commands.clean_name(name)))
    except outside.Infected:
        raise errors.UnsupportedMedia(
            "文件没有通过病毒扫描，未予保存。", "The virus scanner refused this file; it was not kept.", field="file"
        ) from None
    except outside.Unscanned:
        raise errors.Unavailable(
            "病毒扫描暂时不可用，文件未予保存，请稍后重试。",
            "The virus scanner is not available; the file was not kept. Try again later.",
            field="file",
        ) from None


@blueprint.get("/documents/<int:document_id>")
def document(document_id: int) -> Response:
    """Give an issued document to somebody who may see it."""
    with here.reading() as (session, user):
        found = documents.document(session, user, document_id)
        if found is None:
            raise errors.NotFound("没有这份文件，或者您无权查看。", "There is no such document, or you may not see it.")
        return _given(found.storage_key, found.file_name, found.media_type)


def _store() -> Store:
    store: Store = current_app.extensions["guohe.store"]
    return store


def _content(key: str) -> BinaryIO:
    try:
        return _store().open(key)
    except FileNotFoundError:
        raise errors.NotFound(
            "文件内容已丢失，请联系平台运维。", "The content of this file is lost; tell the platform's operators."
        ) from None


def _given(key: str, name: str, media_type: str) -> Response:
    content = _content(key)
    # Always a download: nothing that somebody uploaded is ever shown as a page of ours.
    answer = send_file(content, mimetype=media_type, as_attachment=True, download_name=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
