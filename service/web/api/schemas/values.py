"""What documents are made of: texts, numbers, moments and values as the API takes and gives them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

CHINA = ZoneInfo("Asia/Shanghai")
LARGEST_ID = 2**63 - 1
LARGEST_NUMBER = 2**53 - 1
"""Beyond this, JSON numbers lose digits on their way."""
DEEPEST = 32

LONGEST_CODE = 200
"""How long the id of a process may be in an address."""

PROBLEM_EXTRAS = ("who", "when", "given", "current")
"""What an error knows beyond its sentences and may tell."""

Item = TypeVar("Item")


def in_china(moment: datetime) -> str:
    """ISO 8601 with the offset of Beijing."""
    return moment.astimezone(CHINA).isoformat(timespec="milliseconds")


Moment = Annotated[
    datetime,
    PlainSerializer(in_china, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T09:00:00.000+08:00"]}),
]


def printable(text: str) -> str:
    """Refuse text that no database keeps."""
    if "\x00" in text:
        raise PydanticCustomError("characters", "It contains characters that cannot be kept.")
    return text


def _plain(variables: dict[str, Any]) -> dict[str, Any]:
    """Refuse what no database or browser would give back as it was sent."""
    for name, value in variables.items():
        _refuse_odd(name, 1)
        _refuse_odd(value, 1)
    return variables


def _refuse_odd(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise PydanticCustomError("depth", "It is nested too deeply.")
    match value:
        case str():
            printable(value)
        case bool() | None:
            pass
        case int() | float() if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
            raise PydanticCustomError("number", "The number is too large to be kept exactly; send it as text.")
        case list():
            for one in value:
                _refuse_odd(one, depth + 1)
        case dict():
            for name, one in value.items():
                printable(name)
                _refuse_odd(one, depth + 1)


Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(printable)]
"""A name or a few words."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]
LongText = Annotated[str, StringConstraints(max_length=2000), AfterValidator(printable)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Variables = Annotated[
    dict[str, Any],
    AfterValidator(_plain),
    WithJsonSchema({"type": "object", "additionalProperties": True, "description": "Name → any JSON value."}),
]
"""Values by name, as they stand in a form."""


class Document(BaseModel):
    """Part of a request or an answer. Takes no field it does not know and converts nothing silently."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="null")


class Nothing(Document):
    """No fields: the address says it all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class Page(Document, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(ge=0, description="How many there are in all; where `capped`, at least so many.")
    capped: bool = Field(default=False, description="Counting stopped at `total`; there are more.")
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one.")


_RENAMED = {"instance_number": "number", "instance_title": "title"}


def line_of(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """The fields of a document that stand in a row of a list of tasks or incidents under these names."""
    return {name: getattr(row, _RENAMED.get(name, name)) for name in names}
