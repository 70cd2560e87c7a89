"""Check and clean what somebody fills into a form, with the same verdict as the browser.

A form is a form-js schema. The check runs form-js's own code in V8 (``service/engine/js/forms.ts``): conditions,
defaults, expression fields, dynamic lists, option lists and every constraint. What a browser cannot send is refused on
top: a value of the wrong type, an option that isn't offered, an item added to a fixed list. Whatever the form doesn't
own, hides, disables or makes read-only keeps the case's own value, whatever was sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from service import clock
from service.engine import isolate
from service.errors import ServiceError

SCRIPT = "forms"
SECONDS = 2.0


class FormError(ServiceError):
    """The form cannot be evaluated."""

    zh_default = "表单无法处理。"
    status = 422
    code = "form"


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as filled in: the sentences by field path (``budget.total``, ``partners[0].name``), the values to keep."""

    problems: dict[str, list[str]]
    values: dict[str, Any]


def fill(
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    *,
    locale: str = "zh",
    now: datetime | None = None,
) -> Filled:
    """Fill in a form: what is wrong with the values, and the values as the browser would send them.

    ``context`` holds the variables the form may read; conditions and option lists depend on them.
    """
    text = orjson.dumps(schema).decode()
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    question = {
        "schema": key,
        "values": values,
        "context": context or {},
        "now": (now or clock.now()).timestamp() * 1000,
        "locale": locale,
    }
    try:
        answer = isolate.call(
            SCRIPT, "fill", question, needs=[isolate.Kept("schema", key, text)], seconds=SECONDS
        )  # fmt: skip
    except isolate.OutOfTime as error:
        raise FormError("表单内容过于复杂，处理超时。", "The form took too long to evaluate.") from error
    except isolate.OutOfMemory as error:
        raise FormError("表单内容过大。", "The form's content is too large.", status=413) from error
    except (isolate.ScriptError, TypeError, ValueError) as error:
        raise FormError("表单无法处理，请联系管理员。", f"The form cannot be evaluated: {error}") from error
    return Filled(answer["problems"], answer["data"])


def check(
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    *,
    locale: str = "zh",
    now: datetime | None = None,
) -> dict[str, list[str]]:
    """The sentences the browser would show, by field path; empty where everything is right."""
    return fill(schema, values, context, locale=locale, now=now).problems


def clean(
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Only what the form owns and shows, with defaults and computed values."""
    return fill(schema, values, context, now=now).values


def keys(schema: Mapping[str, Any]) -> list[str]:
    """The variables a form writes, in the order of its fields."""
    return list(dict.fromkeys(_names(schema)))


def without_files(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The form without its fields for files, for people who cannot put any up."""
    return {
        **schema,
        "components": [
            without_files(field) if "components" in field else field
            for field in schema.get("components") or []
            if field.get("type") != "attachments"
        ],
    }


def _names(component: Mapping[str, Any]) -> Iterator[str]:
    for field in component.get("components") or []:
        binding = field.get("key") or field.get("path")
        if binding:
            yield str(binding).split(".")[0]
        else:
            yield from _names(field)


def labels(component: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """What people call the fields of a form, by their paths, and their options, by ``path=value``; the rows of a list
    share theirs."""
    found: dict[str, str] = {}
    for child in component.get("components", ()):
        key = child.get("key") or child.get("path") or ""
        path = f"{before}{key}"
        label = child.get("label") or child.get("dateLabel")
        if key and label:
            found[path] = str(label)
        # What is chosen has a name of its own: it stands behind its value.
        for option in child.get("values") or ():
            if key and isinstance(option, Mapping) and isinstance(option.get("value"), str):
                found[f"{path}={option['value']}"] = str(option.get("label") or option["value"])
        found |= labels(child, f"{path}." if key else before)
    return found


class Asked(NamedTuple):
    """A field that somebody fills in: where its value goes, what it is called, its kind, and what can be chosen."""

    path: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...]


def asked(component: Mapping[str, Any], before: str = "") -> list[Asked]:
    """The fields of a form that have one value each; rows of a list have none of their own."""
    found: list[Asked] = []
    for child in component.get("components", ()):
        if not isinstance(child, Mapping) or child.get("type") == "dynamiclist":
            continue
        key = child.get("key") or child.get("path") or ""
        label = child.get("label") or child.get("dateLabel")
        if child.get("components"):
            found += asked(child, f"{before}{key}." if key else before)
        elif key and label and not (child.get("disabled") or child.get("readonly") is True):
            options = [one for one in child.get("values") or () if isinstance(one, Mapping) and "value" in one]
            chosen = tuple((str(one["value"]), str(one.get("label") or one["value"])) for one in options)
            found.append(Asked(f"{before}{key}", str(label), str(child.get("type", "")), chosen))
    return found
