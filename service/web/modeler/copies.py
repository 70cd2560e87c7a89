"""Working copies: the list, a new one, what is in it, its history, in and out as a zip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from babel.dates import format_skeleton
from flask import Response, flash, redirect, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from service import clock, errors, permissions
from service.commands.procedures import archives, blanks, publishing, workshop
from service.commands.procedures.workshop import Change
from service.queries import workshop as reads

from .. import here
from .workbench import blueprint

LARGEST_ZIP = 80 * 1024 * 1024


@blueprint.get("")
def copies() -> str:
    """List the working copies, and what is deployed."""
    with here.reading() as (session, user):
        closed = request.args.get("closed") == "1"
        return here.page(
            session,
            "modeler/copies.html",
            copies=reads.copies(session, user, closed=closed),
            deployments=reads.deployments(session, user),
            publications=reads.publications(session, user, limit=10),
            closed=closed,
            rule=publishing.policy(session, user.authority_id),
            admin=permissions.may_administer(user, user.authority_id),
            suggestion=_("%(day)s的修改", day=format_skeleton("MMMd", clock.today(), locale=get_locale())),
        )


@blueprint.post("")
def create_submit() -> AnyResponse:
    """Begin a working copy: of what is deployed, of a zip, or of nothing."""
    files = _uploaded(request.files.get("archive"))
    with here.writing() as (session, user):
        copy = workshop.create(
            session,
            request.form.get("name", ""),
            user=user,
            deployment_id=here.number("deployment") if not files else None,
            files=files,
        )
        copy_id = copy.id
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.get("/<int:copy_id>")
def copy(copy_id: int) -> str:
    """Show a working copy: its files, what is wrong with them, and what happened to it."""
    with here.reading() as (session, user):
        found = reads.copy(session, user, copy_id)
        files = reads.files(session, found)
        return here.page(
            session,
            "modeler/copy.html",
            copy=found,
            groups=groups(files),
            history=reads.history(session, found, limit=30),
            publications=reads.publications(session, user, copy_id=copy_id, limit=5),
            recent=clock.now() - timedelta(minutes=15),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one procedure: its diagram, tables, forms, templates and scenarios."""

    key: str
    heading: str
    rows: list[reads.FileRow]

    @property
    def main(self) -> list[reads.FileRow]:
        """What the procedure is made of."""
        return [row for row in self.rows if row.kind != "scenario"]

    @property
    def scenarios(self) -> list[reads.FileRow]:
        """What plays it; the parts that scenarios share come last."""
        found = [row for row in self.rows if row.kind == "scenario"]
        return sorted(found, key=lambda row: (row.name.startswith("_"), row.path))

    @property
    def folder(self) -> str:
        """Where a new file of the procedure goes."""
        return self.rows[0].folder


ORDER = {"diagram": 0, "table": 1, "form": 2, "template": 3, "english": 4, "scenario": 5}


def groups(rows: list[reads.FileRow]) -> list[Group]:
    """The files by procedure, as people think of them: processes/x and forms/x belong together."""
    found: dict[str, list[reads.FileRow]] = {}
    for row in rows:
        parts = row.path.split("/")
        found.setdefault(parts[1] if len(parts) > 2 else parts[0] if len(parts) > 1 else "", []).append(row)
    words = {"shared": _("共用表单"), "rules": _("共用决策表"), "": _("（根目录）")}
    made = []
    for key, own in found.items():
        own.sort(key=lambda row: (ORDER.get(row.kind, 9), row.path))
        title = next((row.title for row in own if row.kind == "diagram" and row.title), "")
        made.append(Group(key, title or words.get(key, key), own))
    return sorted(made, key=lambda one: (one.rows[0].kind != "diagram", one.key))


@blueprint.post("/<int:copy_id>/rename")
def rename_submit(copy_id: int) -> AnyResponse:
    """Call the working copy something else."""
    with here.writing() as (session, user):
        workshop.rename(session, copy_id, request.form.get("name", ""), user=user)
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.post("/<int:copy_id>/close")
def close_submit(copy_id: int) -> AnyResponse:
    """Put it away, or take it out again."""
    with here.writing() as (session, user):
        closed = workshop.close(session, copy_id, user=user).closed_at is not None
    flash(_("已归档。") if closed else _("已重新打开。"), "good")
    return redirect(url_for("modeler.copies" if closed else "modeler.copy", copy_id=None if closed else copy_id), 303)


