"""Gateways: which way a token goes, and where tokens meet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.util.task import TaskState

from .expressions import conditions, no_flow
from .nodes import NodeSpec
from .steps import JoinWait, Wait

if TYPE_CHECKING:
    from .workflow import Scope as LiveScope
    from .workflow import Token


class ExclusiveGateway(NodeSpec):
    """One way out: the first flow, in the order of the diagram, whose condition holds, else the default."""

    def choose(self, token: Token) -> list[str]:
        flows = [self.flow(f) for f in self.node.outgoing]
        for flow, holds in conditions(token, flows, self.node.default):
            if holds:
                return [flow.id]
        if self.node.default is not None:
            return [self.node.default]
        plain = [f.id for f in flows if f.condition is None]
        if plain or not flows:
            return plain[:1]
        raise no_flow(self.node)


class JoiningGateway(NodeSpec):
    """Tokens that arrive at a join wait for the others; each knows the flow it came by."""

    def waiting(self, scope: LiveScope) -> dict[str, list[Token]]:
        """The tokens at the gateway by incoming flow, earliest first."""
        by_flow: dict[str, list[Token]] = {}
        for token in scope.tokens_at(self.node.id):
            if token.incident is None and token.state != TaskState.READY:
                by_flow.setdefault(token.internal_data["flow"], []).append(token)
        return by_flow

    def meet(self, scope: LiveScope, by_flow: Mapping[str, list[Token]]) -> None:
        """Take one token from each flow; the earliest goes on for all of them."""
        first, *others = sorted((tokens[0] for tokens in by_flow.values()), key=lambda t: t.id)
        for token in others:
            token._set_state(TaskState.COMPLETED)
            scope.remove(token)
        self.conclude(first, {})

    def own_wait(self, token: Token) -> Wait | None:
        return JoinWait(**self.about(token))


class ParallelGateway(JoiningGateway):
    """Waits for a token on every incoming flow, then sends one along every outgoing flow."""

    def enter(self, token: Token) -> bool:
        if len(self.node.incoming) < 2:
            return True
        token._set_state(TaskState.STARTED)
        by_flow = self.waiting(token.workflow)
        if len(by_flow) == len(self.node.incoming):
            self.meet(token.workflow, by_flow)
        return False

    def choose(self, token: Token) -> list[str]:
        return list(self.node.outgoing)


class InclusiveGateway(JoiningGateway):
    """Waits for every token that can still come (BPMN 2.0.2, 13.4.3); goes every way whose condition holds."""

    def enter(self, token: Token) -> bool:
        return len(self.node.incoming) < 2

    def release(self, scope: LiveScope) -> bool:
        """Let the waiting tokens go if no other can reach an empty incoming flow any more."""
        by_flow = self.waiting(scope)
        if not by_flow:
            return False
        filled = set(by_flow)
        empty = set(self.node.incoming) - filled
        for token in scope.tokens():
            at = token.task_spec.name
            if at == self.node.id or token.armed:
                continue
            to_empty = any(at in self.upstream[f] for f in empty)
            if to_empty and not any(at in self.upstream[f] for f in filled):
                return False
        self.meet(scope, by_flow)
        return True

    @cached_property
    def upstream(self) -> dict[str, set[str]]:
        """For each incoming flow, the nodes from which it can be reached without passing this gateway."""
        scope = self._wf_spec.scope
        return {f: self._reaching(scope, f) for f in self.node.incoming}

    def _reaching(self, scope: Any, flow_id: str) -> set[str]:
        found: set[str] = set()
        open_nodes = [scope.flows[flow_id].source]
        while open_nodes:
            node_id = open_nodes.pop()
            if node_id == self.node.id or node_id in found:
                continue
            found.add(node_id)
            node = scope.nodes[node_id]
            if node.attached_to:
                open_nodes.append(node.attached_to)
            open_nodes.extend(scope.flows[f].source for f in node.incoming)
        return found


class EventBasedGateway(NodeSpec):
    """Sends a listening token to each of its events; the first that happens ends the others."""

    def choose(self, token: Token) -> list[str]:
        return list(self.node.outgoing)

    def move(self, token: Token, flow_ids: list[str], **internal: Any) -> None:
        super().move(token, flow_ids, group=token.id)
