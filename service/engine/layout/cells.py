"""Nodes and flows as the placing sees them: items in columns and rows, and links between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Item:
    """A node on the grid. ``band`` is its lane, ``row`` counts inside it, ``span`` is how many columns it takes."""

    id: str
    band: int
    span: int = 1
    column: int = 0
    row: int = 0
    artifact: bool = False
    gateway: bool = False
    start: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A flow between items; ``hanging`` flows leave from a boundary event, on the lower edge."""

    source: str
    target: str
    hanging: bool = False
    weak: bool = False


@dataclass(slots=True)
class Placement:
    items: dict[str, Item]
    links: Sequence[Link]
    back: set[int] = field(default_factory=set)
    main: set[int] = field(default_factory=set)


def topological(nodes: list[str], forward: dict[str, list[tuple[int, str]]], back: set[int]) -> list[str]:
    waiting: dict[str, int] = defaultdict(int)
    for node in nodes:
        for number, target in forward[node]:
            waiting[target] += number not in back
    ready = [node for node in nodes if not waiting[node]]
    done = []
    while ready:
        node = ready.pop(0)
        done.append(node)
        for number, target in forward[node]:
            if number not in back:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    return done
