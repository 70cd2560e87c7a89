"""The OpenAPI 3.1 document, written from the endpoints themselves."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from . import examples, schemas
from .problems import MEDIA_TYPE, TITLES
from .routes import Endpoint, Routes

TAGS = {
    "deployments": "流程包的部署。Bundles of diagrams, tables, forms and templates in service.",
    "process-definitions": "流程定义。The processes of the deployments.",
    "process-instances": "流程实例，即案卷。Runs of processes: cases.",
    "tasks": "人工任务。What people have to do.",
    "messages": "消息。What programs tell cases that wait.",
    "incidents": "异常。What cannot go on by itself.",
    "repairs": "修复。What an administrator does to a case: looked at first, then done, undone.",
    "batches": "批次。One repair for many cases.",
    "tokens": "访问令牌。Personal tokens that open this interface.",
    "about": "接口说明。This document.",
    "bases": "基地名录。The register of bases.",
}

PROBLEMS: dict[int, tuple[str, str, str, str, dict[str, Any]]] = {
    400: ("BadRequest", "bad_json", "请求体不是有效的 JSON。", "The body is not valid JSON.", {}),
    401: ("Unauthorized", "not_signed_in", "请在 Authorization 头中提供访问令牌。", "Send a bearer token.", {}),
    403: ("Forbidden", "forbidden", "您没有权限执行此操作。", "You are not allowed to do this.", {}),
    404: ("NotFound", "not_found", "不存在，或者您无权查看。", "There is no such thing, or you may not see it.", {}),
    409: (
        "Conflict",
        "task_over",
        "此任务已由李明于 2026-03-02 09:00 办结。",
        "This task is no longer open: 李明 completed it at 2026-03-02 09:00.",
        {"who": "李明", "when": examples.MOMENT},
    ),
    412: (
        "PreconditionFailed",
        "stale",
        "您依据的是第 3 版，现在已是第 4 版。",
        "You worked from version 3; it is now version 4.",
        {"given": 3, "current": 4},
    ),
    413: ("ContentTooLarge", "too_large", "提交的内容过大。", "What was sent is too large.", {}),
    415: ("UnsupportedMediaType", "unsupported_media", "不接受这种类型的内容。", "This type is not accepted.", {}),
    422: (
        "UnprocessableContent",
        "invalid_fields",
        "部分字段需要修改。",
        "Some fields cannot be accepted as they are.",
        {"errors": [{"field": "colour", "zh": "没有这个字段。", "en": "There is no such field."}]},
    ),
    429: (
        "TooManyRequests",
        "too_many_attempts",
        "密码错误次数过多，请在 2026-03-02 09:00 之后重试。",
        "Too many wrong passwords; try again after 2026-03-02 09:00.",
        {"when": examples.MOMENT},
    ),
    503: ("ServiceUnavailable", "busy", "数据库繁忙，请稍后重试。", "The database is busy; try again.", {}),
}

PLACES = {
    "deployment_id": "The number of a deployment.",
    "definition_id": "The number of one version of a process.",
    "process_id": "The id of a process in its diagram.",
    "instance_id": "The number of a case.",
    "task_id": "The number of a task.",
    "incident_id": "The number of an incident.",
    "token_id": "The number of a token.",
    "base_id": "The number of a base's row.",
    "repair_id": "The number of a repair.",
    "batch_id": "The number of a batch.",
}

HEADERS: dict[str, dict[str, Any]] = {
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the task as read. If it has changed since, 412 comes back and nothing is done.",
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*")$'},
        "example": '"3-1c291ca3"',
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Your own name for this request. Sent again with the same content it counts once.",
        "schema": {"type": "string", "pattern": '^(?:"[A-Za-z0-9._:-]{1,200}"|[A-Za-z0-9._:-]{1,200})$'},
        "example": "letter-4711",
    },
}


def document(api: Routes, version: str) -> dict[str, Any]:
    """The whole document, ready for JSON."""
    inputs, outputs = _models(api.endpoints)
    names, definitions = models_json_schema(
        [(model, "validation") for model in inputs] + [(model, "serialization") for model in outputs],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in api.endpoints:
        operation = _operation(endpoint, names)
        paths.setdefault(api.prefix + endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Guohe 国合基地平台 API",
            "version": version,
            "summary": "国家国际科技合作基地的认定与年度考核流程。",
            "description": _description(),
        },
        "servers": [{"url": "/", "description": "This server."}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal token. Scope `read` reads; `write` does everything its owner may do.",
                },
                "password": {"type": "http", "scheme": "basic", "description": "Only to make a token."},
            },
            "parameters": HEADERS,
            "headers": {
                "ETag": {
                    "description": "Changes with the task; send it back as If-Match.",
                    "schema": {"type": "string"},
                    "example": '"3-1c291ca3"',
                },
                "Challenge": {
                    "description": "How to sign in.",
                    "schema": {"type": "string"},
                    "example": 'Bearer realm="guohe"',
                },
                "RetryAfter": {"description": "Seconds.", "schema": {"type": "string"}, "example": "1"},
            },
            "responses": {PROBLEMS[status][0]: _problem(status) for status in PROBLEMS},
            "schemas": definitions["$defs"],
        },
    }


def _description() -> str:
    kinds = "\n".join(f"| `{code}` | {zh} | {en} |" for code, (zh, en) in TITLES.items())
    return (
        "流程平台的 JSON 接口。错误一律为 RFC 9457 问题文档，`title`、`detail` 随 Accept-Language 为中文或英文，"
        "`errors` 逐字段给出中英文说明。\n\n"
        "Every error is an RFC 9457 problem document; `title` and `detail` follow Accept-Language. Lists carry "
        "`items`, `total` and `next`; send `next` back as `after`. Moments are ISO 8601 with their offset. "
        f"Cookies open nothing here.\n\n| code | 标题 | title |\n|--|--|--|\n{kinds}\n"
    )


def _models(endpoints: Iterable[Endpoint]) -> tuple[list[type[BaseModel]], list[type[BaseModel]]]:
    inputs: dict[type[BaseModel], None] = {}
    outputs: dict[type[BaseModel], None] = {schemas.Problem: None}
    for endpoint in endpoints:
        for model in (endpoint.body, endpoint.multipart):
            if model is not None:
                inputs[model] = None
        if endpoint.answer not in (Response, type(None)):
            outputs[endpoint.answer] = None
    return list(inputs), list(outputs)


def _operation(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    summary, _, rest = (endpoint.view.__doc__ or "").strip().partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.zh,
        "description": " ".join(summary.split()) + ("\n\n" + " ".join(rest.split()) if rest else ""),
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, names),
    }
    if not operation["parameters"]:
        del operation["parameters"]
    if endpoint.body is not None:
        operation["requestBody"] = _body(endpoint.body, names)
    if endpoint.multipart is not None:
        content = {"schema": names[endpoint.multipart, "validation"]}
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": content}}
    if endpoint.security != "bearer":
        operation["security"] = [{"password": []}] if endpoint.security == "password" else []
    return operation


def _body(model: type[BaseModel], names: Any) -> dict[str, Any]:
    required = any(field.is_required() for field in model.model_fields.values())
    return {
        "required": required,
        "content": {
            "application/json": {
                "schema": names[model, "validation"],
                "examples": {"example": {"value": examples.of(model)}},
            }
        },
    }


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, kind in endpoint.places.items():
        integer = {"type": "integer", "format": "int64", "minimum": 1, "maximum": schemas.LARGEST_ID}
        word = {"type": "string", "minLength": 1, "maxLength": schemas.LONGEST_CODE}
        found.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": PLACES[name],
                "schema": integer if kind is int else word,
                "example": 7 if kind is int else "demonstration_base",
            }
        )
    if endpoint.query is not None:
        found += _query(endpoint.query)
    if endpoint.if_match and endpoint.method != "GET":
        found.append({"$ref": "#/components/parameters/IfMatch"})
    if endpoint.key:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(mode="validation")
    found = []
    for name, described in schema["properties"].items():
        one = _without_null(described)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", [])}
        if text := one.pop("description", None):
            parameter["description"] = text
        one.pop("title", None)
        if one.get("default", ...) is None:
            del one["default"]
        found.append({**parameter, "schema": one})
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """An address cannot say null; a parameter is there or not."""
    schema = copy.deepcopy(schema)
    choices = [one for one in schema.pop("anyOf", []) if one.get("type") != "null"]
    return {**(choices[0] if choices else {}), **schema}


def _responses(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    descriptions = {endpoint.status: "Created." if endpoint.status == 201 else "Done.", **endpoint.also}
    for status, description in sorted(descriptions.items()):
        found[str(status)] = {"description": description}
        if endpoint.answer is not type(None):
            found[str(status)]["content"] = _content(endpoint, names)
        headers: dict[str, Any] = {}
        if endpoint.if_match:
            headers["ETag"] = {"$ref": "#/components/headers/ETag"}
        if status == 201:
            for name, text in endpoint.headers.items():
                headers[name] = {"description": text, "schema": {"type": "string", "format": "uri-reference"}}
        if headers:
            found[str(status)]["headers"] = headers
    if endpoint.if_match and endpoint.method == "GET":
        found["304"] = {"description": "What you have (If-None-Match) is current."}
    for status in _statuses(endpoint):
        found[str(status)] = {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}
    return found


def _content(endpoint: Endpoint, names: Any) -> dict[str, Any]:
    if endpoint.answer is Response:
        text = {"type": "string"} if endpoint.media != "application/json" else {"type": "object"}
        return {endpoint.media: {"schema": text}}
    return {
        endpoint.media: {
            "schema": names[endpoint.answer, "serialization"],
            "examples": {"example": {"value": examples.of(endpoint.answer)}},
        }
    }


def _statuses(endpoint: Endpoint) -> list[int]:
    """What may go wrong follows from what the endpoint takes."""
    statuses = {422, 503, *endpoint.problems}
    if endpoint.security == "bearer":
        statuses |= {401, 403}
    if endpoint.security == "password":
        statuses |= {401, 429}
    if endpoint.places:
        statuses.add(404)
    if endpoint.body is not None or endpoint.multipart is not None:
        statuses |= {400, 413, 415}
    if endpoint.if_match and endpoint.method != "GET":
        statuses |= {400, 412}
    return sorted(statuses)


def _problem(status: int) -> dict[str, Any]:
    _name, code, zh, en, more = PROBLEMS[status]
    example = {
        "type": f"urn:guohe:problem:{code}",
        "title": TITLES[code][0],
        "status": status,
        "detail": zh,
        "instance": "/api/v1/tasks/7/complete",
        "code": code,
        "zh": zh,
        "en": en,
        **more,
    }
    found: dict[str, Any] = {
        "description": f"{TITLES[code][0]} / {TITLES[code][1]}",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {"example": {"value": example}},
            }
        },
    }
    if status == 401:
        found["headers"] = {"WWW-Authenticate": {"$ref": "#/components/headers/Challenge"}}
    if status in (429, 503):
        found["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return found
