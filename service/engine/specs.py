"""From the model of a diagram to the specs that SpiffWorkflow walks."""

from __future__ import annotations

from .activities import Activity as PlainTask
from .activities import DecisionTask, JobTask, ReceiveTask, ScriptTask, SendTask, SubProcess, UserTask, inner_name
from .events import BoundaryEvent, CatchEvent, EndEvent, StartEvent, ThrowEvent
from .gateways import EventBasedGateway, ExclusiveGateway, InclusiveGateway, ParallelGateway
from .model import Node, Process, Scope
from .nodes import NodeSpec, ScopeSpec

SPECS: dict[str, type[NodeSpec]] = {
    "task": PlainTask,
    "userTask": UserTask,
    "manualTask": UserTask,
    "serviceTask": JobTask,
    "sendTask": SendTask,
    "receiveTask": ReceiveTask,
    "scriptTask": ScriptTask,
    "businessRuleTask": DecisionTask,
    "subProcess": SubProcess,
    "callActivity": SubProcess,
    "exclusiveGateway": ExclusiveGateway,
    "parallelGateway": ParallelGateway,
    "inclusiveGateway": InclusiveGateway,
    "eventBasedGateway": EventBasedGateway,
    "startEvent": StartEvent,
    "endEvent": EndEvent,
    "intermediateCatchEvent": CatchEvent,
    "intermediateThrowEvent": ThrowEvent,
    "boundaryEvent": BoundaryEvent,
}


def spec_class(node: Node) -> type[NodeSpec]:
    # A task definition turns any of these into work for a worker (Camunda 8 does the same).
    if node.topic and node.kind not in ("userTask", "manualTask"):
        return JobTask
    return SPECS[node.kind]


def build(process: Process) -> dict[str, ScopeSpec]:
    """The specs of a process and of the sub-processes inside it, by name."""
    specs: dict[str, ScopeSpec] = {}
    _build(process, process.id, process.id, specs)
    return specs


def _build(scope: Scope, name: str, process_id: str, specs: dict[str, ScopeSpec]) -> None:
    spec = ScopeSpec(name, scope, process_id, called=isinstance(scope, Process))
    for node in scope.nodes.values():
        spec_class(node)(spec, node)
        if node.scope is not None:
            _build(node.scope, inner_name(process_id, node.id), process_id, specs)
    for flow in scope.flows.values():
        spec.task_specs[flow.source].connect(spec.task_specs[flow.target])
    specs[name] = spec
