"""Every rule, by a small diagram that breaks it – and a sound one that breaks none."""

from __future__ import annotations

import json

import pytest

from service import engine

from .diagrams import HEAD, ext, process, script, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
FORM = json.dumps({"id": "form", "type": "default", "components": []}).encode()
ROLES, LANES, TOPICS = {"coop.intake"}, {"国际合作司": "coop.intake"}, {"notify"}


def task(node_id: str = "a") -> str:
    return user(
        node_id, '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition candidateGroups="coop.intake"/>'
    )


def findings(diagram: bytes, **files: bytes) -> list[engine.Finding]:
    named = {"p.bpmn": diagram, "form.form": FORM} | {k.replace("__", "."): v for k, v in files.items()}
    return engine.validate(named, ROLES, LANES, TOPICS)


def test_a_sound_diagram_has_no_findings():
    assert findings(process(START + task() + END, "s -> a -> e")) == []


def service(inner: str) -> str:
    return f'<serviceTask id="a">{ext(inner)}</serviceTask>'


def returning(name: str, value: str) -> bytes:
    inner = f'<zeebe:properties><zeebe:property name="{name}" value="{value}"/></zeebe:properties>'
    return process(START + task().replace("</extensionElements>", f"{inner}</extensionElements>") + END, "s -> a -> e")


