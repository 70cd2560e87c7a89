"""Two versions beside each other: the diagrams in colours, and a list in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import jsonify, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import errors
from service.commands.procedures import checks, comparisons, workshop
from service.models import User
from service.queries import workshop as reads

from .. import here, i18n
from .workbench import blueprint


@dataclass(frozen=True, slots=True)
class Side:
    """A version: ``d7`` a deployment, ``c3`` a working copy, ``c3.5`` one of its revisions."""

    ref: str
    label: str


@blueprint.get("/compare")
def compare() -> str:
    """Show what differs between two versions."""
    with here.reading() as (session, user):
        left, right = request.args.get("from", ""), request.args.get("to", "")
        sides = choices(session, user)
        if not left and sides:
            left = sides[-1].ref
        if not right and sides:
            right = sides[0].ref
        old, new = files_of(session, user, left), files_of(session, user, right)
        made = comparisons.compare(session, old, new)
        english = i18n.choice() == "en"
        groups: dict[str, list[Any]] = {}
        for change in made.changes:
            groups.setdefault(change.file, []).append(change)
        return here.page(
            session,
            "modeler/compare.html",
            left=left,
            right=right,
            sides=sides,
            label_left=next((one.label for one in sides if one.ref == left), left),
            label_right=next((one.label for one in sides if one.ref == right), right),
            groups=[(file, _name(file, new, old), rows) for file, rows in sorted(groups.items(), key=_order)],
            drawn=[file for file in sorted(made.marks) if file.endswith(".bpmn")],
            english=english,
            total=sum(1 for change in made.changes if change.kind != "layout"),
            only_layout=sum(1 for change in made.changes if change.kind == "layout"),
        )


@blueprint.get("/compare/diagram")
def compare_diagram() -> AnyResponse:
    """Both versions of one diagram, and the colours of their elements."""
    with here.reading() as (session, user):
        old = files_of(session, user, request.args.get("from", ""))
        new = files_of(session, user, request.args.get("to", ""))
        file = request.args.get("file", "")
        made = comparisons.compare(session, only(old, file), only(new, file))
        english = i18n.choice() == "en"
        return jsonify(
            {
                "old": _drawn(file, old),
                "new": _drawn(file, new),
                "marks": made.marks.get(file, {}),
                "changes": [
                    {"element": one.element_id, "kind": one.kind, "text": one.en if english else one.zh}
                    for one in made.changes
                    if one.file == file
                ],
            }
        )


def _drawn(file: str, files: Mapping[str, bytes]) -> str:
    """The diagram, where there is one that a browser can draw."""
    content = files.get(file, b"")
    return "" if checks.unreadable(file, content) else content.decode("utf-8", "replace")


def only(files: Mapping[str, bytes], file: str) -> dict[str, bytes]:
    """Just the one file."""
    return {file: files[file]} if file in files else {}


def choices(session: Session, user: User) -> list[Side]:
    """The versions one can compare, newest first."""
    found = [Side(f"c{one.id}", _("副本“%(name)s”", name=one.name)) for one in reads.copies(session, user)]
    for row in reads.deployments(session, user):
        label = _("部署第 %(n)s 版", n=row.version)
        found.append(Side(f"d{row.id}", _("%(version)s（使用中）", version=label) if row.in_force else label))
    return found


def files_of(session: Session, user: User, ref: str) -> dict[str, bytes]:
    """The files of a version."""
    kind, number = ref[:1], ref[1:]
    copy_id, _dot, revision = number.partition(".")
    if kind == "d" and number.isdigit():
        return reads.deployed_files(session, user, int(number))
    if kind == "c" and copy_id.isdigit() and (not revision or revision.isdigit()):
        copy = reads.copy(session, user, int(copy_id))
        return workshop.at(session, copy, int(revision)) if revision else workshop.files(session, copy)
    raise errors.NotFound(f"没有版本“{ref}”。", f"There is no version “{ref}”.")


def _name(file: str, new: Mapping[str, bytes], old: Mapping[str, bytes]) -> str:
    content = new.get(file) or old.get(file) or b""
    return comparisons.title_of(file, content) or file.rpartition("/")[2]


def _order(group: tuple[str, list[Any]]) -> tuple[bool, str]:
    return not group[0].endswith(".bpmn"), group[0]
