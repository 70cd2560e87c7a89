"""A diagram as the engine understands it: processes, nodes, flows – no XML, no engine objects.

The parser makes it, the specs are built from it, and validation, soundness and comparison read it.
An *expression value* is a string: ``=…`` is FEEL, anything else stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a file before it is deployed; an ``error`` refuses the deployment."""

    file: str
    element_id: str | None
    rule: str
    severity: Severity
    zh: str
    en: str
    line: int | None = None
    # The elements on the way to it, in order, where a way leads to it; shown as an animation.
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; ``condition`` is FEEL without the leading ``=``."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class IoMapping:
    """A ``zeebe:input`` or ``zeebe:output``: the value of ``source`` goes to the variable path ``target``."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event definition.

    kind: none | timer | message | error | escalation | terminate. ``timer_kind``: date | duration | cycle.
    ``code`` is the error or escalation code; None catches every one.
    """

    kind: str
    timer_kind: str | None = None
    timer: str | None = None
    message: str | None = None
    correlation_key: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Multi-instance characteristics (``zeebe:loopCharacteristics``)."""

    sequential: bool
    input_collection: str
    input_element: str | None = None
    output_collection: str | None = None
    output_element: str | None = None
    completion_condition: str | None = None


@dataclass(slots=True)
class Node:
    """A flow node with everything the profile reads of it (``docs/reference/profile.md``)."""

    id: str
    kind: str
    name: str = ""
    line: int | None = None
    documentation: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] = field(default_factory=list)
    default: str | None = None
    lane: str | None = None
    event: Event | None = None
    attached_to: str | None = None
    interrupting: bool = True
    inputs: list[IoMapping] = field(default_factory=list)
    outputs: list[IoMapping] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    form_id: str | None = None
    assignee: str | None = None
    candidate_users: str | None = None
    candidate_groups: str | None = None
    due: str | None = None
    follow_up: str | None = None
    priority: str | None = None
    topic: str | None = None
    retries: str | None = None
    script: str | None = None
    decision_id: str | None = None
    result_variable: str | None = None
    called_process: str | None = None
    propagate_parent: bool = True
    propagate_children: bool = True
    loop: Loop | None = None
    scope: Scope | None = None
    triggered_by_event: bool = False

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.id

    @property
    def is_activity(self) -> bool:
        return self.kind.endswith("Task") or self.kind in ("task", "subProcess", "callActivity")

    @property
    def is_gateway(self) -> bool:
        return self.kind.endswith("Gateway")


@dataclass(slots=True)
class Scope:
    """The nodes and flows on one level: a process or a sub-process."""

    id: str
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    def boundary_events(self, node_id: str) -> list[Node]:
        return [n for n in self.nodes.values() if n.attached_to == node_id]

    def start_events(self) -> list[Node]:
        return [n for n in self.nodes.values() if n.kind == "startEvent"]

    def event_subprocesses(self) -> list[Node]:
        return [n for n in self.nodes.values() if n.triggered_by_event]

    def walk(self) -> Iterator[tuple[Scope, Node]]:
        """Every node of this scope and of those inside it, with the scope it lies in."""
        inside: list[tuple[Scope, Iterator[Node]]] = [(self, iter(self.nodes.values()))]
        while inside:
            scope, nodes = inside[-1]
            for node in nodes:
                yield scope, node
                if node.scope is not None:
                    inside.append((node.scope, iter(node.scope.nodes.values())))
                    break
            else:
                inside.pop()


@dataclass(slots=True)
class Process(Scope):
    """An executable process. ``lanes`` maps lane ids to their names."""

    name: str = ""
    file: str = ""
    version_tag: str | None = None
    documentation: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    line: int | None = None

    @property
    def label(self) -> str:
        return self.name or self.id

    def start_checks(self) -> list[str]:
        """The decisions that are asked before a person starts a case."""
        return start_checks(self.properties)

    def expressions(self) -> Iterator[tuple[str, str]]:
        """The FEEL in the properties of the process itself: name and text."""
        for name in ("title", "relatedParties"):
            if is_expression(text := self.properties.get(name)):
                yield name, feel_of(text or "")


def start_checks(properties: Mapping[str, str]) -> list[str]:
    """The decisions in the property ``startCheck`` of a process, in order."""
    return [name for one in properties.get("startCheck", "").split(",") if (name := one.strip())]


def is_expression(value: str | None) -> bool:
    """True where an expression value is FEEL."""
    return value is not None and value.lstrip().startswith("=")


def feel_of(value: str) -> str:
    """The FEEL text of an expression value, without the leading ``=``."""
    text = value.strip()
    return text[1:].strip() if text.startswith("=") else text
