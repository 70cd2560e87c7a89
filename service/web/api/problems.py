"""What goes wrong, as RFC 9457 problem documents: a sentence in the caller's language and both at every field."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, request
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException

from service import clock, errors
from service.commands.procedures.deployments import BundleRejected

from . import schemas
from .language import chosen

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
KIND = "urn:guohe:problem:{code}"
"""A name for the kind of problem, the same on every server. What it means stands in the OpenAPI document."""

TITLES: dict[str, tuple[str, str]] = {
    "invalid_input": ("提交的内容无法接受", "Input not accepted"),
    "bad_json": ("内容不是有效的 JSON", "Not valid JSON"),
    "invalid_fields": ("部分字段需要修改", "Some fields need attention"),
    "invalid_form": ("表单中有内容需要修改", "Some fields of the form need attention"),
    "bundle_rejected": ("流程包未通过校验", "The bundle was rejected"),
    "not_signed_in": ("需要访问令牌", "A bearer token is needed"),
    "invalid_token": ("访问令牌无效", "The bearer token is not valid"),
    "insufficient_scope": ("访问令牌权限不足", "The token does not reach that far"),
    "forbidden": ("没有权限", "Not allowed"),
    "excluded": ("须回避", "Must keep away"),
    "not_found": ("不存在或无权查看", "Not found, or not yours to see"),
    "method_not_allowed": ("此地址不接受这种方法", "Method not allowed here"),
    "conflict": ("与现有情况冲突", "In conflict with what is there"),
    "instance_changed": ("案卷刚被他人更新", "The case was changed by somebody else"),
    "task_taken": ("任务已被他人领取", "The task is taken"),
    "task_over": ("任务已办结或撤销", "The task is over"),
    "instance_over": ("案卷已结束或已暂停", "The case is over or suspended"),
    "stale": ("依据的版本已过时", "Working from an old version"),
    "too_large": ("内容过大", "Too large"),
    "unsupported_media": ("不接受这种类型的内容", "Media type not accepted"),
    "too_many_attempts": ("密码错误次数过多", "Too many wrong passwords"),
    "wrong_password": ("用户名或密码不正确", "Wrong user name or password"),
    "account_closed": ("账号已停用", "The account is closed"),
    "busy": ("系统繁忙", "Busy"),
    "unavailable": ("数据库没有响应", "The database does not answer"),
    "unexpected": ("系统出了意外", "Something unexpected happened"),
}
BY_STATUS = {
    400: "invalid_input",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "stale",
    413: "too_large",
    415: "unsupported_media",
    422: "invalid_fields",
    429: "too_many_attempts",
    500: "unexpected",
    503: "busy",
}
SENTENCES: dict[int, tuple[str, str]] = {
    400: ("请求无法识别。", "The request cannot be understood."),
    404: ("没有这个地址。", "There is no such address."),
    405: ("这个地址不接受此种方法，允许的方法见 Allow。", "This address does not take that method; see Allow."),
    413: ("提交的内容过大。", "What was sent is too large."),
    415: ("不接受这种类型的内容。", "This type of content is not accepted."),
    500: ("系统出了意外，本次操作没有生效。", "Something unexpected went wrong. Nothing was changed."),
}


class InvalidFields(errors.InvalidInput):
    """Some fields cannot be accepted as they are."""

    zh_default = "部分字段需要修改。"
    status = 422
    code = "invalid_fields"

    def __init__(self, problems: Iterable[schemas.FieldProblem], **more: Any) -> None:
        super().__init__(**more)
        self.problems = list(problems)


def init_app(app: Flask, blueprint: Blueprint, prefix: str) -> None:
    """Answer every error of the API, wrong addresses and methods included, with a problem document."""
    blueprint.register_error_handler(errors.ServiceError, of_service_error)
    blueprint.register_error_handler(BundleRejected, _of_rejected_bundle)
    blueprint.register_error_handler(HTTPException, _of_http_error)
    blueprint.register_error_handler(Exception, _of_bug)

    @app.before_request
    def astray() -> Response | None:
        # No blueprint is asked where no address matches, so the pages would answer for us.
        error = request.routing_exception
        ours = request.path == prefix or request.path.startswith(prefix + "/")
        return _of_http_error(error) if ours and error is not None else None


def answer(
    status: int,
    code: str,
    zh: str,
    en: str,
    *,
    problems: Iterable[schemas.FieldProblem] = (),
    kind: str | None = None,
    **more: Any,
) -> Response:
    """Build the document; its title and detail speak the caller's language."""
    locale = chosen()
    known = next(one for one in (code, kind, BY_STATUS.get(status), "invalid_input") if one in TITLES)
    title = TITLES[known]
    document = {
        "type": KIND.format(code=known),
        "title": title[locale == "en"],
        "status": status,
        "detail": en if locale == "en" else zh,
        "instance": request.path,
        "code": code,
        "zh": zh,
        "en": en,
        **{name: _plain(value) for name, value in more.items() if value is not None},
    }
    if listed := [problem.model_dump() for problem in problems]:
        document["errors"] = listed
    response = Response(to_json(document), status, mimetype=MEDIA_TYPE)
    response.headers["Content-Language"] = "en" if locale == "en" else "zh-CN"
    response.vary.add("Accept-Language")
    if status == 401:
        response.headers["WWW-Authenticate"] = _challenge(code)
    if status == 403 and code == "insufficient_scope":
        response.headers["WWW-Authenticate"] = f'Bearer realm="guohe", error="{code}", scope="write"'
    if status == 503:
        response.headers["Retry-After"] = "1"
    return response


