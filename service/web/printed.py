"""A task's form as a PDF made by the server: for the file, and for whoever cannot print a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service import clock, errors, sheet
from service.commands.inbox import printing
from service.queries import instances
from service.queries import tasks as queries

from . import here, history, i18n, show

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("printed", __name__)
ACTS = frozenset({"completed"})
MOST_ACTS = 60


@blueprint.get("/tasks/<int:task_id>.pdf")
def task(task_id: int) -> Response:
    """Give the form of a task as a PDF."""
    with here.reading() as (session, user):
        name, content = pdf(session, user, task_id, language=i18n.choice())
    return answer(name, content)


def answer(name: str, content: bytes) -> Response:
    """A PDF to be shown, under a name to be kept."""
    response = Response(content, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def pdf(session: Session, user: User, task_id: int, *, language: str) -> tuple[str, bytes]:
    """The form with what the case says of it, and who handed in what when, as far as the reader may know."""
    found = queries.task(session, user, task_id)
    if found is None:
        raise errors.NotFound
    case = instances.case(session, user, found.instance_id)
    acts = instances.history(session, user, found.instance_id, kinds=ACTS, newest_first=True, limit=MOST_ACTS)
    signed = history.lines(reversed(acts.items), found.process_id) if acts and case else []
    facts = [
        (_("案号"), found.number),
        (_("案件名称"), found.title or found.process_name),
        (_("流程"), found.process_name),
        (_("申报机构"), case.case.applicant or "" if case else ""),
        (_("办理机构"), found.office or ""),
    ]
    if found.status == "completed":
        facts += [
            (_("办理人"), found.completed_by or _("平台")),
            (_("办结时间"), show.moment(found.completed_at)),
        ]
    else:
        facts += [(_("办理人"), found.assignee or _("尚未领取")), (_("期限"), show.moment(found.due_at))]
        facts.append((_("状态"), _("尚未提交，打印于 %(when)s", when=show.moment(clock.now()))))
    written = sheet.write(
        sheet.Sheet(
            title=found.name,
            number=found.number,
            case=found.title or found.process_name,
            facts=tuple((word, text) for word, text in facts if text),
            sections=tuple(printing.sections(session, task_id, user=user, language=language)),
            signed_label=_("办理记录"),
            # Whoever may not look into a step is not told who did it.
            signed=[(line.text, line.who or "—", show.moment(line.at)) for line in signed],
            of_pages=_("第 {page} 页，共 {pages} 页"),
        ),
        font=here.settings().pdf_font,
    )
    return f"{found.number}-{found.element_id}.pdf", written
