"""What a form gives to the case, field by field, and what it reads of the case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import formcheck
from ..shapes import Shape, put, seal
from ..texts import Read, Text, learn, parse

TYPES = {
    "number": "number",
    "checkbox": "boolean",
    "checklist": "list",
    "taglist": "list",
    "attachments": "list",
    "filepicker": "list",
}
LOCAL = {"this", "parent", "i", "_this_", "_parent_", "_i_"}
TEMPLATED = ("text", "content", "label", "description", "source", "url", "title", "alt")
TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A field somebody fills in: its component, what it is called, and where its value goes."""

    component: str
    label: str
    path: tuple[str, ...]


@dataclass(slots=True)
class Form:
    """What a form writes – shapes by variable and the fields one by one – and what it reads, component by component."""

    writes: dict[str, Shape] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    reads: list[tuple[str, Read]] = field(default_factory=list)


def texts(schema: Mapping[str, Any]) -> list[Text]:
    """Every FEEL text of a form."""
    return [text for _, text in _texts(schema)]


def read(schema: Mapping[str, Any]) -> Form:
    """What a form writes and reads."""
    found = Form()
    nested: dict[str, Any] = {}
    own: set[str] = set()
    _walk(schema, (), found, nested, own)
    found.writes = seal(nested)
    learn(texts(schema))
    for component, (kind, text) in _texts(schema):
        for one in parse(text, kind).reads:
            if one.name not in LOCAL and one.name not in own:
                found.reads.append((component, one))
    for each in _components(schema):
        key = each.get("valuesKey")
        if isinstance(key, str) and key:
            found.reads.append((str(each.get("id", "")), Read(tuple(key.split(".")))))
    return found


def _walk(
    container: Mapping[str, Any], prefix: tuple[str, ...], found: Form, nested: dict[str, Any], own: set[str]
) -> None:
    for component in container.get("components") or ():
        if not isinstance(component, Mapping):
            continue
        kind = str(component.get("type", ""))
        path = component.get("path")
        here = (*prefix, *str(path).split(".")) if isinstance(path, str) and path else prefix
        if kind == "dynamiclist":
            if component.get("disabled"):
                found.reads.append((str(component.get("id", "")), Read(here or ("",))))
                continue
            own.update(here[:1])
            items: dict[str, Any] = {}
            inner = Form()
            _walk(component, (), inner, items, set())
            if here:
                put(nested, list(here), Shape("list", seal(items)))
                found.fields += [Field(one.component, one.label, (*here, *one.path)) for one in inner.fields]
            continue
        if component.get("components"):
            _walk(component, here, found, nested, own)
        key = component.get("key")
        if not isinstance(key, str) or not key or component.get("components"):
            continue
        full = (*prefix, *key.split("."))
        if component.get("disabled") or component.get("readonly") is True:
            # It shows what the case holds.
            found.reads.append((str(component.get("id", "")), Read(full)))
            continue
        own.update(full[:1])
        put(nested, list(full), Shape(TYPES.get(kind, "any" if kind == "expression" else "string")))
        if kind != "expression":
            label = str(component.get("label") or component.get("dateLabel") or key)
            found.fields.append(Field(str(component.get("id", "")), label, full))


def _components(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in container.get("components") or ():
        if isinstance(component, Mapping):
            yield component
            yield from _components(component)


def _texts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    for component in _components(schema):
        component_id = str(component.get("id", ""))
        for kind, paths in (("test", formcheck.TESTS), ("expression", formcheck.EXPRESSIONS)):
            for path in paths:
                value = formcheck.value_at(component, path)
                if isinstance(value, str) and value.startswith("="):
                    yield component_id, (kind, value[1:].strip())
        for name in TEMPLATED:
            value = component.get(name)
            if isinstance(value, str) and "{{" in value:
                yield from ((component_id, ("expression", text)) for text in _templated(value))


def _templated(text: str) -> Iterator[str]:
    """The expressions of a text with ``{{ }}``, save those inside a loop, whose names may be members of its items."""
    depth = 0
    for match in TAG.finditer(text):
        inner = match[1].strip()
        if inner.startswith("/"):
            depth -= inner.startswith("/loop")
        elif inner.startswith("#loop"):
            if not depth:
                yield inner.removeprefix("#loop").strip()
            depth += 1
        elif not depth:
            yield inner.removeprefix("#if").strip()
