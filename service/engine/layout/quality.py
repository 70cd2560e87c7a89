"""What is wrong with a picture, measured on its BPMN DI – whoever drew it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

from lxml import etree

from ..xml import parse
from .geometry import Line, Rect, cut, meetings, overlay
from .reading import BPMN
from .writing import DI

_DI, _DC, _D = (f"{{{DI[key]}}}" for key in ("bpmndi", "dc", "di"))


@dataclass(frozen=True, slots=True)
class Problem:
    """kind: missing | overlap | through | outside-lane | label-shape | label-line | label-label | collinear."""

    kind: str
    element: str
    other: str = ""


@dataclass(slots=True)
class _Plan:
    shapes: dict[str, Rect]
    edges: dict[str, Line]
    labels: dict[str, Rect]


def problems(xml: bytes) -> list[Problem]:
    """Overlapping shapes, flows through shapes or along one another, labels on something, nodes outside their lane."""
    root = parse(xml)
    plan = _plan(root)
    kinds = {e.get("id"): etree.QName(e).localname for e in root.iter(etree.Element) if e.get("id")}
    inside = _containers(root)
    nodes = {k: r for k, r in plan.shapes.items() if kinds.get(k) not in ("participant", "lane")}
    found = [Problem("missing", e) for e in _expected(root) if e not in plan.shapes and e not in plan.edges]
    found += _overlaps(root, nodes, inside)
    found += _outside(root, plan.shapes)
    found += _through(root, nodes, plan.edges, inside)
    found += _collinear(root, plan.edges)
    return found + _labels(plan, nodes, kinds, inside)


def crossings(xml: bytes) -> int:
    """How often two flows cross."""
    edges = _plan(parse(xml)).edges
    return sum(meetings(one, other) for one, other in combinations(edges.values(), 2))


def _plan(root: etree._Element) -> _Plan:
    plan = _Plan({}, {}, {})
    for shape in root.iter(f"{_DI}BPMNShape"):
        bounds = shape.find(f"{_DC}Bounds")
        if bounds is not None:
            plan.shapes[shape.get("bpmnElement", "")] = _rect(bounds)
    for edge in root.iter(f"{_DI}BPMNEdge"):
        plan.edges[edge.get("bpmnElement", "")] = [
            (float(p.get("x", 0)), float(p.get("y", 0))) for p in edge.iterchildren(f"{_D}waypoint")
        ]
    for element in root.iter(f"{_DI}BPMNShape", f"{_DI}BPMNEdge"):
        bounds = element.find(f"{_DI}BPMNLabel/{_DC}Bounds")
        if bounds is not None:
            plan.labels[element.get("bpmnElement", "")] = _rect(bounds)
    return plan


def _rect(bounds: etree._Element) -> Rect:
    return Rect(*(float(bounds.get(key, 0)) for key in ("x", "y", "width", "height")))


def _expected(root: etree._Element) -> list[str]:
    """Every element that has to be in the picture; a flow whose ends are not there cannot be."""
    named = {e.get("id") for e in root.iter(etree.Element)} - {None}
    kinds = ("participant", "lane", "Task", "Event", "Gateway", "sequenceFlow", "messageFlow")
    return [
        e.get("id", "")
        for e in root.iter(f"{BPMN}*")
        if e.get("id")
        and etree.QName(e).localname.endswith(kinds)
        and (not etree.QName(e).localname.endswith("Flow") or {e.get("sourceRef"), e.get("targetRef")} <= named)
    ]


def _containers(root: etree._Element) -> dict[str, set[str]]:
    """The sub-processes each element lies in."""
    out = {}
    for element in root.iter(etree.Element):
        if element.get("id"):
            out[element.get("id", "")] = {a.get("id", "") for a in element.iterancestors() if a.get("id")}
    return out


def _attached(root: etree._Element) -> dict[str, str]:
    return {e.get("id", ""): e.get("attachedToRef", "") for e in root.iter(f"{BPMN}boundaryEvent")}


def _overlaps(root: etree._Element, nodes: dict[str, Rect], inside: dict[str, set[str]]) -> list[Problem]:
    host = _attached(root)
    return [
        Problem("overlap", one, other)
        for (one, a), (other, b) in combinations(nodes.items(), 2)
        if a.overlaps(b, 2)
        and one not in inside.get(other, ())
        and other not in inside.get(one, ())
        and host.get(one) != other
        and host.get(other) != one
    ]


def _outside(root: etree._Element, shapes: dict[str, Rect]) -> list[Problem]:
    found = []
    for lane in root.iter(f"{BPMN}lane"):
        home = shapes.get(lane.get("id", ""))
        for reference in lane.iterchildren(f"{BPMN}flowNodeRef"):
            node = shapes.get((reference.text or "").strip())
            if home is not None and node is not None and not home.holds(node):
                found.append(Problem("outside-lane", (reference.text or "").strip(), lane.get("id", "")))
    for sub in root.iter(f"{BPMN}subProcess"):
        home = shapes.get(sub.get("id", ""))
        for child in sub.iterchildren(tag=etree.Element):
            node = shapes.get(child.get("id", ""))
            if home is not None and node is not None and not home.holds(node):
                found.append(Problem("outside-lane", child.get("id", ""), sub.get("id", "")))
    return found


def _ends(root: etree._Element) -> dict[str, tuple[str, str]]:
    out = {}
    for tag in ("sequenceFlow", "messageFlow", "association"):
        for flow in root.iter(f"{BPMN}{tag}"):
            out[flow.get("id", "")] = (flow.get("sourceRef", ""), flow.get("targetRef", ""))
    return out


def _through(
    root: etree._Element, nodes: dict[str, Rect], edges: dict[str, Line], inside: dict[str, set[str]]
) -> list[Problem]:
    host, found = _attached(root), []
    for flow, (source, target) in _ends(root).items():
        own = {source, target, host.get(source, "")}
        around = inside.get(flow, set())
        for name, rect in nodes.items():
            if name in own or name in around or name in inside.get(source, ()):
                continue
            if any(cut(rect.shrunk(1), pair) > 0 for pair in pairwise(edges.get(flow, []))):
                found.append(Problem("through", flow, name))
        for name in {source, target} & set(nodes):
            # A flow may touch its own ends at the border only.
            if any(cut(nodes[name].shrunk(3), pair) > 0 for pair in pairwise(edges.get(flow, []))):
                found.append(Problem("through", flow, name))
    return found


def _collinear(root: etree._Element, edges: dict[str, Line]) -> list[Problem]:
    """Two flows to different nodes drawn on top of one another."""
    ends = _ends(root)
    found = []
    for (one, a), (other, b) in combinations(edges.items(), 2):
        if one in ends and other in ends and ends[one][1] == ends[other][1]:
            continue
        if any(overlay(p, q) > 4 for p in pairwise(a) for q in pairwise(b)):
            found.append(Problem("collinear", one, other))
    return found


def _labels(
    plan: _Plan, nodes: dict[str, Rect], kinds: dict[str | None, str], inside: dict[str, set[str]]
) -> list[Problem]:
    found = []
    boxes = {n for n in nodes if kinds.get(n) in ("subProcess", "transaction", "adHocSubProcess", "group")}
    for name, label in plan.labels.items():
        small = label.shrunk(2)
        for other, rect in nodes.items():
            if small.overlaps(rect) and other != name and other not in boxes:
                found.append(Problem("label-shape", name, other))
        for other, line in plan.edges.items():
            if any(cut(small, pair) > 0 for pair in pairwise(line)):
                found.append(Problem("label-line", name, other))
    for (one, a), (other, b) in combinations(plan.labels.items(), 2):
        if a.shrunk(2).overlaps(b.shrunk(2)):
            found.append(Problem("label-label", one, other))
    return found
