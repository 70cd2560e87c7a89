"""The layout tool: what it keeps, what it promises, and what its measure of quality sees."""

from __future__ import annotations

import itertools
import re

import pytest
from lxml import etree

from service.engine import layout

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">\n'
)
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"


def process(*elements: str, lanes: str = "", collaboration: str = "") -> bytes:
    body = "\n".join(f"    {element}" for element in elements)
    pool = '<bpmn:participant id="pool" name="流程" processRef="p" />'
    head = (
        f'  <bpmn:collaboration id="c">{pool}{collaboration}</bpmn:collaboration>\n' if lanes or collaboration else ""
    )
    text = f'{HEAD}{head}  <bpmn:process id="p">\n{lanes}\n{body}\n  </bpmn:process>\n</bpmn:definitions>\n'
    return text.encode()


def node(kind: str, name: str, label: str = "", extra: str = "") -> str:
    return f'<bpmn:{kind} id="{name}" name="{label or name}"{extra} />'


def flows(*pairs: str) -> list[str]:
    out = []
    for number, pair in enumerate(pairs):
        source, target = pair.split(">")
        out.append(f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}" />')
    return out


def lane_set(**lanes: str) -> str:
    text = "".join(
        f'<bpmn:lane id="{name}" name="{name}">'
        + "".join(f"<bpmn:flowNodeRef>{n}</bpmn:flowNodeRef>" for n in members.split())
        + "</bpmn:lane>"
        for name, members in lanes.items()
    )
    return f'<bpmn:laneSet id="lanes">{text}</bpmn:laneSet>'


def bounds(xml: bytes) -> dict[str, tuple[float, float, float, float]]:
    out = {}
    for shape in etree.fromstring(xml).iter(f"{DI}BPMNShape"):
        box = shape.find(f"{DC}Bounds")
        assert box is not None
        out[shape.get("bpmnElement", "")] = tuple(float(box.get(k, 0)) for k in ("x", "y", "width", "height"))
    return out  # type: ignore[return-value]


SEQUENCE = process(
    node("startEvent", "s"), node("userTask", "a"), node("userTask", "b"), node("endEvent", "e"),
    *flows("s>a", "a>b", "b>e"),
)  # fmt: skip
LOOP = process(
    node("startEvent", "s"), node("userTask", "a", "填报"), node("exclusiveGateway", "x", "通过？"),
    node("userTask", "b", "公布"), node("endEvent", "e", "完成"), node("endEvent", "r", "拒绝"),
    *flows("s>a", "a>x", "x>b", "x>a", "x>r", "b>e"),
)  # fmt: skip


def test_work_goes_from_left_to_right_in_a_straight_line() -> None:
    places = bounds(layout.layout(SEQUENCE))
    centres = [(x + w / 2, y + h / 2) for x, y, w, h in (places[n] for n in "sabe")]
    assert [x for x, _ in centres] == sorted(x for x, _ in centres)
    assert len({y for _, y in centres}) == 1


def test_everything_but_the_picture_stays_byte_for_byte() -> None:
    drawn = layout.layout(LOOP)
    without = re.sub(rb"  <bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>\n", b"", drawn, flags=re.DOTALL)
    assert without == LOOP


@pytest.mark.parametrize("xml", [SEQUENCE, LOOP], ids=["sequence", "loop"])
def test_laying_out_twice_changes_nothing(xml: bytes) -> None:
    once = layout.layout(xml)
    assert layout.layout(once) == once


def test_a_loop_comes_back_without_touching_a_node() -> None:
    drawn = layout.layout(LOOP)
    assert layout.problems(drawn) == []
    assert layout.crossings(drawn) == 0


