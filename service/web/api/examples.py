"""An example of every document, made up from the names and types of its fields. Tests hold them to the models."""

from __future__ import annotations

from datetime import date, datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

MOMENT = "2026-03-02T09:00:00.000+08:00"

SAMPLES: dict[str, Any] = {
    "active": 12,
    "applicant": "示例大学",
    "assignee": "李明",
    "assignee_id": 12,
    "capped": False,
    "candidates": [{"user": None, "organisation": "国际合作司", "role_zh": "受理", "role_en": "Intake"}],
    "cause": "expression",
    "code": "sample-university",
    "completed_by": None,
    "data": {},
    "definition_version": 3,
    "details": "",
    "documentation": "按办法第七条核对申报材料。",
    "draft": None,
    "element_id": "Check",
    "element_name": "受理审查",
    "end_event": None,
    "ended_at": None,
    "ended_on": None,
    "fields": ["health"],
    "file": None,
    "form": {"id": "check", "type": "default", "components": []},
    "form_id": "check",
    "given": 3,
    "grade": "good",
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "host": "示例大学",
    "incidents": 0,
    "instance_number": "DB-2026-0001",
    "instance_title": "示例大学申报示范型国际科技合作基地",
    "key": "DB-2026-0001",
    "kind": "completed",
    "message_en": "No flow of the gateway holds.",
    "message_id": "letter-4711",
    "message_name": None,
    "message_zh": "网关没有成立的出口。",
    "name": "受理审查",
    "next": "MWYyZTpXemd3WFE",
    "number": "DB-2026-0001",
    "office": "国际合作司",
    "organisation": "sample-university",
    "organisations": ["sample-university"],
    "parent_instance_id": None,
    "party": "applicant",
    "priority": 50,
    "process_id": "demonstration_base",
    "process_name": "示范型国际科技合作基地认定",
    "properties": {"source": "text:art.7"},
    "reason": "齐全",
    "region": "北京",
    "resolved_at": None,
    "resolved_by": None,
    "role": "coop.intake",
    "rule_set": "2011",
    "starters": ["applicant.drafter"],
    "submitted": None,
    "summary": "",
    "timer": None,
    "title": "示例大学申报示范型国际科技合作基地",
    "total": 1,
    "type": "DB",
    "type_name": "示范型国际科技合作基地",
    "user": "李明",
    "variables": {"name": "示例基地", "score": 86},
    "version": 3,
    "version_tag": None,
    "when": MOMENT,
    "who": "李明",
    "year": 2026,
}


def of(model: type[BaseModel]) -> dict[str, Any]:
    """The example a model gives itself, or one made up."""
    extra = model.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and isinstance(extra.get("examples"), list):
        return dict(extra["examples"][0])  # type: ignore[arg-type,index]
    return {name: _value(name, field.annotation) for name, field in model.model_fields.items()}


def _value(name: str, annotation: Any) -> Any:
    if name in SAMPLES and _fits(annotation, SAMPLES[name]):
        return SAMPLES[name]
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kind = kinds[0]
    origin = get_origin(kind)
    if origin is list:
        return [_value("", get_args(kind)[0])]
    if origin is Literal:
        return get_args(kind)[0]
    if origin is dict:
        return {}
    if hasattr(kind, "__metadata__"):
        return _value(name, kind.__origin__)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return of(kind)
    return {int: 7, bool: True, str: "…", datetime: MOMENT, date: "2026-03-02"}.get(kind)


def _fits(annotation: Any, value: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValueError:
        return False
    return True
