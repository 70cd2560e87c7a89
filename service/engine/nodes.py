"""What every node has in common: how a token enters, finishes and leaves it, and how it is parked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.util.task import TaskState

from . import reads
from .expressions import Overlay, conditions, evaluate, no_flow
from .model import Flow, Node, Scope
from .problems import Problem
from .steps import IncidentWait, Wait
from .variables import Visible, assign

if TYPE_CHECKING:
    from .workflow import Token


class ScopeSpec(BpmnProcessSpec):
    """The SpiffWorkflow spec of a process (``called``) or an embedded sub-process."""

    def __init__(self, name: str, scope: Scope, process_id: str, *, called: bool) -> None:
        super().__init__(name=name)
        self.scope, self.process_id, self.called = scope, process_id, called
        self.inclusive_joins = [
            n.id for n in scope.nodes.values() if n.kind == "inclusiveGateway" and len(n.incoming) > 1
        ]


class NodeSpec(BpmnTaskSpec):
    """A node: ``enter`` says whether the token may go on at once, ``finish`` takes the result, ``leave`` moves on."""

    def __init__(self, wf_spec: ScopeSpec, node: Node) -> None:
        super().__init__(wf_spec, node.id, lane=node.lane, documentation=node.documentation)
        self.node = node
        self.bpmn_id, self.bpmn_name = node.id, node.name

    # -- the hooks of SpiffWorkflow ------------------------------------------------------------

    def _predict(self, my_task: Token, *args: Any, **kwargs: Any) -> None:
        """Nothing: the future of a case is the diagram, not a tree beside it."""

    def _run(self, my_task: Token) -> bool | None:
        try:
            return self._run_hook(my_task)
        except Problem as problem:
            self.park(my_task, problem)
            return None

    def _run_hook(self, my_task: Token) -> bool | None:
        internal = my_task.internal_data
        if "result" not in internal and not self.enter(my_task):
            return None
        if not my_task.live:  # an error end has cancelled its own scope
            return None
        self.finish(my_task, internal.get("result", {}))
        return True

    def _on_complete(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.record("left", my_task)
        self.leave(my_task)

    def _on_cancel(self, my_task: Token) -> None:
        scope = my_task.workflow
        if not my_task.armed:
            scope.top_workflow.record("cancelled", my_task)
        scope.remove(my_task)

    # -- the life of a token -------------------------------------------------------------------

    def enter(self, token: Token) -> bool:
        """Do what the node does. False: the token stays until somebody concludes it."""
        return True

    def finish(self, token: Token, result: Mapping[str, Any]) -> None:
        """Take the result into the variables and choose the way out. May raise Problem."""
        self.take_result(token, result)
        token.internal_data["take"] = self.choose(token)

    def take_result(self, token: Token, result: Mapping[str, Any]) -> None:
        told = token.workflow.top_workflow.told
        if told is not None:
            values = list(told.of(token).items())
        elif self.node.outputs:
            context = Overlay(result, Visible(token))
            values = [(m.target, evaluate(token, m.source, context)) for m in self.node.outputs]
        else:
            values = list(result.items())
        for target, value in values:
            assign(token, target, value, beyond=bool(self.node.outputs))
        if values:
            token.workflow.top_workflow.record("variables", token, data=dict(values))

    def choose(self, token: Token) -> list[str]:
        """The sequence flows to take: every one whose condition holds, or the default when none does."""
        flows = [self.flow(f) for f in self.node.outgoing]
        plain = [f.id for f in flows if f.condition is None and f.id != self.node.default]
        chosen = plain + [f.id for f, holds in conditions(token, flows, self.node.default) if holds]
        if not chosen and flows:
            if self.node.default is None:
                raise no_flow(self.node)
            return [self.node.default]
        return chosen

    def leave(self, token: Token) -> None:
        scope, internal = token.workflow, token.internal_data
        group = internal.get("group")
        if group is not None:  # the first event after an event-based gateway ends the others
            for other in scope.tokens():
                if other is not token and other.internal_data.get("group") == group:
                    other.cancel()
        if not self.node.outgoing and self.node.attached_to is None:
            scope.end_event = self.end_of(token)
        self.move(token, internal.get("take", []))
        scope.remove(token)
        scope.close_if_done()

    def end_of(self, token: Token) -> str | None:
        """The name of the end that a token without a way out comes to."""
        return self.node.id

    def move(self, token: Token, flow_ids: list[str], **internal: Any) -> None:
        data = self.asked(token)
        for flow_id in flow_ids:
            token.workflow.top_workflow.record("flow", token, element=flow_id, data=data)
            token.workflow.token(self.flow(flow_id).target, flow=flow_id, **internal)

    def asked(self, token: Token) -> dict[str, Any]:
        """What the conditions of the ways out read, so that the choice can be made again."""
        flows = [self.flow(flow_id) for flow_id in self.node.outgoing]
        texts = [flow.condition for flow in flows if flow.condition is not None]
        return {"read": reads.of_conditions(texts, Visible(token))} if texts else {}

    def conclude(self, token: Token, result: Mapping[str, Any]) -> None:
        """Somebody outside did what the token waited for. A failing output keeps the result in an incident."""
        token.internal_data["result"] = dict(result)
        try:
            self.finish(token, result)
        except Problem as problem:
            self.park(token, problem)
        else:
            token.complete()

    def park(self, token: Token, problem: Problem) -> None:
        """Stop the token with an incident. What was begun at the node is undone, so that a retry starts clean."""
        if "result" not in token.internal_data:
            self.undo(token)
        token.internal_data["incident"] = [problem.code, problem.zh, problem.en]
        token._set_state(TaskState.STARTED)
        data = {"code": problem.code, "zh": problem.zh, "en": problem.en}
        token.workflow.top_workflow.record("incident", token, data=data)

    def undo(self, token: Token) -> None:
        """Take back what ``enter`` had begun."""

    def flow(self, flow_id: str) -> Flow:
        return self._wf_spec.scope.flows[flow_id]

    # -- what people and workers see -----------------------------------------------------------

    def wait(self, token: Token) -> Wait | None:
        """Why the token rests, or None where that is another token's affair."""
        if token.incident is not None:
            code, zh, en = token.incident
            return IncidentWait(**self.about(token), code=code, zh=zh, en=en)
        return self.own_wait(token)

    def own_wait(self, token: Token) -> Wait | None:
        return None

    def about(self, token: Token) -> dict[str, Any]:
        return {
            "token": token.id,
            "element_id": self.node.id,
            "element_name": self.node.name,
            "process_id": token.workflow.spec.process_id,
            "path": token.path,
        }
