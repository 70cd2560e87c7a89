"""Moving an instance to another version of its diagrams: check first, then rewrite its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .activities import Activity
from .bundle import Bundle
from .codec import dump_record, load_record
from .model import Node, Scope
from .problems import EngineError, Problem
from .runner import Run, _run
from .steps import MessageWait, Step, TimerWait, Wait
from .workflow import Scope as LiveScope
from .workflow import Token

# process id -> {element id in the old version -> element id in the new one}; what is not named keeps its id.
Names = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a token cannot go along: its element, and a sentence."""

    process_id: str
    element_id: str
    zh: str
    en: str


class CannotMigrate(EngineError):
    """At least one token has no place in the new version. ``obstacles`` names each."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        super().__init__(
            "无法迁移：" + "；".join(o.zh for o in obstacles), "Cannot migrate: " + "; ".join(o.en for o in obstacles)
        )
        self.obstacles = obstacles


def obstacles(run: Run, bundle: Bundle, names: Names) -> list[Obstacle]:
    """What stands in the way of moving the instance to ``bundle``; empty where nothing does."""
    found: list[Obstacle] = []
    for scope in run.instance.all_scopes():
        process_id = scope.spec.process_id
        if process_id not in bundle.models:
            zh, en = f"新版本没有流程“{process_id}”", f"the new version has no process “{process_id}”"
            found.append(Obstacle(process_id, process_id, zh, en))
            continue
        for token in scope.tokens():
            if token.armed:
                continue
            node = token.task_spec.node
            reason = _reason(run.bundle, bundle, process_id, node, names.get(process_id, {}))
            if reason is not None:
                found.append(Obstacle(process_id, node.id, f"“{node.label}”{reason[0]}", f"“{node.label}” {reason[1]}"))
    return found


def lost(before: Sequence[Wait], after: Sequence[Wait]) -> list[Wait]:
    """What rested before and rests no more, listeners aside: a boundary event may be drawn anew or dropped."""
    still = {wait.token for wait in after}
    return [wait for wait in before if wait.token not in still and not isinstance(wait, TimerWait | MessageWait)]


def _reason(old: Bundle, new: Bundle, process_id: str, node: Node, names: Mapping[str, str]) -> tuple[str, str] | None:
    goal = names.get(node.id, node.id)
    other = new.node(process_id, goal)
    if other is None:
        return "在新版本中没有对应元素", "has no counterpart in the new version"
    if other.kind != node.kind or bool(other.loop) != bool(node.loop):
        return "在新版本中变成了另一种元素", "is another kind of element in the new version"
    around = [names.get(n, n) for n in _around(old.models[process_id], node.id) or []]
    if around != _around(new.models[process_id], goal):
        return "在新版本中位于另一个子流程", "lies in another sub-process in the new version"
    return None


def _around(scope: Scope, node_id: str) -> list[str] | None:
    """The ids of the sub-processes around a node, outermost first."""
    if node_id in scope.nodes:
        return []
    for node in scope.nodes.values():
        inner = None if node.scope is None else _around(node.scope, node_id)
        if inner is not None:
            return [node.id, *inner]
    return None


def migrate(run: Run, bundle: Bundle, names: Names, *, now: datetime) -> Step:
    """The instance on ``bundle``; ``run`` stays as it was. Raises CannotMigrate.

    Timers that run keep their time; boundary events and event sub-processes that are new are listened for from now.
    """
    blocked = obstacles(run, bundle, names)
    if blocked:
        raise CannotMigrate(blocked)
    record = dump_record(run)
    for scope in record["s"]:
        process_id, _, inner = scope["n"].partition("#")
        renamed = names.get(process_id, {})
        if inner:
            scope["n"] = f"{process_id}#{renamed.get(inner, inner)}"
        moved = [_moved(bundle, process_id, token, renamed) for token in scope["t"]]
        scope["t"] = [token for token in moved if token is not None]
    fresh = load_record(bundle, record, now=now)
    for live in fresh.instance.all_scopes():
        _listen_for_what_is_new(live)
    return _run(fresh)


def _moved(bundle: Bundle, process_id: str, token: list[Any], names: Mapping[str, str]) -> list[Any] | None:
    """A stored token under its new name; None for one that listened for an event the new version does not have."""
    token_id, node_id, state, internal, data = token
    goal = names.get(node_id, node_id)
    node = bundle.node(process_id, goal)
    if node is None:
        return None
    internal = dict(internal)
    if "start" in internal and "armed" in internal:
        internal["start"] = names.get(internal["start"], internal["start"])
        if node.scope is None or internal["start"] not in node.scope.nodes:
            return None
    if "flow" in internal and node.incoming and internal["flow"] not in node.incoming:
        internal["flow"] = node.incoming[0]
    return [token_id, goal, state, internal, data]


def _listen_for_what_is_new(scope: LiveScope) -> None:
    heard = {(t.task_spec.name, t.internal_data.get("host")) for t in scope.tokens() if t.armed}
    for node in scope.spec.scope.event_subprocesses():
        if (node.id, None) not in heard:
            scope.spec.task_specs[node.id].listen(scope)
    for token in scope.tokens():
        if isinstance(token.task_spec, Activity) and not token.armed and "body" not in token.internal_data:
            _watch_for_what_is_new(token, heard)


def _watch_for_what_is_new(host: Token, heard: set[tuple[str, Any]]) -> None:
    spec = host.task_spec
    for node in spec._wf_spec.scope.boundary_events(spec.node.id):
        if (node.id, host.id) not in heard:
            try:
                spec._wf_spec.task_specs[node.id].listen(host)
            except Problem as problem:
                spec.park(host, problem)
                return
