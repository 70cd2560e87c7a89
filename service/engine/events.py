"""Start, end, catching, throwing and boundary events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .alarms import alarm_wait, publish, rearm, set_alarm
from .expressions import evaluate
from .model import Event, Node
from .nodes import NodeSpec
from .problems import Problem
from .steps import Wait
from .variables import store

if TYPE_CHECKING:
    from .workflow import Scope as LiveScope
    from .workflow import Token


class EventSpec(NodeSpec):
    """What all events share."""

    @property
    def event(self) -> Event:
        return self.node.event or Event("none")


class StartEvent(EventSpec):
    """Where a scope begins."""


class CatchEvent(EventSpec):
    """Waits for its timer or message."""

    def enter(self, token: Token) -> bool:
        if self.event.kind == "none":
            return True
        set_alarm(token, self.node)
        return False

    def own_wait(self, token: Token) -> Wait | None:
        return alarm_wait(token, self.about(token))

    def trigger(self, token: Token, payload: Mapping[str, Any]) -> None:
        for key in ("due", "message", "cycle", "times"):
            token.internal_data.pop(key, None)
        self.conclude(token, payload)


class BoundaryEvent(EventSpec):
    """Sits at the edge of an activity. While it listens its token is armed; when it happens a token leaves it."""

    def listen(self, host: Token) -> None:
        """Begin to listen for the activity of ``host``; errors and escalations look for it themselves."""
        if self.event.kind not in ("timer", "message"):
            return
        token = host.workflow.arm(self.node.id, host=host.id)
        set_alarm(token, self.node)

    def own_wait(self, token: Token) -> Wait | None:
        return alarm_wait(token, self.about(token)) if token.armed else None

    def trigger(self, token: Token, payload: Mapping[str, Any]) -> None:
        scope, host = token.workflow, token.workflow.tasks[token.internal_data["host"]]
        if self.node.interrupting:
            host.cancel()
        else:
            rearm(token, self.node)
        self.happen(scope, payload)

    def happen(self, scope: LiveScope, payload: Mapping[str, Any]) -> None:
        scope.token(self.node.id, result=dict(payload))


class ThrowEvent(EventSpec):
    """An intermediate throwing event: nothing, a message or an escalation."""

    def enter(self, token: Token) -> bool:
        map_inputs(token, self.node)
        if self.event.kind == "message":
            publish(token, self.node)
        elif self.event.kind == "escalation":
            escalate(token, self.event.code)
        return True


class EndEvent(ThrowEvent):
    """Takes a token out: quietly, or with a message, an error, an escalation, or for the whole scope."""

    def enter(self, token: Token) -> bool:
        if self.event.kind == "error":
            map_inputs(token, self.node)
            if not throw_error(token, self.event.code, "", dict(token.data)):
                raise unhandled(self.node, self.event.code)
            return True
        if self.event.kind == "terminate":
            token.workflow.cancel_tokens(keep=token)
            return True
        return super().enter(token)


def map_inputs(token: Token, node: Node) -> None:
    for mapping in node.inputs:
        store(token.data, mapping.target.split("."), evaluate(token, mapping.source))


def unhandled(node: Node, code: str | None) -> Problem:
    return Problem(
        "unhandled-error",
        f"“{node.label}”抛出的错误“{code or ''}”没有处理者。",
        f"Nobody handles the error “{code or ''}” thrown by “{node.label}”.",
    )


def throw_error(token: Token, code: str | None, message: str, variables: Mapping[str, Any]) -> bool:
    """Look for a handler from the token outwards and hand the error over. False where there is none."""
    token.workflow.top_workflow.record("error", token, data={"code": code, "message": message})
    return _hand_over(token, "error", code, variables)


def escalate(token: Token, code: str | None) -> None:
    """As an error, but the thrower goes on unless the handler interrupts it; without a handler nothing happens."""
    token.workflow.top_workflow.record("escalated", token, data={"code": code})
    _hand_over(token, "escalation", code, dict(token.data))


def _hand_over(token: Token, kind: str, code: str | None, variables: Mapping[str, Any]) -> bool:
    here: Token | None = token.body or token
    while here is not None:
        scope = here.workflow
        boundary = _match(scope.spec.scope.boundary_events(here.task_spec.node.id), kind, code)
        if boundary is not None:
            if boundary.interrupting:
                here.cancel()
            scope.spec.task_specs[boundary.id].happen(scope, variables)
            return True
        handlers = {
            start.id: (start, node)
            for node in scope.spec.scope.event_subprocesses()
            if node.scope is not None
            for start in node.scope.start_events()
        }
        start = _match([s for s, _ in handlers.values()], kind, code)
        if start is not None and not _inside(here, handlers[start.id][1]):
            if start.interrupting:
                scope.cancel_tokens()
            scope.token(handlers[start.id][1].id, start=start.id, payload=dict(variables))
            return True
        here = scope.host
        if here is not None and here.body is not None:
            here = here.body
    return False


def _inside(token: Token, node: Node) -> bool:
    """An event sub-process does not handle what comes out of itself."""
    return token.task_spec.node is node


def _match(nodes: list[Node], kind: str, code: str | None) -> Node | None:
    """The one for this very code, else one that takes every code."""
    fitting = [n for n in nodes if n.event is not None and n.event.kind == kind and n.event.code in (code, None)]
    return min(fitting, key=lambda n: n.event is None or n.event.code is None, default=None)
