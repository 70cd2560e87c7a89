"""Deployments: put bundles into service, and see which there are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from flask import current_app, request
from werkzeug.datastructures import FileStorage

from service import errors, permissions
from service.commands.procedures import deployments
from service.queries import definitions, single

from . import schemas
from .paging import Marks, cut
from .problems import InvalidFields
from .reading import problem, validated
from .routes import Call, api
from .schemas import FieldProblem

MOST_FILES = 500


@api.post(
    "/deployments",
    zh="部署流程包",
    multipart=schemas.DeploymentUpload,
    status=201,
    also={200: "The same content is in service already; nothing was changed."},
    problems=(409,),
    headers={"Location": "The address of the new deployment."},
)
def deploy(call: Call) -> schemas.Deployment:
    """Put a bundle into service: new cases start on it, running ones stay where they are.

    Each `files` part is one file; its file name is its path in the bundle. With any error nothing is changed, and
    `findings` lists everything that is wrong, element by element.
    """
    # Before fifty megabytes are read: may they at all?
    with call.reading() as (_session, user):
        if not permissions.may_deploy(user, user.authority_id):
            raise errors.Forbidden()
    files, note = _upload()
    with call.writing() as (session, user):
        before = deployments.latest_version(session, authority_id=user.authority_id)
        topics = current_app.extensions["guohe.topics"]()
        deployed = deployments.deploy(session, files, user=user, note=note, topics=topics)
        if deployed.version > before:
            call.created(f"{api.prefix}/deployments/{deployed.id}")
        else:
            call.status = 200
        return schemas.Deployment.of(deployed)


@api.get("/deployments", zh="查询部署")
def list_(call: Call, query: schemas.PageQuery) -> schemas.DeploymentPage:
    """What was put into service, newest first. For process owners and administrators."""
    with call.reading() as (session, user):
        if not permissions.may_deploy(user, user.authority_id):
            raise errors.Forbidden()
        rows = definitions.deployments(session, user, limit=10_000)
        return cut(
            schemas.DeploymentPage,
            rows,
            schemas.Deployment.of,
            lambda row: row.id,
            Marks("deployments"),
            after=query.after,
            limit=query.limit,
        )


@api.get("/deployments/{deployment_id}", zh="查看部署")
def get(call: Call, deployment_id: int) -> schemas.Deployment:
    """One deployment with its processes."""
    with call.reading() as (session, user):
        if not permissions.may_deploy(user, user.authority_id):
            raise errors.Forbidden()
        found = single.deployment(session, user, deployment_id)
        if found is None:
            raise errors.NotFound()
        return schemas.Deployment.of(found)


def _upload() -> tuple[dict[str, bytes], str]:
    if request.mimetype != "multipart/form-data":
        raise errors.UnsupportedMedia(
            "请以 multipart/form-data 上传文件。", "Send the files as multipart/form-data.", field="files"
        )
    request.max_form_parts = MOST_FILES + 10
    parts = request.files.getlist("files")
    unknown = (set(request.form) - {"note"}) | (set(request.files) - {"files"})
    if unknown:
        raise InvalidFields(problem(name, "extra_forbidden", {}) for name in sorted(unknown))
    notes = request.form.getlist("note")
    if len(notes) > 1:
        raise InvalidFields([problem("note", "twice", {})])
    if not parts:
        raise InvalidFields([problem("files", "missing", {})])
    checked = validated(schemas.DeploymentUpload, {"files": [], "note": notes[0] if notes else ""})
    return _files(parts), checked.note


def _files(parts: Iterable[FileStorage]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, part in enumerate(parts):
        path = unicodedata.normalize("NFC", (part.filename or "").replace("\\", "/"))
        if not _sound(path):
            raise InvalidFields(
                [
                    FieldProblem(
                        field=f"files.{number}",
                        zh=f"文件名应为包内的相对路径，而不是“{path[:200]}”。",
                        en=f"The file name should be a path in the bundle, not “{path[:200]}”.",
                    )
                ]
            )
        if path in files:
            raise InvalidFields(
                [
                    FieldProblem(
                        field=f"files.{number}",
                        zh=f"“{path}”出现了两次。",
                        en=f"“{path}” is there twice.",
                    )
                ]
            )
        files[path] = part.stream.read()
    return files


def _sound(path: str) -> bool:
    odd = any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in path)
    return (
        bool(path)
        and len(path) <= 200
        and not odd
        and not path.startswith("/")
        and ".." not in PurePosixPath(path).parts
    )
