"""The verbs of an administrator: put a token somewhere else, let it pass, correct what a case knows.

Each returns a Step like any other verb. Run it on a freshly loaded instance and throw the result away, and it
was a dry run: the same verb on the same state gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .activities import inner_name
from .model import Node, Scope
from .problems import EngineError, WrongToken
from .runner import Run, _run, _step
from .steps import Step
from .variables import assign
from .workflow import Scope as LiveScope
from .workflow import Token


class CannotMove(EngineError):
    """A token cannot be put on that element."""

    def __init__(self, element_id: str) -> None:
        super().__init__(
            f"不能把令牌移到“{element_id}”：本流程没有这个可停留的元素。",
            f"A token cannot be put on “{element_id}”: the process has no such element to rest at.",
        )
        self.element_id = element_id


def move(run: Run, token: int, element_id: str, *, now: datetime) -> Step:
    """Take a token from where it is and put it before ``element_id`` of the same process, at any depth."""
    at = _token(run, token, "move")
    path = _way_in(run.bundle.models[at.workflow.spec.process_id], element_id)

    def act() -> None:
        scope, rest = _leave_for(at, path)
        _enter(scope, rest)

    return _step(run, now, act)


def skip(run: Run, token: int, variables: Mapping[str, Any], *, now: datetime) -> Step:
    """Let a token pass as if what it waits for had happened, with ``variables`` as the result."""
    at = _token(run, token, "skip")

    def act() -> None:
        at.internal_data.pop("incident", None)
        if at.armed:
            at.task_spec.trigger(at, variables)
            return
        for other in at.workflow.tokens():
            if other.internal_data.get("body") == at.id:  # the rounds go with what they are rounds of
                other.cancel()
        if "out" in at.internal_data:
            at.task_spec.take_result(at, variables)
            at.task_spec.conclude(at, {})
        else:
            at.task_spec.conclude(at, variables)

    return _step(run, now, act)


def set_variables(run: Run, variables: Mapping[str, Any], *, now: datetime, token: int | None = None) -> Step:
    """Correct variables: as a token would write them, or those of the process itself."""

    def act() -> None:
        if token is None:
            run.instance.data.update(variables)
            return
        at = _token(run, token, "set_variables")
        for name, value in variables.items():
            assign(at, name, value)
        run.instance.record("variables", at, data=dict(variables))

    return _step(run, now, act)


def reschedule(run: Run, token: int, due: datetime, *, now: datetime) -> Step:
    """Give a timer, or the deadline of a task, another time."""
    at = _token(run, token, "reschedule")
    if "due" not in at.internal_data and "user" not in at.internal_data:
        raise WrongToken(token, "reschedule")

    def act() -> None:
        holder = at.internal_data if "due" in at.internal_data else at.internal_data["user"]
        holder["due"] = due.isoformat()

    return _step(run, now, act)


def restart(run: Run, element_id: str, *, now: datetime) -> Step:
    """Open an ended instance again with a token before ``element_id``; its variables are as they were."""
    if not run.ended:
        raise WrongToken(0, "restart")
    instance = run.instance
    path = _way_in(run.bundle.models[instance.process_id], element_id)
    instance.completed, instance.end_event, instance.now = False, None, now
    for node in instance.spec.scope.event_subprocesses():
        instance.spec.task_specs[node.id].listen(instance)
    _enter(instance, path)
    return _run(run)


def _token(run: Run, token: int, verb: str) -> Token:
    at = run.instance.find(token)
    if at is None:
        raise WrongToken(token, verb)
    return at.body or at


def _way_in(scope: Scope, element_id: str) -> list[str]:
    """The ids of the sub-processes around the element and its own, outermost first. Raises CannotMove."""
    found = _search(scope, element_id)
    if not found:
        raise CannotMove(element_id)
    return [node.id for node in found]


def _search(scope: Scope, element_id: str) -> list[Node]:
    for node in scope.nodes.values():
        if node.id == element_id and node.kind != "boundaryEvent" and not node.triggered_by_event:
            return [node]
        if node.scope is not None and not node.triggered_by_event and (inner := _search(node.scope, element_id)):
            return [node, *inner]
    return []


def _leave_for(token: Token, path: list[str]) -> tuple[LiveScope, list[str]]:
    """Cancel the token and close the scopes it leaves behind empty; return the open scope nearest the goal."""
    process_id = token.workflow.spec.process_id
    names = [inner_name(process_id, node_id) for node_id in path[:-1]]
    scope = token.workflow
    token.cancel()
    while not scope.spec.called and scope.spec.name not in names:
        host = scope.host
        assert host is not None
        scope = host.workflow
        if not any(not t.armed for t in _inside(host)):
            host.cancel()
    depth = 0 if scope.spec.called else names.index(scope.spec.name) + 1
    return scope, path[depth:]


def _inside(host: Token) -> list[Token]:
    return [] if host.sub is None else list(host.sub.tokens())


def _enter(scope: LiveScope, path: list[str]) -> None:
    first, *rest = path
    scope.token(first, **({"start": rest} if rest else {}))
