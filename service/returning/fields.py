"""The fields of a form as people name them: one for each place that can be filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LISTS = frozenset({"dynamiclist"})
"""Components with items: one field, whatever stands in its rows."""
COMPUTED = frozenset({"expression"})
"""Components that write a value nobody types."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A place to fill in: its path (``application.goals``), what it is called, the group it stands in."""

    path: str
    label: str
    section: str
    component: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody wants changed at a field."""

    path: str
    label: str
    text: str


def fields(schema: Mapping[str, Any]) -> list[FormField]:
    """Everything a person fills in, in the order of the form; what is only shown there is left out."""
    return list(_fields(schema, (), ""))


def _fields(container: Mapping[str, Any], place: tuple[str, ...], section: str) -> Iterator[FormField]:
    for component in container.get("components") or []:
        path = (*place, *binding(component))
        if is_field(component):
            if not is_shown_only(component):
                yield FormField(".".join(path), label(component), section, component)
        else:
            yield from _fields(component, path, label(component, "") or section)


def is_field(component: Mapping[str, Any]) -> bool:
    """Whether it is named as one: a field with a key, or a list with all its rows."""
    return bool(component.get("key")) or component.get("type") in LISTS


def is_shown_only(component: Mapping[str, Any]) -> bool:
    """Whether nobody can ever type there."""
    locked = component.get("disabled") is True or component.get("readonly") is True
    return locked or component.get("type") in COMPUTED


def binding(component: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts of where its value lies, seen from its container."""
    name = str(component.get("key") or component.get("path") or "")
    return tuple(part for part in name.split(".") if part)


def label(component: Mapping[str, Any], otherwise: str | None = None) -> str:
    """What the form calls it; where that is computed, the key."""
    for name in ("label", "dateLabel"):
        text = component.get(name)
        if isinstance(text, str) and text.strip() and not text.startswith("=") and "{{" not in text:
            return text.strip()
    return str(component.get("key") or component.get("path") or "") if otherwise is None else otherwise


def find(known: Iterable[FormField], name: str) -> FormField | None:
    """The field of this path; the first part may be missing, so that ``goals`` is ``application.goals``."""
    known = list(known)
    whole = next((one for one in known if one.path == name), None)
    return whole or next((one for one in known if one.path.partition(".")[2] == name), None)


def remarks(schema: Mapping[str, Any], named: object) -> list[Remark]:
    """Read ``[{field, problem}, …]``: one remark for each named field, in the order of the form.

    What names no field of this form is left out: the form may have changed since. Two remarks on one field follow
    each other in it.
    """
    known = fields(schema)
    said: dict[str, list[str]] = {}
    for one in named if isinstance(named, list) else []:
        if not isinstance(one, Mapping):
            continue
        found = find(known, str(one.get("field") or ""))
        if found is not None:
            said.setdefault(found.path, []).append(str(one.get("problem") or "").strip())
    return [
        Remark(one.path, one.label, "\n".join(text for text in said[one.path] if text))
        for one in known
        if one.path in said
    ]
