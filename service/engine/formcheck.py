"""What is wrong with a form before it is deployed: its structure as form-js reads it, and the FEEL of its fields."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from . import feel, isolate

SCRIPT = "forms"
# Where form-js evaluates FEEL after `=`. A condition is a unary test: there a bare missing variable is true.
TESTS = ("conditional.hide", "readonly")
EXPRESSIONS = (
    "validate.min",
    "validate.max",
    "validate.minLength",
    "validate.maxLength",
    "valuesExpression",
    "expression",
    "dataSource",
    "columnsExpression",
    "label",
    "description",
    "text",
    "content",
    "source",
    "url",
    "title",
    "alt",
    "properties.prefill",
)

Problem = tuple[str, str, str, str]
"""Component id, rule, Chinese and English sentence."""


def check(schema: Mapping[str, Any]) -> list[Problem]:
    """Unknown components, ids and keys used twice, FEEL that isn't, patterns that aren't."""
    return [*_structure(schema), *_expressions(schema), *_patterns(schema)]


def _structure(schema: Mapping[str, Any]) -> Iterator[Problem]:
    text = orjson.dumps(schema).decode()
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    needs = [isolate.Kept("schema", key, text)]
    try:
        found = isolate.call(SCRIPT, "inspect", {"schema": key}, needs=needs, seconds=isolate.MOST_SECONDS)
    except isolate.ScriptError as error:
        found = [{"id": schema.get("id"), "zh": str(error), "en": str(error)}]
    for problem in found:
        yield (
            str(problem["id"] or ""),
            "form-structure",
            f"表单无法打开：{problem['zh']}。",
            f"The form cannot be opened: {problem['en']}.",
        )


def _expressions(schema: Mapping[str, Any]) -> Iterator[Problem]:
    asked = [
        (component, path, kind, value[1:].strip())
        for component in _components(schema)
        for kind, paths in (("test", TESTS), ("expression", EXPRESSIONS))
        for path in paths
        if isinstance(value := value_at(component, path), str) and value.startswith("=")
    ]
    errors = feel.check_many([(kind, text) for _, _, kind, text in asked])
    for (component, path, _, _), error in zip(asked, errors, strict=True):
        if error:
            name = component.get("label") or component.get("key") or component.get("id", "")
            yield (
                str(component.get("id", "")),
                "form-feel",
                f"“{name}”的 {path}：{error.zh}",
                f"{path} of “{name}”: {error.en}",
            )


def _patterns(schema: Mapping[str, Any]) -> Iterator[Problem]:
    for component in _components(schema):
        pattern = value_at(component, "validate.pattern")
        try:
            re.compile(str(pattern or ""))
        except re.error as error:
            yield (
                str(component.get("id", "")),
                "form-pattern",
                f"校验格式“{pattern}”不是正确的正则表达式：{error}。",
                f"The pattern “{pattern}” is not a regular expression: {error}.",
            )


def _components(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in container.get("components") or []:
        if isinstance(component, Mapping):
            yield component
            yield from _components(component)


def value_at(component: Mapping[str, Any], path: str) -> Any:
    """What lies at a dotted path of a component; None where nothing does."""
    value: Any = component
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
