"""What of a diagram has to be drawn: pools, lanes, nodes, flows – read straight from the XML.

Everything BPMN can say is drawn, whether or not the engine runs it, so this does not use the engine's own parser.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from lxml import etree

from .text import wrap

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"

SUBPROCESSES = {"subProcess", "transaction", "adHocSubProcess"}
DATA = {"dataObjectReference": (36, 50), "dataStoreReference": (50, 50), "textAnnotation": (120, 40)}


@dataclass(slots=True)
class Node:
    """A flow node, or an artifact with a place of its own."""

    id: str
    kind: str
    name: str = ""
    lane: str | None = None
    host: str | None = None
    by_event: bool = False
    inside: Scope | None = None

    @property
    def is_event(self) -> bool:
        return self.kind.endswith("Event")

    @property
    def is_gateway(self) -> bool:
        return self.kind.endswith("Gateway")

    @property
    def is_artifact(self) -> bool:
        return self.kind in DATA

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the shape, in the sizes bpmn-js gives new ones."""
        if self.is_event:
            return 36, 36
        if self.is_gateway:
            return 50, 50
        if self.kind == "textAnnotation":
            return 140, max(30, 16 * len(wrap(self.name, 130, 12)) + 8)
        return DATA.get(self.kind, (100, 80))

    @property
    def labelled_outside(self) -> bool:
        return bool(self.name) and (
            self.is_event or self.is_gateway or (self.kind in DATA and self.kind != "textAnnotation")
        )


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow, a message flow or an association."""

    id: str
    kind: str
    source: str
    target: str
    name: str = ""
    default: bool = False

    @property
    def gap(self) -> int:
        """How far its label keeps away from the source: a default flow has a mark there."""
        return 10 if self.default else 0


@dataclass(slots=True)
class Lane:
    id: str
    name: str
    children: list[Lane] = field(default_factory=list)

    def leaves(self) -> Iterator[Lane]:
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


@dataclass(slots=True)
class Scope:
    """The nodes and flows on one level."""

    id: str
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        for node in self.nodes.values():
            yield node
            if node.inside:
                yield from node.inside.walk()


@dataclass(slots=True)
class Pool:
    """A participant; a black box has no scope. A plain process is a pool without an id."""

    id: str | None
    name: str
    scope: Scope | None


@dataclass(slots=True)
class Picture:
    """Everything that stands on one plane."""

    plane: str
    pools: list[Pool]
    messages: list[Flow]


def read(root: etree._Element) -> Picture:
    """The pools of the collaboration, or the first process where there is none."""
    scopes = {p.get("id", ""): _scope(p) for p in root.iterchildren(f"{BPMN}process")}
    collaboration = root.find(f"{BPMN}collaboration")
    if collaboration is None:
        # Without a collaboration a diagram shows one process; others in the file have no plane.
        pools = [Pool(None, "", scope) for scope in list(scopes.values())[:1]]
        return Picture(next(iter(scopes), ""), pools, [])
    pools = []
    for participant in collaboration.iterchildren(f"{BPMN}participant"):
        scope = scopes.get(participant.get("processRef", ""))
        pools.append(Pool(participant.get("id", ""), participant.get("name", ""), scope))
    drawn = {pool.scope.id for pool in pools if pool.scope}
    pools += [Pool(None, "", scope) for scope in scopes.values() if scope.id not in drawn]
    messages = [_flow(m, "message") for m in collaboration.iterchildren(f"{BPMN}messageFlow")]
    return Picture(collaboration.get("id", ""), pools, messages)


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _flow(element: etree._Element, kind: str, defaults: Collection[str | None] = ()) -> Flow:
    name, source, target = element.get("id", ""), element.get("sourceRef", ""), element.get("targetRef", "")
    return Flow(name, kind, source, target, element.get("name", ""), name in defaults)


def _scope(element: etree._Element) -> Scope:
    scope = Scope(element.get("id", ""))
    for lane_set in element.iterchildren(f"{BPMN}laneSet"):
        scope.lanes += [_lane(lane) for lane in lane_set.iterchildren(f"{BPMN}lane")]
    home = {
        (reference.text or "").strip(): lane.get("id")
        for lane in element.iter(f"{BPMN}lane")
        for reference in lane.iterchildren(f"{BPMN}flowNodeRef")
    }
    defaults = {child.get("default") for child in element.iterchildren(tag=etree.Element)}
    for child in element.iterchildren(tag=etree.Element):
        kind = _local(child)
        if kind == "sequenceFlow":
            scope.flows.append(_flow(child, "sequence", defaults))
        elif kind == "association":
            scope.flows.append(_flow(child, "association"))
        elif str(child.tag).startswith(BPMN) and _has_a_shape(kind):
            scope.nodes[child.get("id", "")] = _node(child, kind, home.get(child.get("id", "")))
            scope.flows += _data_associations(child)
    return scope


def _has_a_shape(kind: str) -> bool:
    return kind.endswith(("Task", "Event", "Gateway")) or kind in {"task", "callActivity", *SUBPROCESSES, *DATA}


def _node(element: etree._Element, kind: str, lane: str | None) -> Node:
    node = Node(element.get("id", ""), kind, element.get("name", ""), lane, element.get("attachedToRef"))
    if kind == "textAnnotation":
        node.name = _text(element, "text")
    if kind in SUBPROCESSES:
        node.inside = _scope(element)
        node.by_event = element.get("triggeredByEvent") == "true"
    return node


def _text(element: etree._Element, tag: str) -> str:
    child = element.find(f"{BPMN}{tag}")
    return (child.text or "").strip() if child is not None else ""


def _data_associations(element: etree._Element) -> Iterator[Flow]:
    for tag in ("dataInputAssociation", "dataOutputAssociation"):
        for association in element.iterchildren(f"{BPMN}{tag}"):
            own = element.get("id", "")
            source, target = _text(association, "sourceRef") or own, _text(association, "targetRef") or own
            source, target = (source, own) if tag == "dataInputAssociation" else (own, target)
            yield Flow(association.get("id", ""), "association", source, target)


def _lane(element: etree._Element) -> Lane:
    children = [
        _lane(lane)
        for child in element.iterchildren(f"{BPMN}childLaneSet")
        for lane in child.iterchildren(f"{BPMN}lane")
    ]
    return Lane(element.get("id", ""), element.get("name", ""), children)
