"""The picture as BPMN DI, put in the place of the old one; not a byte of anything else changes."""

from __future__ import annotations

import re
from itertools import chain
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from .geometry import Drawing
from .reading import Flow, Lane, Node, Picture

DI = {
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
}
MARGIN = (160, 80)


def write(xml: bytes, root: etree._Element, picture: Picture, drawing: Drawing) -> bytes:
    """``xml`` with its first diagram replaced by this one and further diagrams left out."""
    text = _diagram(root, picture, drawing).encode(_encoding(xml))
    spans, end = _spans(xml)
    if not spans:
        return xml[:end].rstrip() + b"\n" + text + xml[end:]
    out, last = [xml[: _line_start(xml, spans[0][0])], text], spans[0][1]
    for start, stop in spans[1:]:
        out.append(xml[last : _line_start(xml, start)].strip(b"\n"))
        last = stop
    return b"".join(out) + xml[last:].lstrip(b"\n")


def _line_start(xml: bytes, at: int) -> int:
    """The beginning of the line where only blanks stand before ``at``."""
    start = xml.rfind(b"\n", 0, at) + 1
    return start if not xml[start:at].strip() else at


def _encoding(xml: bytes) -> str:
    match = re.match(rb"<\?xml[^>]*encoding=[\"']([^\"']+)", xml)
    return match[1].decode("ascii") if match else "utf-8"


def _spans(xml: bytes) -> tuple[list[tuple[int, int]], int]:
    """Where the BPMNDiagram elements stand, and where the closing tag of the file begins."""
    parser = expat.ParserCreate(namespace_separator="}")
    name = DI["bpmndi"] + "}BPMNDiagram"
    starts: list[int] = []
    spans: list[tuple[int, int]] = []
    depth, end = 0, [0]

    def start(tag: str, _: object) -> None:
        nonlocal depth
        depth += 1
        if tag == name:
            starts.append(parser.CurrentByteIndex)

    def stop(tag: str) -> None:
        nonlocal depth
        depth -= 1
        at = parser.CurrentByteIndex
        if tag == name:
            spans.append((starts.pop(), xml.index(b">", at) + 1))
        if depth == 0:
            end[0] = at

    parser.StartElementHandler, parser.EndElementHandler = start, stop
    parser.Parse(xml, True)
    return spans, end[0]


def _diagram(root: etree._Element, picture: Picture, drawing: Drawing) -> str:
    prefix = {uri: name for name, uri in root.nsmap.items() if name}
    names = {key: prefix.get(uri, key) for key, uri in DI.items()}
    missing = [f' xmlns:{key}="{uri}"' for key, uri in DI.items() if uri not in prefix]
    b, c, d = names["bpmndi"], names["dc"], names["di"]
    colours = _colours(root)
    lines = [
        f'  <{b}:BPMNDiagram{"".join(missing)} id="BPMNDiagram_1">',
        f'    <{b}:BPMNPlane id="BPMNPlane_1" bpmnElement="{picture.plane}">',
    ]
    for name, marks in _shapes(picture):
        rect = drawing.shapes.get(name)
        if rect is None:
            continue
        lines.append(f'      <{b}:BPMNShape id="{name}_di" bpmnElement="{name}"{marks}{colours.get(name, "")}>')
        lines.append(f"        <{c}:Bounds {_bounds(rect.x, rect.y, rect.w, rect.h)} />")
        lines += _label(drawing, name, b, c)
        lines.append(f"      </{b}:BPMNShape>")
    for name in _edges(picture):
        points = drawing.edges.get(name)
        if points is None:
            continue
        lines.append(f'      <{b}:BPMNEdge id="{name}_di" bpmnElement="{name}"{colours.get(name, "")}>')
        lines += [f'        <{d}:waypoint x="{_px(x, 0)}" y="{_px(y, 1)}" />' for x, y in points]
        lines += _label(drawing, name, b, c)
        lines.append(f"      </{b}:BPMNEdge>")
    lines += [f"    </{b}:BPMNPlane>", f"  </{b}:BPMNDiagram>", ""]
    return "\n".join(lines)


def _px(value: float, axis: int) -> int:
    return round(value + MARGIN[axis])


def _bounds(x: float, y: float, w: float, h: float) -> str:
    return f'x="{_px(x, 0)}" y="{_px(y, 1)}" width="{round(w)}" height="{round(h)}"'


def _label(drawing: Drawing, name: str, b: str, c: str) -> list[str]:
    rect = drawing.labels.get(name)
    if rect is None:
        return []
    bounds = _bounds(rect.x, rect.y, rect.w, rect.h)
    return [f"        <{b}:BPMNLabel>", f"          <{c}:Bounds {bounds} />", f"        </{b}:BPMNLabel>"]


def _shapes(picture: Picture) -> list[tuple[str, str]]:
    out = [(pool.id, ' isHorizontal="true"') for pool in picture.pools if pool.id]
    for pool in picture.pools:
        if pool.scope is not None:
            for lane in pool.scope.lanes:
                out += [(one, ' isHorizontal="true"') for one in _lane_ids(lane)]
    for pool in picture.pools:
        if pool.scope is not None:
            nodes = list(pool.scope.walk())
            # Boundary events come after their hosts, or bpmn-js could not attach them.
            out += [(n.id, _marks(n)) for n in nodes if not n.host] + [(n.id, "") for n in nodes if n.host]
    return out


def _marks(node: Node) -> str:
    if node.kind == "exclusiveGateway":
        return ' isMarkerVisible="true"'
    return ' isExpanded="true"' if node.inside is not None else ""


def _lane_ids(lane: Lane) -> list[str]:
    return [lane.id, *chain.from_iterable(_lane_ids(child) for child in lane.children)]


def _edges(picture: Picture) -> list[str]:
    flows: list[Flow] = list(picture.messages)
    for pool in picture.pools:
        if pool.scope is not None:
            flows += pool.scope.flows
            for node in pool.scope.walk():
                if node.inside is not None:
                    flows += node.inside.flows
    return [flow.id for flow in flows]


def _colours(root: etree._Element) -> dict[str, str]:
    """Colours somebody gave to shapes and lines; they are attributes of other namespaces and stay."""
    out = {}
    prefix = {uri: name for name, uri in root.nsmap.items() if name}
    for element in root.iter(f"{{{DI['bpmndi']}}}BPMNShape", f"{{{DI['bpmndi']}}}BPMNEdge"):
        kept = ""
        for key, value in element.attrib.items():
            name = etree.QName(key)
            space = prefix.get(name.namespace or "")
            if space and name.namespace not in DI.values():
                kept += f" {space}:{name.localname}={quoteattr(str(value))}"
        if kept:
            out[element.get("bpmnElement", "")] = kept
    return out