def of_service_error(error: errors.ServiceError) -> Response:
    """Say what a command refused. ``who`` and ``when`` name the holder of what was in the way."""
    if error.status >= 500 and error.code == "error":
        return _of_bug(error)
    more = {name: error.extra[name] for name in schemas.PROBLEM_EXTRAS if name in error.extra}
    response = answer(
        error.status,
        error.code,
        error.zh,
        error.en,
        problems=_fields_of(error),
        kind=type(error).code,
        **more,
    )
    if error.status == 429 and isinstance(more.get("when"), datetime):
        response.headers["Retry-After"] = str(max(1, int((more["when"] - clock.now()).total_seconds()) + 1))
    return response


def _fields_of(error: errors.ServiceError) -> list[schemas.FieldProblem]:
    if isinstance(error, InvalidFields):
        return error.problems
    if isinstance(error, errors.InvalidForm):
        both = error.extra.get("both", {})
        zh, en = both.get("zh", error.fields), both.get("en", error.fields)
        return [
            schemas.FieldProblem(field=f"variables.{key}", zh=" ".join(said), en=" ".join(en.get(key, said)))
            for key, said in zh.items()
        ]
    if error.field:
        return [schemas.FieldProblem(field=error.field, zh=error.zh, en=error.en)]
    return []


def _of_rejected_bundle(error: BundleRejected) -> Response:
    findings = [schemas.Finding.of(finding).model_dump() for finding in error.findings]
    return answer(422, "bundle_rejected", error.zh, error.en, findings=findings)


def _of_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        # A redirect to the spelling with or without a slash: for a program that is another address.
        status = 404
    zh, en = SENTENCES.get(status, SENTENCES[400])
    response = answer(status, BY_STATUS.get(status, "invalid_input"), zh, en)
    if allow := error.get_response().headers.get("Allow"):
        response.headers["Allow"] = allow
    return response


def _of_bug(error: Exception) -> Response:
    number = secrets.token_hex(4)
    logger.exception("unexpected error %s at %s", number, request.path, exc_info=error)
    return answer(500, "unexpected", *SENTENCES[500], number=number)


def _challenge(code: str) -> str:
    return 'Bearer realm="guohe"' + (f', error="{code}"' if code == "invalid_token" else "")


def _plain(value: Any) -> Any:
    return schemas.in_china(value) if isinstance(value, datetime) else value
