"""The variables known at one element, for the FEEL editor there."""

from __future__ import annotations

from typing import Any

from ..shapes import Shape
from .flow import Analysis, State
from .sources import Write

DEPTH = 3


def known_at(found: Analysis, element_id: str) -> list[dict[str, Any]]:
    """The variables that may have a value at an element – a node, a flow or a process – each with who writes it.

    Lists that only forms are given are left out: no expression of a diagram can read them.
    """
    state = _state(found, element_id)
    if state is None:
        return []
    return [
        {
            "name": name,
            "sure": name in state.must,
            **_shown(state.shape(name), DEPTH),
            "by": [_by(write) for write in sorted(writers, key=lambda one: (one.kind, one.label))],
        }
        for name, writers in sorted(state.may.items())
        if name not in found.sources.catalogue.form_given
    ]


def _state(found: Analysis, element_id: str) -> State | None:
    for process in found.sources.contents.processes.values():
        if process.id == element_id:
            return found.entry[process.id]
        for scope, node in process.walk():
            key = (process.id, node.id)
            if node.id == element_id:
                before, made = found.before[key], found.sources.inputs(process, node)
                after = found.after[key]
                inputs = {write.name: frozenset({write}) for write in made}
                own = {name: writers for name, writers in after.may.items() if name not in before.may}
                # An output mapping reads what the element itself gives.
                return State(before.must | frozenset(inputs), {**own, **before.may, **inputs})
            if element_id in node.outgoing and element_id in scope.flows:
                return found.after[key]
    return None


def _shown(shape: Shape, depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": shape.type}
    if shape.members and depth:
        shown["entries"] = [{"name": name, **_shown(one, depth - 1)} for name, one in sorted(shape.members.items())]
    return shown


def _by(write: Write) -> dict[str, Any]:
    return {"kind": write.kind, "file": write.file, "element": write.element_id, "zh": write.zh, "en": write.en}


def sample(found: Analysis, element_id: str, form_id: str) -> dict[str, Any]:
    """Data to open a form with as it is opened at a task: what it reads of the case, made up after its shape."""
    form, state = found.sources.form(form_id), _state(found, element_id)
    data: dict[str, Any] = {}
    if form is None or state is None:
        return data
    own = set(form.writes)
    # Whole variables first: what a shape fills in need not be made up part by part.
    for _, read in sorted(form.reads, key=lambda one: (len(one[1].path), one[1].path)):
        if read.sure and read.name not in own and read.name in state.may:
            _fill(data, read.path, state.shape(read.name))
    return data


def _fill(into: dict[str, Any], path: tuple[str, ...], shape: Shape) -> None:
    name, *rest = path
    if not rest:
        into.setdefault(name, _made_up(shape, DEPTH))
        return
    inner = into.get(name)
    if not isinstance(inner, dict | list):
        inner = into[name] = [{}] if shape.type == "list" else {}
    item = inner[0] if isinstance(inner, list) and inner else inner
    if isinstance(item, dict):
        _fill(item, tuple(rest), shape.at(rest[:1]) or Shape())


def _made_up(shape: Shape, depth: int) -> Any:
    simple = {"number": 1, "boolean": True, "date": "2026-03-02"}
    if shape.type in simple:
        return simple[shape.type]
    members = {name: _made_up(one, depth - 1) for name, one in (shape.members or {}).items()} if depth else {}
    if shape.type == "list":
        return [members] if members else []
    return members if shape.members else "示例"
