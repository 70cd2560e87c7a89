"""Two people, or one at two desks, changed the same values: put both changes together, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Merged:
    """Both changes together; ``conflicts`` are the paths that both changed differently, where mine stands."""

    values: dict[str, Any]
    conflicts: list[str] = field(default_factory=list)


def merge(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Merged:
    """Lay my changes since ``base`` over theirs. A list counts as one value: rows have no names to be told apart by."""
    conflicts: list[str] = []
    return Merged(_merge(base, mine, theirs, "", conflicts), conflicts)


def _merge(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any], place: str, conflicts: list[str]
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in dict.fromkeys([*theirs, *mine]):
        path = f"{place}.{name}" if place else name
        was, here, there = base.get(name), mine.get(name), theirs.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            inner = was if isinstance(was, Mapping) else {}
            merged[name] = _merge(inner, here, there, path, conflicts)
            continue
        changed_here, changed_there = not _same(was, here), not _same(was, there)
        if changed_here and changed_there and not _same(here, there):
            conflicts.append(path)
        if name not in mine and not changed_there:
            continue
        merged[name] = here if changed_here or not changed_there else there
    return merged


def _same(one: Any, other: Any) -> bool:
    """Empty is empty, in whatever way a form says so."""
    return one == other or (_is_empty(one) and _is_empty(other))


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [])
