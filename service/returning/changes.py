"""What was changed between two submissions of a form, old beside new, in the words of the form."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fields import LISTS, FormField, fields, label

_WORDS = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
MOST_COMPARED = 250_000
"""Pairs of words worth comparing one by one; a text rewritten from end to end is shown as such."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a value, and whether the other side has it too."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A field with another value than before. Nothing in ``before`` or ``after``: it was, or is, empty."""

    path: str
    label: str
    section: str
    before: tuple[Part, ...]
    after: tuple[Part, ...]


def changes(schema: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The fields whose values differ, in the order of the form."""
    return list(_changes(fields(schema), old, new))


def _changes(known: Sequence[FormField], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for one in known:
        before, after = _get(old, one.path), _get(new, one.path)
        if _same(before, after):
            continue
        parts = _lines if isinstance(before or after, list) else _text
        left, right = parts(in_words(one.component, before), in_words(one.component, after))
        yield Change(one.path, one.label, one.section, tuple(left), tuple(right))


def _get(values: Any, path: str) -> Any:
    for part in path.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _same(before: Any, after: Any) -> bool:
    """Empty is empty, in whatever way a form says so."""
    return before == after or (_is_empty(before) and _is_empty(after))


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value is False


def in_words(component: Mapping[str, Any], value: Any) -> list[str]:
    """A value as the form shows it, one line for each item."""
    if _is_empty(value) and value is not False:
        return []
    if component.get("type") in LISTS and isinstance(value, list):
        return [_row(component, item) for item in value]
    if isinstance(value, list):
        return [_one(component, item) for item in value]
    return [_one(component, value)]


def _row(component: Mapping[str, Any], item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    cells = []
    for column in fields(component):
        said = in_words(column.component, _get(item, column.path))
        if said:
            cells.append(f"{label(column.component)}：{'、'.join(said)}")
    return "；".join(cells)


def _one(component: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name") or value)
    for option in component.get("values") or []:
        if isinstance(option, Mapping) and option.get("value") == value:
            return str(option.get("label") or value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)


def _lines(before: Sequence[str], after: Sequence[str]) -> tuple[list[Part], list[Part]]:
    """Items, each on a line of its own: those that the other side does not have are marked."""
    return (
        [Part(f"{one}\n", one not in after) for one in before],
        [Part(f"{one}\n", one not in before) for one in after],
    )


def _text(before: Sequence[str], after: Sequence[str]) -> tuple[list[Part], list[Part]]:
    """A text: the stretches that differ are marked."""
    if not before or not after:
        return [Part(one, True) for one in before], [Part(one, True) for one in after]
    old, new = _WORDS.findall(before[0]), _WORDS.findall(after[0])
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    pairs = len(left) * len(right)
    blocks = (
        difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
        if 0 < pairs <= MOST_COMPARED
        else [("replace", 0, len(left), 0, len(right))]
    )
    head, tail = "".join(old[:start]), "".join(old[len(old) - end :])
    return (
        _joined(
            [(head, False), *(("".join(left[a:b]), kind != "equal") for kind, a, b, _, _ in blocks), (tail, False)]
        ),
        _joined(
            [(head, False), *(("".join(right[a:b]), kind != "equal") for kind, _, _, a, b in blocks), (tail, False)]
        ),
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _joined(parts: Sequence[tuple[str, bool]]) -> list[Part]:
    return [Part(text, changed) for text, changed in parts if text]
