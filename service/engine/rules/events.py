"""Events: is each of a kind that its place allows, and does it say what it waits for or throws?"""

from __future__ import annotations

from collections.abc import Callable

from ..model import Node, Scope, is_expression
from ..timers import BadTimer, parse_cycle, parse_date, parse_duration
from .finder import Finder

ALLOWED = {
    "startEvent": ("none", "message", "timer", "error", "escalation"),
    "endEvent": ("none", "message", "error", "escalation", "terminate"),
    "intermediateCatchEvent": ("message", "timer"),
    "intermediateThrowEvent": ("none", "message", "escalation"),
    "boundaryEvent": ("message", "timer", "error", "escalation"),
}
CATCHING = ("startEvent", "intermediateCatchEvent", "boundaryEvent", "receiveTask")
PARSERS: dict[str, Callable[[object], object]] = {"date": parse_date, "duration": parse_duration, "cycle": parse_cycle}


def check(find: Finder) -> None:
    for scope, node in find.process.walk():
        if node.event is None:
            continue
        allowed = ALLOWED.get(node.kind)
        if allowed is not None and node.event.kind not in allowed:
            find.error(
                node,
                "event-kind",
                f"“{node.label}”在此位置不能是 {node.event.kind} 类型的事件。",
                f"“{node.label}” cannot be a {node.event.kind} event in this place.",
            )
            continue
        if node.kind == "boundaryEvent":
            _boundary(find, scope, node)
        if node.event.kind == "timer":
            _timer(find, node)
        elif node.event.kind == "message":
            _message(find, scope, node)
        elif node.event.kind in ("error", "escalation") and node.kind not in CATCHING and not node.event.code:
            find.error(
                node, "code-missing", f"“{node.label}”没有说明抛出哪个代码。", f"“{node.label}” names no code to throw."
            )


def _boundary(find: Finder, scope: Scope, node: Node) -> None:
    host = scope.nodes.get(node.attached_to or "")
    if host is None or not host.is_activity or host.triggered_by_event:
        find.error(
            node,
            "boundary-host",
            f"边界事件“{node.label}”没有附着在任务或子流程上。",
            f"The boundary event “{node.label}” is not attached to a task or sub-process.",
        )
        return
    assert node.event is not None
    if node.event.kind == "error" and not node.interrupting:
        find.error(
            node,
            "boundary-error",
            f"错误边界事件“{node.label}”必须是中断的。",
            f"The error boundary event “{node.label}” must be interrupting.",
        )
    if node.event.kind == "escalation" and host.kind not in ("subProcess", "callActivity"):
        find.error(
            node,
            "boundary-escalation",
            f"升级边界事件“{node.label}”只能附着在子流程或调用活动上。",
            f"The escalation boundary event “{node.label}” belongs on a sub-process or call activity.",
        )


def _timer(find: Finder, node: Node) -> None:
    event = node.event
    assert event is not None
    if not event.timer_kind or not event.timer:
        find.error(
            node, "timer-missing", f"定时事件“{node.label}”没有设时间。", f"The timer “{node.label}” has no time."
        )
        return
    once = node.kind == "intermediateCatchEvent" or (node.kind == "boundaryEvent" and node.interrupting)
    if event.timer_kind == "cycle" and once:
        find.error(
            node,
            "timer-cycle",
            f"“{node.label}”只触发一次，不能用循环时间。",
            f"“{node.label}” fires once; a cycle is not possible there.",
        )
    if not is_expression(event.timer):
        try:
            PARSERS[event.timer_kind](event.timer)
        except BadTimer as error:
            find.error(node, "timer-bad", f"“{node.label}”：{error.zh}", f"“{node.label}”: {error.en}")


def _message(find: Finder, scope: Scope, node: Node) -> None:
    event = node.event
    assert event is not None
    if not event.message:
        if not (node.topic and node.kind not in CATCHING):
            find.error(
                node, "message-missing", f"“{node.label}”没有指定消息。", f"“{node.label}” does not name its message."
            )
        return
    starts_process = node.kind == "startEvent" and scope is find.process
    if node.kind in CATCHING and not starts_process and not event.correlation_key:
        find.error(
            node,
            "correlation-key",
            f"“{node.label}”等待的消息没有关联键，无法知道是给哪个案件的。",
            f"The message “{node.label}” waits for has no correlation key, so nobody knows whose it is.",
        )
