"""From a request to checked values – or to a sentence for every field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service import errors

from .problems import InvalidFields
from .schemas import LARGEST_ID, LONGEST_CODE, FieldProblem

LARGEST_BODY = 2 * 1024 * 1024
NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
ETAG = re.compile(r'"([0-9]{1,18})-[0-9a-f]{8}"', re.ASCII)
KEY = re.compile(r'(?P<quote>"?)([A-Za-z0-9._:-]{1,200})(?P=quote)', re.ASCII)
"""An idempotency key, as a plain word or as the quoted one of the HTTP draft."""
ANY_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]*"', re.ASCII)

Some = TypeVar("Some", bound=BaseModel)

SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("请提供此字段。", "This field is missing."),
    "extra_forbidden": ("没有这个字段。", "There is no such field."),
    "string_type": ("应为文字。", "It should be a text."),
    "string_pattern_mismatch": ("格式不符。", "It is not written as it should be."),
    "string_too_short": ("不能少于 {min_length} 个字符。", "It should have at least {min_length} characters."),
    "string_too_long": ("不能超过 {max_length} 个字符。", "It should have at most {max_length} characters."),
    "int_type": ("应为整数。", "It should be a whole number."),
    "int_parsing": ("应为整数。", "It should be a whole number."),
    "int_parsing_size": ("数值过大。", "The number is too large."),
    "int_from_float": ("应为整数。", "It should be a whole number."),
    "bool_type": ("应为 true 或 false。", "It should be true or false."),
    "bool_parsing": ("应为 true 或 false。", "It should be true or false."),
    "dict_type": ("应为 JSON 对象。", "It should be a JSON object."),
    "list_type": ("应为 JSON 数组。", "It should be a JSON array."),
    "model_type": ("应为 JSON 对象。", "It should be a JSON object."),
    "too_short": ("至少 {min_length} 项。", "It should have at least {min_length} items."),
    "too_long": ("至多 {max_length} 项。", "It should have at most {max_length} items."),
    "literal_error": ("应为以下之一：{expected}。", "It should be one of {expected}."),
    "greater_than_equal": ("不能小于 {ge}。", "It should be at least {ge}."),
    "less_than_equal": ("不能大于 {le}。", "It should be at most {le}."),
    "characters": ("含有无法保存的字符。", "It contains characters that cannot be kept."),
    "depth": ("嵌套过深。", "It is nested too deeply."),
    "number": (
        "数值过大，无法精确保存，请改用文字。",
        "The number is too large to be kept exactly; send it as text.",
    ),
    "one_of": ("assignee_id 与 username 须且只须提供一个。", "Give exactly one of assignee_id and username."),
    "twice": ("同一参数出现了多次。", "The parameter stands there more than once."),
}


def body(model: type[Some]) -> Some:
    """Read a JSON body. An empty one counts as ``{}``: what is missing in it is said field by field."""
    request.max_content_length = LARGEST_BODY
    content = request.get_data(cache=False)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UnsupportedMedia("请求体不能压缩。", "The body should not be compressed.")
    if content and request.mimetype != "application/json":
        raise errors.UnsupportedMedia(
            "Content-Type 应为 application/json。", "The Content-Type should be application/json."
        )
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise errors.UnsupportedMedia("JSON 应为 UTF-8 编码。", "JSON is written in UTF-8.")
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        if wrong[0]["type"] == "json_invalid":
            reason = str(wrong[0].get("ctx", {}).get("error", ""))
            raise errors.InvalidInput(
                f"请求体不是有效的 JSON（{reason}）。", f"The body is not valid JSON ({reason}).", code="bad_json"
            ) from None
        raise InvalidFields(said(wrong)) from None


def query(model: type[Some]) -> Some:
    """Read the parameters of the address. One that may hold several values stands there several times."""
    several = {name for name, field in model.model_fields.items() if _is_list(field.annotation)}
    values: dict[str, Any] = {}
    twice: list[str] = []
    for name, found in request.args.lists():
        values[name] = found if name in several else found[0]
        if name not in several and len(found) > 1:
            twice.append(name)
    if twice:
        raise InvalidFields(problem(name, "twice", {}) for name in twice)
    return validated(model, values)


def nothing() -> None:
    """Refuse parameters where an address takes none."""
    if request.args:
        raise InvalidFields(problem(name, "extra_forbidden", {}) for name in request.args)


def validated(model: type[Some], values: Mapping[str, Any]) -> Some:
    """Check values that came otherwise than as JSON."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidFields(said(error.errors(include_url=False, include_input=False))) from None


def number(text: str) -> int:
    """The number of a row in an address; what is none belongs to no row."""
    if not NUMBER.fullmatch(text) or not 1 <= int(text) <= LARGEST_ID:
        raise errors.NotFound()
    return int(text)


def code(text: str) -> str:
    """The id of a process in an address."""
    if len(text) > LONGEST_CODE or not text.isprintable():
        raise errors.NotFound()
    return text


def version() -> int | None:
    """The version that ``If-Match`` asks for; None where any will do."""
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    match = ETAG.fullmatch(header)
    if match:
        return int(match[1])
    if ANY_ETAG.fullmatch(header):
        # Some other tag, or a weak one: it matches nothing we have.
        raise errors.Stale(
            "If-Match 与当前版本不符，请重新读取。", "If-Match is no current version; read it again.", field="If-Match"
        )
    raise errors.InvalidInput(
        "If-Match 应为读取时得到的一个 ETag。", "If-Match should be one ETag as it was read.", field="If-Match"
    )


def idempotency_key() -> str | None:
    """The caller's own name for this request, if it has one."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return None
    match = KEY.fullmatch(header.strip())
    if match is None:
        raise InvalidFields(
            [
                FieldProblem(
                    field="Idempotency-Key",
                    zh="应为 1 至 200 个字母、数字或 . _ : -。",
                    en="It should be 1 to 200 letters, digits or . _ : -.",
                )
            ]
        )
    return match[2]


@contextmanager
def placed(variables: Mapping[str, Any]) -> Iterator[None]:
    """Let a refusal name a variable by its place in the body."""
    try:
        yield
    except errors.InvalidInput as error:
        if error.field in variables:
            error.field = f"variables.{error.field}"
        raise


def said(wrong: Iterable[ErrorDetails]) -> list[FieldProblem]:
    """Both sentences for what pydantic found."""
    return [
        problem(".".join(str(part) for part in one["loc"]), one["type"], one.get("ctx", {}), one["msg"])
        for one in wrong
    ]


def problem(field: str, kind: str, context: Mapping[str, Any], otherwise: str = "") -> FieldProblem:
    """The sentences for one field."""
    zh, en = SENTENCES.get(kind, (f"内容不符合要求：{otherwise}", otherwise))
    values = {name: str(value).replace(" or ", ", ") for name, value in context.items()}
    known = kind in SENTENCES
    return FieldProblem(
        field=field, zh=zh.format_map(values) if known else zh, en=en.format_map(values) if known else en
    )


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is list or any(_is_list(one) for one in get_args(annotation))
