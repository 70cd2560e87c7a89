"""Diagrams with a picture, for tests that look at them."""

from __future__ import annotations

from tests.engine.diagrams import HEAD, flows, user

DESK = '<zeebe:assignmentDefinition candidateGroups="coop.intake"/>'
DI = (
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:di="http://www.omg.org/spec/DD/20100524/DI" '
)
SIZES = {"startEvent": (36, 36), "endEvent": (36, 36), "exclusiveGateway": (50, 50), "parallelGateway": (50, 50)}


def drawn(nodes: list[tuple[str, str, int, int]], arrows: str, *, pid: str = "p") -> bytes:
    """A process of (kind, id, column, row) with a picture on a grid."""
    elements, shapes, middle = [], [], {}
    for kind, node_id, column, row in nodes:
        elements.append(user(node_id, DESK) if kind == "userTask" else f'<{kind} id="{node_id}" name="{node_id}"/>')
        width, height = SIZES.get(kind, (100, 80))
        x, y = 150 + 170 * column, 120 + 140 * row
        middle[node_id] = (x, y)
        shapes.append(
            f'<bpmndi:BPMNShape id="{node_id}_di" bpmnElement="{node_id}"><dc:Bounds x="{x - width // 2}"'
            f' y="{y - height // 2}" width="{width}" height="{height}"/></bpmndi:BPMNShape>'
        )
    flow = flows(arrows)
    for part in flow.split('<sequenceFlow id="')[1:]:
        flow_id = part.split('"')[0]
        source, target = part.split('sourceRef="')[1].split('"')[0], part.split('targetRef="')[1].split('"')[0]
        points = "".join(f'<di:waypoint x="{x}" y="{y}"/>' for x, y in (middle[source], middle[target]))
        shapes.append(f'<bpmndi:BPMNEdge id="{flow_id}_di" bpmnElement="{flow_id}">{points}</bpmndi:BPMNEdge>')
    head = HEAD.replace("<definitions ", f"<definitions {DI}")
    picture = f'<bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="pl" bpmnElement="{pid}">{"".join(shapes)}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
    return f'{head}<process id="{pid}" name="{pid}" isExecutable="true">{"".join(elements)}{flow}</process>{picture}</definitions>'.encode()


def straight() -> bytes:
    """Start, task, end."""
    return drawn([("startEvent", "s", 0, 0), ("userTask", "a", 1, 0), ("endEvent", "e", 2, 0)], "s -> a -> e")


def deadlock() -> bytes:
    """An exclusive split into a parallel join."""
    return drawn(
        [
            ("startEvent", "s", 0, 0),
            ("exclusiveGateway", "x", 1, 0),
            ("userTask", "a", 2, 0),
            ("userTask", "b", 2, 1),
            ("parallelGateway", "j", 3, 0),
            ("endEvent", "e", 4, 0),
        ],
        "s -> x -[=true]-> a -> j -> e; x -[=false]-> b -> j",
    )
