"""What the state alone can say about going on: joins whose branch is gone, and what else could move a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from SpiffWorkflow.util.task import TaskState

from .gateways import JoiningGateway
from .model import Scope
from .runner import Run
from .steps import Wait

if TYPE_CHECKING:
    from .workflow import Scope as LiveScope
    from .workflow import Token


@dataclass(frozen=True, slots=True)
class DeadJoin:
    """A token at a join that no other token can reach any more by the flows it still waits for.

    ``flows`` are those flows, ``sources`` the elements they come from.
    """

    wait: Wait
    flows: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resting:
    """A token that carries an activity, and the tokens whose event would move it as well.

    Those are boundary events on it or around it, interrupting event sub-processes, and the other events of its
    event-based gateway.
    """

    wait: Wait
    others: tuple[int, ...]


def dead_joins(run: Run) -> list[DeadJoin]:
    """The joins that wait for ever."""
    found = []
    for scope in run.instance.all_scopes():
        for token in scope.tokens():
            spec = token.task_spec
            if not isinstance(spec, JoiningGateway) or token.incident is not None or token.state == TaskState.READY:
                continue
            missing = tuple(f for f in spec.node.incoming if f not in spec.waiting(scope))
            dead = tuple(f for f in missing if not _can_come(scope, spec.node.id, f))
            wait = spec.wait(token)
            if dead and wait is not None:
                sources = tuple(scope.spec.scope.flows[f].source for f in dead)
                found.append(DeadJoin(wait, dead, sources))
    return found


def resting(run: Run) -> list[Resting]:
    """Every token that carries an activity, with what else could move it."""
    found = []
    for scope in run.instance.all_scopes():
        for token in scope.tokens():
            wait = None if token.armed else token.task_spec.wait(token)
            if wait is not None:
                found.append(Resting(wait, tuple(_others(scope, token))))
    return sorted(found, key=lambda one: one.wait.token)


def _others(scope: LiveScope, token: Token) -> list[int]:
    group = token.internal_data.get("group")
    found = [one.id for one in scope.tokens() if one is not token and group and one.internal_data.get("group") == group]
    at: Token | None = token
    level: LiveScope = scope
    while at is not None:
        # Boundary events of a multi-instance activity hang on its body, not on a round of it.
        hosts = {at.id} if at.body is None else {at.id, at.body.id}
        for one in level.tokens():
            if one.armed and (one.internal_data.get("host") in hosts or _interrupts(level, one)):
                found.append(one.id)
        at = level.host
        if at is not None:
            level = at.workflow
    return found


def _interrupts(scope: LiveScope, token: Token) -> bool:
    """True for the listener of an interrupting event sub-process."""
    start = token.internal_data.get("start")
    inner = token.task_spec.node.scope
    return isinstance(start, str) and inner is not None and start in inner.nodes and inner.nodes[start].interrupting


def _can_come(scope: LiveScope, join: str, flow: str) -> bool:
    upstream = reaching(scope.spec.scope, join, flow)
    return any(token.task_spec.name in upstream for token in scope.tokens() if not token.armed)


def reaching(scope: Scope, join: str, flow: str) -> set[str]:
    """The elements from which a token can still come to ``join`` by ``flow`` without passing it."""
    found: set[str] = set()
    todo = [scope.flows[flow].source]
    while todo:
        node_id = todo.pop()
        if node_id == join or node_id in found:
            continue
        found.add(node_id)
        node = scope.nodes[node_id]
        if node.attached_to:
            todo.append(node.attached_to)
        todo.extend(scope.flows[f].source for f in node.incoming)
    return found
