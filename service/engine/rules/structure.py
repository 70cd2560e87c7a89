"""Can a token get in, through and out? Starts, ends, gateways, reachability, soundness."""

from __future__ import annotations

import time

from ..model import Node, Scope
from ..soundness import explore
from .finder import Finder

# SpiffWorkflow gives its own helper specs these names.
RESERVED = {"Start", "Root", "End"}
MANY = 12
"""A longer way is shown by its beginning and its end; the picture plays all of it."""
WAITING = {"intermediateCatchEvent", "receiveTask"}


def check(find: Finder) -> None:
    _scope(find, find.process)
    for _, node in find.process.walk():
        if node.id in RESERVED or node.id.endswith(".EndJoin"):
            find.error(node, "id-reserved", f"id“{node.id}”为引擎保留，请改名。", f"The id “{node.id}” is reserved.")
        if node.scope is not None:
            _scope(find, node.scope, node)


def _scope(find: Finder, scope: Scope, around: Node | None = None) -> None:
    before = find.errors
    _starts(find, scope, around)
    label = around.label if around else find.process.label
    if not any(n.kind == "endEvent" for n in scope.nodes.values()):
        find.error(around or scope.id, "no-end", f"“{label}”没有结束事件。", f"“{label}” has no end event.")
    for node in scope.nodes.values():
        _node(find, scope, node)
    _reachable(find, scope)
    if find.errors == before:
        _sound(find, scope)


def _starts(find: Finder, scope: Scope, around: Node | None) -> None:
    starts = scope.start_events()
    none = [s for s in starts if s.event is not None and s.event.kind == "none"]
    label = around.label if around else find.process.label
    if not starts:
        find.error(around or scope.id, "no-start", f"“{label}”没有开始事件。", f"“{label}” has no start event.")
    elif around is None:
        _process_starts(find, starts, none)
    elif around.triggered_by_event:
        if len(starts) != 1 or none:
            find.error(
                around,
                "event-subprocess-start",
                f"事件子流程“{label}”须有且只有一个带事件的开始事件。",
                f"The event sub-process “{label}” needs exactly one start event, and one with an event.",
            )
        if around.incoming or around.outgoing:
            find.error(
                around,
                "event-subprocess-flow",
                f"事件子流程“{label}”不能有顺序流连入或连出。",
                f"The event sub-process “{label}” can have no sequence flow in or out.",
            )
    elif len(starts) != 1 or not none:
        find.error(
            around,
            "subprocess-start",
            f"子流程“{label}”须有且只有一个空开始事件。",
            f"The sub-process “{label}” needs exactly one none start event.",
        )


def _process_starts(find: Finder, starts: list[Node], none: list[Node]) -> None:
    for extra in none[1:]:
        find.error(
            extra,
            "start-multiple",
            f"流程“{find.process.label}”有多个空开始事件。",
            f"The process “{find.process.label}” has several none start events.",
        )
    for start in starts:
        if start.event is not None and start.event.kind not in ("none", "message", "timer"):
            find.error(
                start,
                "start-kind",
                f"流程的开始事件“{start.label}”只能是空、消息或定时开始。",
                f"The start event “{start.label}” of a process can be none, message or timer only.",
            )


def _node(find: Finder, scope: Scope, node: Node) -> None:
    if node.kind in ("startEvent", "boundaryEvent") and node.incoming:
        find.error(
            node,
            "flow-into-event",
            f"“{node.label}”不能有连入的顺序流。",
            f"“{node.label}” can have no incoming sequence flow.",
        )
    if node.kind == "endEvent" and node.outgoing:
        find.error(
            node,
            "flow-out-of-end",
            f"结束事件“{node.label}”不能有连出的顺序流。",
            f"The end event “{node.label}” can have no outgoing sequence flow.",
        )
    if node.default is not None and node.default not in node.outgoing:
        find.error(
            node,
            "default-flow",
            f"“{node.label}”的默认流“{node.default}”不是它的出口。",
            f"The default flow “{node.default}” of “{node.label}” does not leave it.",
        )
    if not node.outgoing and node.kind != "endEvent" and not node.triggered_by_event:
        if node.is_gateway or node.kind in ("boundaryEvent", "startEvent"):
            find.error(node, "no-way-out", f"“{node.label}”没有出口。", f"“{node.label}” has no way out.")
        else:
            find.warning(
                node,
                "implicit-end",
                f"“{node.label}”之后没有顺序流，流程在此悄然结束；请画出结束事件。",
                f"Nothing follows “{node.label}”; the process ends there silently. Draw an end event.",
            )
    if node.is_gateway:
        _gateway(find, scope, node)
    elif node.kind == "startEvent":
        for flow_id in node.outgoing:
            if scope.flows[flow_id].condition is not None:
                _needless_condition(find, node, flow_id)


