"""Files: taken at once while a form is being filled, given only to those who may see what they belong to."""

from __future__ import annotations

from typing import BinaryIO, cast

from flask import Blueprint, current_app, jsonify, request, send_file
from werkzeug.wrappers import Response

from service import errors
from service.commands import attachments as commands
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


def _given(key: str, name: str, media_type: str) -> Response:
    try:
        content: BinaryIO = _store().open(key)
    except FileNotFoundError:
        raise errors.NotFound(
            "文件内容已丢失，请联系平台运维。", "The content of this file is lost; tell the platform's operators."
        ) from None
    # Always a download: nothing that somebody uploaded is ever shown as a page of ours.
    answer = send_file(content, mimetype=media_type, as_attachment=True, download_name=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