def test_nodes_stand_in_their_lane_and_lanes_take_the_full_width() -> None:
    xml = process(
        node("startEvent", "s"), node("userTask", "a"), node("userTask", "b"), node("endEvent", "e"),
        *flows("s>a", "a>b", "b>e"), lanes=lane_set(one="s a", two="b e", three=""),
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    places = bounds(drawn)
    lanes = [places[name] for name in ("one", "two", "three")]
    assert {(x, w) for x, _, w, _ in lanes} == {(places["pool"][0] + 30, places["pool"][2] - 30)}
    assert all(upper[1] + upper[3] == lower[1] for upper, lower in itertools.pairwise(lanes))


def test_a_boundary_event_hangs_on_its_host_and_its_flow_goes_down() -> None:
    xml = process(
        node("startEvent", "s"), node("userTask", "a"), node("endEvent", "e"),
        '<bpmn:boundaryEvent id="late" name="逾期" attachedToRef="a"><bpmn:timerEventDefinition id="t" /></bpmn:boundaryEvent>',
        node("userTask", "chase", "催办"), node("endEvent", "done"), *flows("s>a", "a>e", "late>chase", "chase>done"),
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    places = bounds(drawn)
    assert places["late"][1] + 18 == places["a"][1] + places["a"][3]
    assert places["chase"][1] > places["a"][1] + places["a"][3]


def test_two_events_on_one_task_and_what_comes_back_cross_nothing() -> None:
    timer = '<bpmn:boundaryEvent id="{0}" name="{0}" attachedToRef="a"><bpmn:timerEventDefinition id="{0}t" /></bpmn:boundaryEvent>'
    two = process(
        node("startEvent", "s"), node("userTask", "a"), node("endEvent", "e"), timer.format("near"), timer.format("late"),
        node("serviceTask", "remind"), node("serviceTask", "tell"), node("endEvent", "reminded"), node("endEvent", "told"),
        *flows("s>a", "a>e", "near>remind", "remind>reminded", "late>tell", "tell>told"),
    )  # fmt: skip
    back = process(
        node("startEvent", "s"), node("serviceTask", "a"), node("endEvent", "e"), timer.format("unknown"),
        node("userTask", "choose"), *flows("s>a", "a>e", "unknown>choose", "choose>a"),
        lanes=lane_set(one="s a e unknown", two="choose"),
    )  # fmt: skip
    for xml in (two, back):
        drawn = layout.layout(xml)
        assert layout.problems(drawn) == []
        assert layout.crossings(drawn) == 0


def test_returns_to_two_steps_run_beside_one_another() -> None:
    """Each goes above or below the work; neither through the other."""
    xml = process(
        node("startEvent", "s"), node("userTask", "draft"), node("userTask", "review"), node("exclusiveGateway", "x"),
        node("userTask", "sign"), node("exclusiveGateway", "y"), node("endEvent", "e"),
        *flows("s>draft", "draft>review", "review>x", "x>sign", "x>draft", "sign>y", "y>review", "y>e"),
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    assert layout.crossings(drawn) == 0


def test_a_sub_process_is_expanded_around_its_content() -> None:
    inner = "".join([node("startEvent", "is"), node("userTask", "ia"), node("endEvent", "ie")])
    inner += "".join(f.replace('id="f', 'id="i') for f in flows("is>ia", "ia>ie"))
    xml = process(
        node("startEvent", "s"), f'<bpmn:subProcess id="sub" name="公示期">{inner}</bpmn:subProcess>',
        f'<bpmn:subProcess id="ev" name="撤回" triggeredByEvent="true">{inner.replace("id=", "id=_")}</bpmn:subProcess>'
        .replace("id=_\"", 'id="v').replace('sourceRef="', 'sourceRef="v').replace('targetRef="', 'targetRef="v'),
        node("endEvent", "e"), *flows("s>sub", "sub>e"),
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    places = bounds(drawn)
    x, y, w, h = places["sub"]
    assert all(x < places[n][0] and places[n][0] + places[n][2] < x + w for n in ("is", "ia", "ie"))
    assert all(y < places[n][1] and places[n][1] + places[n][3] < y + h for n in ("is", "ia", "ie"))


def test_black_box_pools_stand_above_or_below_and_messages_run_upright() -> None:
    collaboration = (
        '<bpmn:participant id="public" name="社会公众" />'
        '<bpmn:messageFlow id="m1" name="公示" sourceRef="a" targetRef="public" />'
    )
    xml = process(
        node("startEvent", "s"), node("userTask", "a"), node("endEvent", "e"), *flows("s>a", "a>e"),
        collaboration=collaboration,
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    places = bounds(drawn)
    assert places["public"][1] > places["pool"][1] + places["pool"][3]
    edge = next(e for e in etree.fromstring(drawn).iter(f"{DI}BPMNEdge") if e.get("bpmnElement") == "m1")
    assert len({p.get("x") for p in edge if p.tag.endswith("waypoint")}) == 1


def test_annotations_and_data_are_drawn() -> None:
    xml = process(
        node("startEvent", "s"), node("userTask", "a"), node("endEvent", "e"), *flows("s>a", "a>e"),
        '<bpmn:textAnnotation id="note"><bpmn:text>十个工作日</bpmn:text></bpmn:textAnnotation>',
        '<bpmn:association id="as" sourceRef="a" targetRef="note" />',
        '<bpmn:dataObjectReference id="data" name="申报书" dataObjectRef="do" />', '<bpmn:dataObject id="do" />',
    )  # fmt: skip
    drawn = layout.layout(xml)
    assert layout.problems(drawn) == []
    assert {"note", "data"} <= set(bounds(drawn))


def test_colours_somebody_gave_are_kept() -> None:
    coloured = SEQUENCE.replace(b' id="d"', b' xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" id="d"')
    drawn = layout.layout(coloured).replace(b'bpmnElement="a">', b'bpmnElement="a" bioc:stroke="#f00">')
    assert b'bpmnElement="a" bioc:stroke="#f00"' in layout.layout(drawn)


def test_an_old_picture_is_replaced_wherever_it_stands() -> None:
    drawn = layout.layout(SEQUENCE)
    moved = drawn.replace(b'x="', b'x="9')
    assert layout.layout(moved) == drawn


def test_the_measure_sees_overlap_detour_and_stray_nodes() -> None:
    drawn = layout.layout(LOOP)
    places = bounds(drawn)
    x, y, _, _ = places["a"]
    on_a = re.sub(rb'(bpmnElement="b">\s*<dc:Bounds )x="\d+" y="\d+"', rb'\g<1>x="%d" y="%d"' % (x + 20, y + 20), drawn)
    kinds = {(p.kind, p.element) for p in layout.problems(on_a)}
    assert ("overlap", "a") in kinds
    assert any(kind == "through" for kind, _ in kinds)


def test_a_node_outside_its_lane_is_seen() -> None:
    xml = process(node("startEvent", "s"), node("endEvent", "e"), *flows("s>e"), lanes=lane_set(one="s", two="e"))
    drawn = layout.layout(xml)
    swapped = (
        drawn.replace(b"<bpmn:flowNodeRef>s", b"<bpmn:flowNodeRef>#")
        .replace(b"<bpmn:flowNodeRef>e", b"<bpmn:flowNodeRef>s")
        .replace(b"<bpmn:flowNodeRef>#", b"<bpmn:flowNodeRef>e")
    )
    assert {p.kind for p in layout.problems(swapped)} == {"outside-lane"}
