"""What tables and conditions read, and the values they read: recorded with a decision, so that it can be made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from .decisions import Decision
from .dmn import bound, cells
from .texts import Read, Text, learn, parse

LARGEST = 4096
"""A value of more bytes is not recorded beside a decision; the history of the variables has it."""


def decision_texts(nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[Text]:
    """Every FEEL text of a DMN file."""
    for node in nodes.values():
        for _, kind, text in cells(node["logic"]):
            yield kind, text


def decision_reads(nodes: Mapping[str, Mapping[str, Any]], decision_id: str) -> list[Read]:
    """What a decision reads of the case, with all that it requires."""
    learn(decision_texts(nodes))
    found: dict[tuple[str, ...], Read] = {}
    queue, seen = [decision_id], set()
    while queue:
        current = queue.pop()
        if current in seen or current not in nodes:
            continue
        seen.add(current)
        node = nodes[current]
        queue += node["requires"]
        own = set(bound(node["logic"]))
        own |= {name for required in node["requires"] if required in nodes for name in nodes[required]["names"]}
        for _, kind, text in cells(node["logic"]):
            for read in parse(text, kind).reads:
                if read.name not in own:
                    found.setdefault(read.path, read)
    return list(found.values())


def of_decision(decision: Decision, visible: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a decision reads, at their paths."""
    return values(_paths_of(decision), visible)


@lru_cache(512)
def _paths_of(decision: Decision) -> tuple[tuple[str, ...], ...]:
    return tuple(read.path for read in decision_reads(decision.model.nodes, decision.id))


def of_conditions(conditions: Iterable[str], visible: Mapping[str, Any]) -> dict[str, Any]:
    """The values that conditions read, at their paths."""
    return values(_paths(tuple(conditions)), visible)


@lru_cache(4096)
def _paths(conditions: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple({read.path for text in conditions for read in parse(text).reads})


def values(paths: Iterable[tuple[str, ...]], visible: Mapping[str, Any]) -> dict[str, Any]:
    """What lies at the paths, as nested contexts with nothing else in them. A path that ends early ends there."""
    found: dict[str, Any] = {}
    # Short paths first: what a whole holds needs no part of it again.
    for path in sorted(set(paths), key=lambda one: (len(one), one)):
        if path[0] not in visible:
            continue
        here: Any = visible[path[0]]
        depth = 1
        while depth < len(path) and isinstance(here, Mapping):
            here = here.get(path[depth])
            depth += 1
        if len(orjson.dumps(here, default=str, option=orjson.OPT_NON_STR_KEYS)) <= LARGEST:
            _put(found, path[:depth], here)
    return found


def _put(into: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    name, *rest = path
    if not rest:
        into.setdefault(name, value)
        return
    inner = into.setdefault(name, {})
    if isinstance(inner, dict):
        _put(inner, tuple(rest), value)
