"""Any list as CSV or as a workbook, with the filters it is shown with.

A list that is not too long is given at once. A longer one is written by a worker (``handlers.exports``); its page
shows how far it is, and its owner is told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from service import clock, errors
from service.commands.inbox import exports as commands
from service.queries import exports as queries
from service.queries import listing, spreadsheet
from service.queries.page import COUNTED
from service.storage import Store

from . import cases, finder, here, i18n, register, registerwords, show
from .cockpit import stuck
from .cockpit.words import causes

if TYPE_CHECKING:
    pass

blueprint = Blueprint("export", __name__)

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for: the name of the list, its columns, and what is asked of it."""

    title: str
    columns: list[str]
    asked: dict[str, Any]


@blueprint.get("/export/<name>.<form>")
def export(name: str, form: str) -> Response | str:
    """Give a list away: ``inbox``, ``cases``, ``register`` or ``stuck``, as ``csv`` or ``xlsx``."""
    read = _READERS.get(name)
    if read is None or form not in MEDIA:
        raise errors.NotFound
    wanted = read(request.args)
    rows = _rows(name, wanted, most=here.settings().export_rows)
    if rows is None:
        with here.reading() as (session, _user):
            return here.page(
                session,
                "export/long.html",
                title=wanted.title,
                most=here.settings().export_rows,
                days=here.settings().export_days,
                address=url_for("export.export_submit", name=name, form=form, **dict[str, Any](request.args)),
            )
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115  (the answer closes it)
    spreadsheet.write([wanted.columns, *rows], file, form=form, title=wanted.title)
    file.seek(0)
    return _file(file, name, form, clock.today().isoformat())


@blueprint.post("/export/<name>.<form>")
def export_submit(name: str, form: str) -> Response:
    """Have a list written by a worker."""
    read = _READERS.get(name)
    if read is None or form not in MEDIA:
        raise errors.NotFound
    wanted = read(request.args)
    with here.writing() as (session, user):
        listing.LISTS[name].page(session, user, wanted.asked, None, COUNTED)  # who may not read it learns that now
        commands.begin(
            session,
            user,
            name=name,
            form=form,
            title=wanted.title,
            asked=wanted.asked,
            columns=wanted.columns,
            words=_words(),
            keep=timedelta(days=here.settings().export_days),
        )
    flash(_("正在后台导出，完成后会通知您。"), "good")
    return redirect(url_for("export.exports"), 303)


@blueprint.get("/exports")
def exports() -> str:
    """Show one's long exports: those on their way, with how far they are, and the files that wait."""
    with here.reading() as (session, user):
        found = queries.exports(session, user)
        context: dict[str, Any] = {"items": found, "running": any(one.status == "running" for one in found)}
        if here.is_partial():
            return render_template("export/_exports.html", **context)
        return here.page(session, "export/exports.html", days=here.settings().export_days, **context)


@blueprint.get("/exports/<int:export_id>/file")
def file(export_id: int) -> Response:
    """Give a finished file to whoever asked for it."""
    with here.reading() as (session, user):
        found = queries.one(session, user, export_id)
        if found is None or found.file_key is None:
            raise errors.NotFound("没有这个导出文件，或已过保留期。", "There is no such export, or its time is over.")
        key, name, form, day = found.file_key, found.name, found.form, clock.today(found.created_at).isoformat()
    try:
        content = _store().open(key)
    except FileNotFoundError:
        raise errors.NotFound("导出文件已不存在，请重新导出。", "The file is gone; export the list again.") from None
    return _file(content, name, form, day)


@blueprint.post("/exports/<int:export_id>/remove")
def remove_submit(export_id: int) -> Response:
    """Take an export back, or throw its file away."""
    with here.writing() as (session, user):
        key = commands.remove(session, export_id, user=user)
    if key is not None:
        _store().delete(key)
    flash(_("导出已删除。"), "good")
    return redirect(url_for("export.exports"), 303)


def _file(content: IO[bytes], name: str, form: str, day: str) -> Response:
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename=f"guohe-{name}-{day}.{form}")
    return Response(
        wrap_file(request.environ, content), headers=headers, content_type=MEDIA[form], direct_passthrough=True
    )


def _rows(name: str, wanted: Asked, *, most: int) -> list[Sequence[Any]] | None:
    """The rows of a list, read page by page; None where there are more than ``most``."""
    listed, words = listing.LISTS[name], _words()
    found: list[Sequence[Any]] = []
    after: str | None = None
    while True:
        with here.reading() as (session, user):
            page = listed.page(session, user, wanted.asked, after, COUNTED)
            found += [listed.row(item, words) for item in page.items]
        after = page.next
        if len(found) > most:
            return None
        if after is None:
            return found


def _store() -> Store:
    store: Store = current_app.extensions["guohe.store"]
    return store


def _words() -> dict[str, dict[str, str]]:
    """What codes are called, for whoever writes the file."""
    return {
        "locale": {"lang": i18n.choice()},
        "status": {code: show.status_word(code) for code in cases.EVERY_STATE},
        "type": registerwords.types(),
        "field": registerwords.fields(),
        "base": registerwords.statuses(),
        "cause": causes(),
    }


def _inbox(args: Mapping[str, str]) -> Asked:
    question = finder.read(args)
    return Asked(
        _("收件箱"),
        [_("事项"), _("案号"), _("案件"), _("流程"), _("申报机构"), _("办理机构"), _("办理人"), _("期限"), _("优先级"),
         _("到达时间"), _("办结时间")],
        {**question.asked(), "sort": question.sort},
    )  # fmt: skip


def _cases(args: Mapping[str, str]) -> Asked:
    return Asked(
        _("案件"),
        [_("案号"), _("案件"), _("流程"), _("申报机构"), _("状态"), _("发起"), _("发起人"), _("最近进展"),
         _("办结时间")],
        cases.asked(args),
    )  # fmt: skip


def _register(args: Mapping[str, str]) -> Asked:
    return Asked(
        _("基地名录"),
        [_("编号"), _("名称"), _("类型"), _("领域"), _("依托单位"), _("地区"), _("认定时间"), _("状态")],
        register.asked(args),
    )


def _stuck(args: Mapping[str, str]) -> Asked:
    return Asked(
        _("卡住的案件"),
        [_("案号"), _("案件"), _("原因"), _("说明"), _("环节"), _("开始时间"), _("已持续（小时）")],
        stuck.asked(args),
    )


_READERS = {"inbox": _inbox, "cases": _cases, "register": _register, "stuck": _stuck}