def _gateway(find: Finder, scope: Scope, node: Node) -> None:
    flows = [scope.flows[f] for f in node.outgoing]
    if node.kind in ("parallelGateway", "eventBasedGateway"):
        for flow in flows:
            if flow.condition is not None:
                _needless_condition(find, node, flow.id)
    elif len(flows) > 1:
        for flow in flows:
            if flow.condition is None and flow.id != node.default:
                find.error(
                    flow.id,
                    "flow-condition",
                    f"网关“{node.label}”的出口“{flow.name or flow.id}”没有条件，也不是默认流。",
                    f"The way “{flow.name or flow.id}” out of “{node.label}” has no condition and is not the default.",
                    flow.line,
                )
        if node.default is None:
            find.warning(
                node,
                "no-default",
                f"网关“{node.label}”没有默认出口；若条件都不成立，案件会停在这里。",
                f"The gateway “{node.label}” has no default; a case stops here if no condition holds.",
            )
    if node.kind == "eventBasedGateway":
        for flow in flows:
            if scope.nodes[flow.target].kind not in WAITING:
                find.error(
                    node,
                    "event-gateway-target",
                    f"事件网关“{node.label}”之后只能是消息或定时捕获事件、接收任务。",
                    f"Only message or timer catch events and receive tasks may follow “{node.label}”.",
                )


def _needless_condition(find: Finder, node: Node, flow_id: str) -> None:
    find.error(
        flow_id,
        "needless-condition",
        f"“{node.label}”的出口“{flow_id}”带有条件，但条件在此不起作用。",
        f"The way “{flow_id}” out of “{node.label}” has a condition, which has no effect there.",
    )


def _reachable(find: Finder, scope: Scope) -> None:
    """What is cut off is said at its beginning: what follows it comes back with it."""
    seen = _behind(scope, [n.id for n in (*scope.start_events(), *scope.event_subprocesses())])
    lost = {node.id: node for node in scope.nodes.values() if node.id not in seen}
    led = {node_id for one in lost for node_id in _next(scope, one) if node_id != one}
    said: set[str] = set()
    # A ring that is cut off has no beginning; any element of it will do.
    for node in [*(one for one in lost.values() if one.id not in led), *lost.values()]:
        if node.id in said:
            continue
        more = _behind(scope, [node.id]) & lost.keys() - said
        said |= more
        others = len(more) - 1
        find.error(
            node,
            "unreachable",
            f"“{node.label}”永远走不到：没有从开始事件通向它的路径。"
            f"{f'它后面的 {others} 个元素因此也走不到。' if others else ''}",
            f"“{node.label}” can never be reached from a start event."
            f"{f' Nor, therefore, what follows it ({others}).' if others else ''}",
        )


def _behind(scope: Scope, first: list[str]) -> set[str]:
    seen: set[str] = set()
    queue = list(first)
    while queue:
        node_id = queue.pop()
        if node_id not in seen:
            seen.add(node_id)
            queue += _next(scope, node_id)
    return seen


def _next(scope: Scope, node_id: str) -> list[str]:
    targets = [scope.flows[flow_id].target for flow_id in scope.nodes[node_id].outgoing]
    return targets + [event.id for event in scope.boundary_events(node_id)]


def _sound(find: Finder, scope: Scope) -> None:
    """An exclusive split into a parallel join is the classic; every other deadlock is found the same way."""
    verdict = explore(scope, max(0.0, find.until - time.monotonic()))
    for flaw in verdict.flaws:
        node = scope.nodes[flaw.element_id]
        labels = [scope.nodes[n].label for n in flaw.path]
        way = " → ".join(labels if len(labels) <= MANY else [*labels[:3], "…", *labels[4 - MANY :]])
        if flaw.kind == "deadlock":
            find.error(
                node,
                "deadlock",
                f"死锁：“{node.label}”会永远等不齐分支。路径：{way}。",
                f"Deadlock: “{node.label}” can wait for a branch that never comes. Path: {way}.",
                path=flaw.path,
            )
        elif flaw.kind == "unbounded":
            find.error(
                node,
                "unbounded",
                f"“{node.label}”前的令牌会越积越多。路径：{way}。",
                f"Tokens can pile up before “{node.label}”. Path: {way}.",
                path=flaw.path,
            )
        elif flaw.kind == "livelock":
            find.error(
                node,
                "no-option-to-complete",
                f"走过“{node.label}”就再也到不了结束。路径：{way}。",
                f"After “{node.label}” there is no way to an end. Path: {way}.",
                path=flaw.path,
            )
        else:
            find.note(
                node,
                "lost-token",
                f"“{node.label}”会终止仍在办理的其他分支。路径：{way}。",
                f"“{node.label}” ends other branches that are still at work. Path: {way}.",
                path=flaw.path,
            )
    if not verdict.complete:
        find.warning(
            scope.id,
            "soundness-open",
            "图太大，未能穷尽所有走法来检查死锁。",
            "The diagram is too large to play through every way for deadlocks.",
        )