@blueprint.post("/<int:copy_id>/files")
def file_submit(copy_id: int) -> AnyResponse:
    """Add files: a new one, or those that were chosen."""
    uploads = [one for one in request.files.getlist("uploads") if one.filename]
    folder = request.form.get("folder", "").strip().strip("/")
    changes: dict[str, bytes] = {}
    for upload in uploads:
        name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
        changes[f"{folder}/{name}" if folder else name] = upload.stream.read(archives.MAX_FILE + 1)
    if not uploads:
        name = request.form.get("name", "").strip()
        path = f"{folder}/{name}{request.form.get('kind', '.bpmn')}" if folder else f"{name}{request.form['kind']}"
        if not name:
            raise errors.InvalidInput("请填写文件名。", "Please name the file.", field="name")
        changes[path] = blanks.blank(path, request.form.get("title", ""))
    with here.writing() as (session, user):
        copy = workshop.take(session, copy_id, user=user)
        present = workshop.current(session, copy)
        replace = request.form.get("replace") == "1"
        written = {
            path: Change(content, present[path].sha256 if replace and path in present else None)
            for path, content in changes.items()
        }
        taken = [path for path in changes if path in present and not replace]
        if taken:
            raise errors.Conflict(f"“{taken[0]}”已存在。", f"“{taken[0]}” exists already.", field="name")
        workshop.save(session, copy_id, written, user=user, kind="save", comment=_added(list(changes)))
    if len(changes) == 1 and not uploads:
        return redirect(url_for("modeler.edit", copy_id=copy_id, path=next(iter(changes))), 303)
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


def _added(paths: list[str]) -> str:
    more = _(" 等 %(n)s 个文件", n=len(paths)) if len(paths) > 3 else ""
    return _("加入 %(paths)s", paths="、".join(path.rpartition("/")[2] for path in paths[:3])) + more


@blueprint.post("/<int:copy_id>/move")
def move_submit(copy_id: int) -> AnyResponse:
    """Give a file another path."""
    old, new = request.form.get("path", ""), request.form.get("new", "")
    with here.writing() as (session, user):
        workshop.rename_file(session, copy_id, old, new, user=user)
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.post("/<int:copy_id>/remove")
def remove_submit(copy_id: int) -> AnyResponse:
    """Take a file out; its history keeps it."""
    path, base = request.form.get("path", ""), request.form.get("base", "")
    with here.writing() as (session, user):
        workshop.save(
            session, copy_id, {path: Change(None, base)}, user=user, kind="save", comment=_("删除 %(path)s", path=path)
        )
    flash(_("已删除“%(path)s”，可从历史中恢复。", path=path), "good")
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.post("/<int:copy_id>/restore")
def restore_submit(copy_id: int) -> AnyResponse:
    """Go back to how it was: the whole copy, or one file."""
    number, path = here.number("number") or 0, request.form.get("path", "")
    with here.writing() as (session, user):
        workshop.restore(session, copy_id, number, user=user, path=path)
    flash(_("已恢复到第 %(n)s 版。", n=number), "good")
    if path:
        return redirect(url_for("modeler.edit", copy_id=copy_id, path=path), 303)
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.get("/<int:copy_id>/export")
def export(copy_id: int) -> Response:
    """Hand out the working copy as a zip in the layout of the repository."""
    with here.reading() as (session, user):
        found = reads.copy(session, user, copy_id)
        number = request.args.get("revision", type=int) or found.revision
        data = archives.pack(workshop.at(session, found, number))
    answer = Response(data, mimetype="application/zip")
    answer.headers.set("Content-Disposition", "attachment", filename=f"guohe-{copy_id}-{number}.zip")
    return answer


@blueprint.post("/<int:copy_id>/import")
def import_submit(copy_id: int) -> AnyResponse:
    """Replace everything by what a zip holds."""
    upload = request.files.get("archive")
    files = _uploaded(upload)
    if not files:
        raise errors.InvalidInput(
            "zip 中没有流程图、决策表、表单、模板或场景。", "There is no file of a bundle in the zip.", field="archive"
        )
    name = upload.filename if upload else ""
    with here.writing() as (session, user):
        workshop.replace_all(session, copy_id, files, user=user, comment=_("导入 %(name)s", name=name or "zip"))
    flash(_("已导入 %(n)s 个文件；原来的内容在历史中。", n=len(files)), "good")
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


def _uploaded(upload: FileStorage | None) -> dict[str, bytes]:
    if upload is None or not upload.filename:
        return {}
    data = upload.stream.read(LARGEST_ZIP + 1)
    if len(data) > LARGEST_ZIP:
        raise errors.TooLarge("zip 文件过大。", "The zip file is too large.", field="archive")
    return archives.unpack(data)
