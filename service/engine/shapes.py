"""What a value looks like inside, as far as the diagram, the form or the table says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """``type`` is a FEEL type or ``any``; ``members`` is None where the inside is not known.

    The members of a list are those of its items: a path goes through a list as FEEL does.
    """

    type: str = "any"
    members: Mapping[str, Shape] | None = field(default=None, hash=False)

    def at(self, path: Iterable[str]) -> Shape | None:
        """What lies at a path inside; None where nothing does."""
        here = self
        for name in path:
            if here.members is None:
                return ANY
            inner = here.members.get(name)
            if inner is None:
                return None
            here = inner
        return here


ANY = Shape()


def union(shapes: Iterable[Shape]) -> Shape:
    """What a value may look like that comes from any of several places."""
    found: Shape | None = None
    for shape in shapes:
        found = shape if found is None else _both(found, shape)
    return found or ANY


def _both(one: Shape, other: Shape) -> Shape:
    type_ = one.type if one.type == other.type else "any"
    if one.members is None or other.members is None:
        return Shape(type_)
    names = {*one.members, *other.members}
    return Shape(
        type_,
        {
            name: _both(
                one.members.get(name, other.members.get(name, ANY)), other.members.get(name, one.members.get(name, ANY))
            )
            for name in names
        },
    )


def put(members: dict[str, Any], path: list[str], shape: Shape) -> None:
    """Lay a shape down at a path in nested dictionaries; ``seal`` makes shapes of them."""
    name, *rest = path
    if not rest:
        known = members.get(name)
        if not isinstance(known, dict):
            members[name] = shape
        return
    inner = members.get(name)
    if not isinstance(inner, dict):
        inner = members[name] = {}
    put(inner, rest, shape)


def seal(members: Mapping[str, Any]) -> dict[str, Shape]:
    """Shapes out of nested dictionaries."""
    return {
        name: Shape("context", seal(inner)) if isinstance(inner, dict) else inner for name, inner in members.items()
    }
