"""Timers and messages: how a token comes to wait for one, what the wait is called, and how one is sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .expressions import evaluate, instant, timer_value
from .model import Node
from .problems import Problem
from .steps import MessageWait, TimerWait, Wait
from .timers import Cycle, parse_cycle, parse_duration

if TYPE_CHECKING:
    from .workflow import Token


def set_alarm(token: Token, node: Node) -> None:
    """Make the token wait for the timer or message of ``node``."""
    assert node.event is not None
    if node.event.kind == "message":
        subscribe(token, node)
        return
    value, now = evaluate(token, node.event.timer), token.workflow.top_workflow.now
    internal = token.internal_data
    if node.event.timer_kind == "date":
        internal["due"] = instant(value).isoformat()
    elif node.event.timer_kind == "duration":
        internal["due"] = timer_value(parse_duration, value).after(now).isoformat()
    else:
        cycle: Cycle = timer_value(parse_cycle, value)
        internal["due"] = (cycle.start or cycle.every.after(now)).isoformat()
        internal["cycle"] = str(value)
        if cycle.times is not None:
            internal["times"] = cycle.times


def subscribe(token: Token, node: Node) -> None:
    assert node.event is not None
    key = evaluate(token, node.event.correlation_key)
    if node.event.correlation_key and key in (None, ""):
        raise Problem(
            "expression",
            f"“{node.label}”的关联键 {node.event.correlation_key} 为空。",
            f"The correlation key {node.event.correlation_key} of “{node.label}” is empty.",
        )
    token.internal_data["message"] = [str(evaluate(token, node.event.message)), None if key is None else key_text(key)]


def key_text(key: Any) -> str:
    """A correlation key as text; 7 and 7.0 are the same number, so the same key."""
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def rearm(token: Token, node: Node) -> None:
    """After a non-interrupting event: listen again, or stop when a timer has no repetition left."""
    assert node.event is not None
    if node.event.kind == "message":
        return
    internal = token.internal_data
    times = internal.get("times")
    if "cycle" not in internal or times == 1:
        token.cancel()
        return
    if times is not None:
        internal["times"] = times - 1
    # From the due time, not from now: a worker that comes late does not shift the rhythm.
    internal["due"] = parse_cycle(internal["cycle"]).every.after(datetime.fromisoformat(internal["due"])).isoformat()


def alarm_wait(token: Token, about: dict[str, Any]) -> Wait | None:
    internal = token.internal_data
    if "due" in internal:
        return TimerWait(**about, due=datetime.fromisoformat(internal["due"]))
    if "message" in internal:
        name, key = internal["message"]
        return MessageWait(**about, message_name=name, correlation_key=key)
    return None


def publish(token: Token, node: Node) -> None:
    """Throw the node's message. Its payload is the node's input mappings, nothing else leaves the case."""
    assert node.event is not None
    key = evaluate(token, node.event.correlation_key)
    data = {
        "name": str(evaluate(token, node.event.message)),
        "key": None if key is None else key_text(key),
        "variables": {k: v for k, v in token.data.items() if k != "loopCounter"},
    }
    token.workflow.top_workflow.record("message", token, data=data)
