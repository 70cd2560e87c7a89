"""Any list as CSV or as a workbook, with the filters it is shown with.

A list is read page by page, each in a transaction of its own: an export of a hundred thousand rows holds neither the
database nor memory, and a CSV file arrives while it is still being read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Blueprint, request, stream_with_context
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from service import clock, errors
from service.queries import inbox as boxes
from service.queries import spreadsheet
from service.queries.page import LARGEST_PAGE, Page

from . import cases, finder, here, register, registerwords, show

if TYPE_CHECKING:
    from service.models import User

blueprint = Blueprint("export", __name__)

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: its name, its columns, a page of it, and a row of an item."""

    name: str
    columns: list[str]
    page: Callable[[Session, User, Mapping[str, str], str | None], Page[Any]]
    row: Callable[[Any], Sequence[Any]]


@blueprint.get("/export/<name>.<form>")
def export(name: str, form: str) -> Response:
    """Give a list away: ``inbox``, ``cases`` or ``register``, as ``csv`` or ``xlsx``."""
    listed = _lists().get(name)
    if listed is None or form not in MEDIA:
        raise errors.NotFound
    args = dict(request.args)
    with here.reading() as (session, user):  # who may not read it learns that before the first byte
        listed.page(session, user, args, None)
    rows = _rows(listed, args)
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename=f"guohe-{name}-{clock.today().isoformat()}.{form}")
    if form == "csv":
        return Response(stream_with_context(spreadsheet.csv_lines(rows)), headers=headers, content_type=MEDIA[form])
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115  (the answer closes it)
    spreadsheet.workbook(rows, file, title=listed.name)
    return Response(
        wrap_file(request.environ, file), headers=headers, content_type=MEDIA[form], direct_passthrough=True
    )


def _rows(listed: Listed, args: Mapping[str, str]) -> Iterator[Sequence[Any]]:
    yield listed.columns
    after: str | None = None
    while True:
        with here.reading() as (session, user):
            page = listed.page(session, user, args, after)
            rows = [listed.row(item) for item in page.items]
        yield from rows
        after = page.next
        if after is None:
            return


def _lists() -> dict[str, Listed]:
    return {
        "inbox": Listed(
            _("收件箱"),
            [_("事项"), _("案号"), _("案件"), _("流程"), _("申报机构"), _("办理机构"), _("办理人"), _("期限"),
             _("优先级"), _("到达时间"), _("办结时间")],
            _tasks,
            lambda one: (one.name, one.number, one.title, one.process_name, one.applicant, one.office, one.assignee,
                         show.moment(one.due_at), one.priority, show.moment(one.created_at),
                         show.moment(one.completed_at)),
        ),
        "cases": Listed(
            _("案件"),
            [_("案号"), _("案件"), _("流程"), _("申报机构"), _("状态"), _("发起"), _("发起人"), _("最近进展"),
             _("办结时间")],
            cases.found,
            lambda one: (one.number, one.title, one.process_name, one.applicant, show.status_word(one.status),
                         show.moment(one.started_at), one.started_by, show.moment(one.updated_at),
                         show.moment(one.ended_at)),
        ),
        "register": Listed(
            _("基地名录"),
            [_("编号"), _("名称"), _("类型"), _("领域"), _("依托单位"), _("地区"), _("认定时间"), _("状态")],
            register.found,
            lambda one: (one.number, one.name, registerwords.types().get(one.type, one.type),
                         "、".join(registerwords.fields().get(field.code, field.code) for field in one.fields),
                         one.host.name, one.region, one.accredited_on.isoformat(),
                         registerwords.statuses().get(one.status, one.status)),
        ),
    }  # fmt: skip


def _tasks(session: Session, user: User, args: Mapping[str, str], after: str | None) -> Page[Any]:
    question = finder.read(args)
    return boxes.tasks(
        session,
        user,
        sort=cast(boxes.Sort, question.sort),
        after=after or question.after,
        limit=LARGEST_PAGE,
        **question.asked(),
    )
