"""What goes wrong becomes a page in both languages that says what to do next – or a small message, or JSON."""

from __future__ import annotations

import errno
import logging
import secrets
from typing import Any

from flask import Flask, g, jsonify, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from service import errors

from . import here, i18n

logger = logging.getLogger(__name__)

SENTENCES: dict[int, tuple[str, str]] = {
    400: ("浏览器发来的内容无法识别。", "What the browser sent cannot be understood."),
    401: ("请先登录。", "Please sign in first."),
    403: ("您没有权限查看或执行此操作。", "You are not allowed to see or do this."),
    404: ("没有这个页面，或者您无权查看。", "There is no such page, or you may not see it."),
    405: ("这个地址不接受此种操作。", "This address does not take that kind of request."),
    409: ("与现有情况冲突。", "This does not fit what is already there."),
    413: ("提交的内容过大。", "What was sent is too large."),
    414: ("地址过长。", "The address is too long."),
    415: ("不接受这种类型的内容。", "This type of content is not accepted."),
    429: ("操作过于频繁，请稍后重试。", "Too many requests; please try again later."),
    500: (
        "系统出了意外，这次操作没有生效，您的数据没有改变。",
        "Something unexpected went wrong. Nothing was changed.",
    ),
    503: ("系统繁忙，请稍后重试。", "The system is busy; please try again in a moment."),
}


def init_app(app: Flask) -> None:
    """Translate errors once, here."""
    app.register_error_handler(errors.ServiceError, _service_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OSError, _disk)
    app.register_error_handler(Exception, _bug)


def _service_error(error: errors.ServiceError) -> Any:
    if isinstance(error, errors.NotSignedIn):
        return _to_the_door(error)
    return show(error.status, error.zh, error.en, code=error.code, field=error.field)


def _csrf_error(error: CSRFError) -> Any:
    # A session that has ended takes its token along: the person has to sign in again, and the draft waits for them.
    if here.TOKEN not in cookie:
        return _to_the_door(errors.NotSignedIn())
    return show(
        400,
        "页面已过期，请返回上一页刷新后重试，已填写的内容会自动恢复。",
        "This page has expired. Go back, reload it and try again; what you typed comes back.",
        code="csrf",
    )


def _http_error(error: HTTPException) -> Any:
    if error.code is not None and 300 <= error.code < 400:
        return error
    zh, en = SENTENCES.get(error.code or 500, SENTENCES[400])
    answer = show(error.code or 500, zh, en, code="http")
    for name in ("Allow", "Retry-After"):
        if error.get_response().headers.get(name):
            answer.headers[name] = error.get_response().headers[name]
    return answer


def _disk(error: OSError) -> Any:
    """A disk that takes no more is nobody's mistake; everything else of the system is a bug."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return _bug(error)
    logger.error("the disk takes no more: %s", error)
    return show(
        507,
        "服务器磁盘已满，这次没有保存，您的数据没有改变；请联系管理员。",
        "The server's disk is full. Nothing was saved or changed; please tell an administrator.",
        code="disk_full",
    )


def _bug(error: Exception) -> Any:
    number = secrets.token_hex(4)
    logger.exception("unexpected error %s at %s", number, request.path)
    try:
        return show(500, *SENTENCES[500], code="unexpected", number=number)
    except Exception:  # the page itself is broken; the sentence still reaches the reader
        logger.exception("no error page for %s", number)
        return Response(" ".join([*SENTENCES[500], number]), 500, mimetype="text/plain")


def _to_the_door(error: errors.NotSignedIn) -> Any:
    if here.wants_json():
        return _json(401, error.zh, error.en, error.code)
    back = here.address() if request.method == "GET" and not here.is_partial() else _page_of(request.path)
    target = url_for("auth.sign_in", next=back)
    if request.headers.get("HX-Request") == "true":
        answer = Response(status=401)
        answer.headers["HX-Redirect"] = target
        return answer
    return redirect(target, 303)


def _page_of(path: str) -> str:
    """The page on which an action stands: /tasks/7/complete -> /tasks/7."""
    for action in ("/complete", "/claim", "/release", "/draft", "/read"):
        if path.endswith(action):
            return path.removesuffix(action)
    return path if request.method == "GET" or path.startswith("/start/") else url_for("inbox.inbox")


def show(
    status: int, zh: str, en: str, *, code: str = "error", field: str | None = None, number: str | None = None
) -> Response:
    """The error as whoever asked can use it."""
    if here.wants_json():
        return _json(status, zh, en, code, field)
    _find_person()
    sentence = en if i18n.choice() == "en" else zh
    if request.headers.get("HX-Request") == "true":
        answer = Response(render_template("errors/message.html", text=sentence), status, mimetype="text/html")
        answer.headers.update({"HX-Retarget": "#messages", "HX-Reswap": "innerHTML show:top", "HX-Push-Url": "false"})
        return answer
    return Response(
        render_template(
            "errors/error.html",
            status=status,
            title=_title(status),
            zh=zh,
            en=en,
            acts=_acts(status),
            number=number,
            person=g.get("person"),
            unread=0,
        ),
        status,
        mimetype="text/html",
    )


def _find_person() -> None:
    """Keep the signed-in person's menu on an error page, if the database is well enough to say who it is."""
    if "person" in g or here.TOKEN not in cookie:
        return
    try:
        with here.database().transaction(readonly=True) as session:
            here.look(session)
    except errors.ServiceError:
        g.person = None


def _json(status: int, zh: str, en: str, code: str, field: str | None = None) -> Response:
    answer = jsonify(
        {
            "type": "about:blank",
            "title": code,
            "status": status,
            "detail": en if i18n.choice() == "en" else zh,
            "zh": zh,
            "en": en,
            **({"field": field} if field else {}),
        }
    )
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


def _title(status: int) -> str:
    titles = {
        400: _("请求有误"),
        403: _("没有权限"),
        404: _("找不到页面"),
        409: _("情况已经变化"),
        412: _("情况已经变化"),
        413: _("内容过大"),
        415: _("类型不符"),
        422: _("内容需要修改"),
        429: _("请稍候"),
        503: _("系统繁忙"),
    }
    return titles.get(status, _("系统出错") if status >= 500 else _("请求有误"))


def _acts(status: int) -> list[tuple[str, str]]:
    if here.TOKEN not in cookie:
        return [(url_for("auth.sign_in"), _("登录"))]
    acts = []
    if status in (400, 409, 412, 422, 429, 500, 503) and request.method == "POST":
        acts.append((_page_of(request.path), _("返回刚才的页面，查看最新情况")))
    elif status in (429, 500, 503):
        acts.append((here.address(), _("重新打开此页")))
    acts.append((url_for("inbox.inbox"), _("打开收件箱")))
    acts.append((url_for("cases.cases"), _("查找案件")))
    return acts