BROKEN = {
    "returns-form": returning("returns", "gone"),
    "corrections-feel": returning("corrections", "review.corrections"),
    "clock-bad": returning("clock", "stops"),
    "id-reserved": process(START + task("Root") + END, "s -> Root -> e"),
    "no-start": process(task() + END, "a -> e"),
    "no-end": process(START + task(), "s -> a"),
    "start-multiple": process(START + '<startEvent id="s2"/>' + task() + END, "s -> a -> e; s2 -> a"),
    "start-kind": process('<startEvent id="s"><errorEventDefinition/></startEvent>' + task() + END, "s -> a -> e"),
    "subprocess-start": process(START + '<subProcess id="sub"><startEvent id="is"><timerEventDefinition><timeDate>2026-01-01</timeDate></timerEventDefinition></startEvent></subProcess>' + END, "s -> sub -> e"),
    "flow-into-event": process(START + task() + END, "s -> a -> e; a -> s"),
    "flow-out-of-end": process(START + task() + END, "s -> a -> e; e -> a"),
    "no-way-out": process(START + '<exclusiveGateway id="g"/>' + END, "s -> g; s -> e"),
    "implicit-end": process(START + task() + task("b") + END, "s -> a -> e; s -> b"),
    "needless-condition": process(START + '<parallelGateway id="g"/>' + task() + END, "s -> g; g -[=x]-> a; g -> e; a -> e"),
    "flow-condition": process(START + '<exclusiveGateway id="g"/>' + task() + END, "s -> g; g -> a; g -[=x]-> e; a -> e"),
    "no-default": process(START + '<exclusiveGateway id="g"/>' + task() + END, "s -> g; g -[=y]-> a; g -[=x]-> e; a -> e"),
    "default-flow": process(START + '<exclusiveGateway id="g" default="a_e"/>' + task() + END, "s -> g -> a -> e"),
    "event-gateway-target": process(START + '<eventBasedGateway id="g"/>' + task() + END, "s -> g -> a -> e"),
    "unreachable": process(START + task() + task("b") + END, "s -> a -> e; b -> e"),
    "deadlock": process(START + '<exclusiveGateway id="g" default="g_b"/>' + task() + task("b") + '<parallelGateway id="j"/>' + END, "s -> g; g -[=x]-> a -> j; g -> b -> j; j -> e"),
    "unbounded": process(START + '<exclusiveGateway id="m"/><parallelGateway id="g"/>' + task() + END, "s -> m -> g; g -> m; g -> a -> e"),
    "event-kind": process(START + '<intermediateCatchEvent id="c"/>' + END, "s -> c -> e"),
    "event-unsupported": process(START + '<intermediateCatchEvent id="c"><signalEventDefinition/></intermediateCatchEvent>' + END, "s -> c -> e"),
    "boundary-host": process(START + task() + '<boundaryEvent id="b" attachedToRef="nothing"><errorEventDefinition/></boundaryEvent>' + END, "s -> a -> e; b -> e"),
    "boundary-error": process(START + task() + '<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><errorEventDefinition/></boundaryEvent>' + END, "s -> a -> e; b -> e"),
    "timer-missing": process(START + '<intermediateCatchEvent id="c"><timerEventDefinition/></intermediateCatchEvent>' + END, "s -> c -> e"),
    "timer-bad": process(START + '<intermediateCatchEvent id="c"><timerEventDefinition><timeDuration>P1DT</timeDuration></timerEventDefinition></intermediateCatchEvent>' + END, "s -> c -> e"),
    "timer-cycle": process(START + '<intermediateCatchEvent id="c"><timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition></intermediateCatchEvent>' + END, "s -> c -> e"),
    "message-missing": process(START + '<sendTask id="a"/>' + END, "s -> a -> e"),
    "correlation-key": process(START + '<receiveTask id="a" messageRef="m"/>' + END, "s -> a -> e", globals='<message id="m" name="paid"/>'),
    "code-missing": process(START + '<endEvent id="e"><errorEventDefinition/></endEvent>', "s -> e"),
    "reference": process(START + '<receiveTask id="a" messageRef="nothing"/>' + END, "s -> a -> e"),
    "form-missing": process(START + user("a", '<zeebe:formDefinition formId="none"/><zeebe:assignmentDefinition assignee="x"/>') + END, "s -> a -> e"),
    "form-none": process(START + user("a", '<zeebe:assignmentDefinition assignee="x"/>') + END, "s -> a -> e"),
    "role-none": process(START + user("a", '<zeebe:formDefinition formId="form"/>') + END, "s -> a -> e"),
    "role-unknown": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition candidateGroups="coop.nobody"/>') + END, "s -> a -> e"),
    "lane-unknown": process('<laneSet id="ls"><lane id="l" name="路人"><flowNodeRef>a</flowNodeRef></lane></laneSet>' + START + user("a", '<zeebe:formDefinition formId="form"/>') + END, "s -> a -> e"),
    "date-bad": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition assignee="x"/><zeebe:taskSchedule dueDate="soon"/>') + END, "s -> a -> e"),
    "priority-bad": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition assignee="x"/><zeebe:priorityDefinition priority="high"/>') + END, "s -> a -> e"),
    "topic-missing": process(START + '<serviceTask id="a"/>' + END, "s -> a -> e"),
    "topic-unknown": process(START + service('<zeebe:taskDefinition type="fly"/>') + END, "s -> a -> e"),
    "script-missing": process(START + '<scriptTask id="a"/>' + END, "s -> a -> e"),
    "script-language": process(START + '<scriptTask id="a"><script>import os</script></scriptTask>' + END, "s -> a -> e"),
    "decision-none": process(START + '<businessRuleTask id="a"/>' + END, "s -> a -> e"),
    "decision-missing": process(START + f'<businessRuleTask id="a">{ext("""<zeebe:calledDecision decisionId="none" resultVariable="r"/>""")}</businessRuleTask>' + END, "s -> a -> e"),
    "process-none": process(START + '<callActivity id="a"/>' + END, "s -> a -> e"),
    "process-missing": process(START + f'<callActivity id="a">{ext("""<zeebe:calledElement processId="none"/>""")}</callActivity>' + END, "s -> a -> e"),
    "loop-collection": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition assignee="x"/>', "<multiInstanceLoopCharacteristics/>") + END, "s -> a -> e"),
    "loop-standard": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition assignee="x"/>', "<standardLoopCharacteristics/>") + END, "s -> a -> e"),
    "unknown-element": process(START + '<complexGateway id="g"/>' + task() + END, "s -> a -> e"),
    "id-duplicate": process(START + task() + task() + END, "s -> a -> e"),
    "feel": process(START + script("a", "=1 +", "x") + END, "s -> a -> e"),
    "feel-filter": process(START + script("a", "=xs[not(item.done)]", "x") + END, "s -> a -> e"),
    "mapping-target": process(START + user("a", '<zeebe:formDefinition formId="form"/><zeebe:assignmentDefinition assignee="x"/><zeebe:ioMapping><zeebe:input source="=1" target="a b"/></zeebe:ioMapping>') + END, "s -> a -> e"),
    "camunda-7": process(START + '<serviceTask id="a"><extensionElements><c7:connector xmlns:c7="http://camunda.org/schema/1.0/bpmn"/><zeebe:taskDefinition type="notify"/></extensionElements></serviceTask>' + END, "s -> a -> e"),
    "flow-end": process(START + task() + END, "s -> a -> e; a -> nowhere"),
    "not-executable": (HEAD + '<process id="p"/></definitions>').encode(),
    "xml": b"<definitions",
    "not-bpmn": b"<html/>",
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_the_rule_is_found_and_says_so_in_two_languages(rule):
    found = [f for f in findings(BROKEN[rule]) if f.rule == rule]
    assert found, [f.rule for f in findings(BROKEN[rule])]
    assert all(f.zh.endswith(("。", "）", "！")) and any("\u4e00" <= c <= "\u9fff" for c in f.zh) for f in found)
    assert all((f.en and f.en.isascii()) or "“" in f.en for f in found)


def test_a_deadlock_names_the_way_that_leads_there():
    (found,) = [f for f in findings(BROKEN["deadlock"]) if f.rule == "deadlock"]
    assert found.element_id == "j"
    assert "s → g → " in found.zh


def test_the_same_form_or_process_twice_is_refused():
    diagram = process(START + task() + END, "s -> a -> e")
    assert {f.rule for f in findings(diagram, other__form=FORM, again__bpmn=diagram)} == {
        "form-duplicate",
        "process-duplicate",
    }


def test_a_rejected_bundle_carries_its_findings():
    with pytest.raises(engine.BundleRejected) as caught:
        engine.read_bundle({"p.bpmn": BROKEN["no-end"], "form.form": FORM})
    assert [f.rule for f in caught.value.findings] == ["no-end", "implicit-end"]
    assert "1 个错误" in caught.value.zh


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><definitions>&b;</definitions>',
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><definitions>&x;</definitions>',
        b"<a>" * 100_000,
        b"<definitions>" + b"<a/>" * 300_000 + b"</definitions>",
        b" " * (11 * 1024 * 1024),
        b"\xff\xfe\x00broken",
        b'<?xml version="1.0" encoding="made-up"?><definitions/>',
    ],
    ids=["entities", "external", "deep", "many", "large", "bytes", "encoding"],
)
def test_hostile_xml_is_a_finding(hostile):
    (found,) = [f for f in engine.validate({"p.bpmn": hostile}) if f.severity == "error"]
    assert found.rule == "xml"


def test_a_form_that_is_no_form_is_a_finding():
    diagram = process(START + task() + END, "s -> a -> e")
    for bad in (b"[]", b"{", b'{"id": 1, "components": []}', b"[" * 100_000):
        assert "form" in {f.rule for f in findings(diagram, bad__form=bad)}


def test_what_is_cut_off_is_said_once_at_its_beginning_with_what_follows_it():
    diagram = process(
        START + task() + task("b") + task("c") + task("d") + task("x") + task("y") + END,
        "s -> a -> e; b -> c -> d -> e; x -> y -> x",
    )
    said = [one for one in engine.validate({"p.bpmn": diagram}) if one.rule == "unreachable"]
    assert [one.element_id for one in said] == ["b", "x"]
    assert "它后面的 2 个元素因此也走不到" in said[0].zh
