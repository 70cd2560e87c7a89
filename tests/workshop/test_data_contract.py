"""Every variable that is read was written before, on every path; held against playing random diagrams through."""

from __future__ import annotations

import json
from collections import deque

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import engine
from service.commands.procedures.catalogue import CATALOGUE
from service.engine.contract import Sources, analyse
from tests.engine.diagrams import NOW, ext, process, script, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
XOR = '<exclusiveGateway id="{}" default="{}"/>'


def form(form_id: str, *components: dict) -> bytes:
    return json.dumps({"type": "default", "id": form_id, "components": list(components)}).encode()


def field(key: str, kind: str = "textfield", **more) -> dict:
    return {"type": kind, "key": key, "id": f"f_{key}", "label": key.upper(), **more}


def group(path: str, *components: dict) -> dict:
    return {"type": "group", "path": path, "id": f"g_{path}", "components": list(components)}


def with_form(node_id: str, form_id: str, inner: str = "") -> str:
    return user(node_id, f'<zeebe:formDefinition formId="{form_id}"/>{inner}')


def found(diagram: bytes, **files: bytes) -> list[engine.Finding]:
    named = {"p.bpmn": diagram} | {name.replace("__", "."): content for name, content in files.items()}
    rules = ("variable-unwritten", "variable-maybe-unwritten", "form-field-unused", "template-unknown")
    return [one for one in engine.validate(named, catalogue=CATALOGUE) if one.rule in rules]


def said(diagram: bytes, **files: bytes) -> list[tuple[str, str | None]]:
    return [(one.rule, one.element_id) for one in found(diagram, **files)]


DECISION = form("decide", group("decision", field("result"), field("reason")))
ELEMENTS = (
    START + END + with_form("d", "decide") + XOR.format("g", "g_x") + user("x") + user("y") + '<endEvent id="e2"/>'
)


def test_a_variable_of_a_form_before_is_in_order():
    diagram = process(ELEMENTS, 's -> d -> g -[=decision.result = "yes"]-> y -> e; g -> x -> e2')
    assert said(diagram, decide__form=DECISION) == [("form-field-unused", "f_reason")]


def test_a_variable_that_one_path_leaves_out_is_said_with_that_path_and_its_form():
    elements = ELEMENTS + XOR.format("h", "h_g")
    diagram = process(
        elements, 's -> h -[=profile = "strict"]-> d -> g; h -> g; g -[=decision.result = "yes"]-> y -> e; g -> x -> e2'
    )
    finding = next(one for one in found(diagram, decide__form=DECISION) if one.rule == "variable-maybe-unwritten")
    assert finding.element_id == "g_y"
    assert finding.path == ("s", "h", "g")
    assert "表单“d”" in finding.zh


def test_a_misspelt_variable_is_said_with_the_one_that_was_meant():
    diagram = process(ELEMENTS, 's -> d -> g -[=decison.result = "yes"]-> y -> e; g -> x -> e2')
    finding = next(one for one in found(diagram, decide__form=DECISION) if one.rule == "variable-unwritten")
    assert "是不是“decision”" in finding.zh


def test_a_misspelt_field_of_a_form_is_said_with_the_one_that_was_meant():
    diagram = process(ELEMENTS, 's -> d -> g -[=decision.resultt = "yes"]-> y -> e; g -> x -> e2')
    finding = next(one for one in found(diagram, decide__form=DECISION) if one.rule == "variable-unwritten")
    assert "是不是“decision.result”" in finding.zh
    assert "表单“d”" in finding.zh


def test_a_text_that_asks_whether_there_is_a_value_may_read_none():
    elements = ELEMENTS + XOR.format("h", "h_g")
    arrows = 's -> h -[=profile = "strict"]-> d -> g; h -> g; g -[={}]-> y -> e; g -> x -> e2'
    for asked in (
        'decision != null and decision.result = "yes"',
        'if decision = null then false else decision.result = "yes"',
    ):
        rules = {rule for rule, _ in said(process(elements, arrows.format(asked)), decide__form=DECISION)}
        assert rules <= {"form-field-unused"}, asked


def test_a_flow_that_needs_a_value_is_taken_only_where_there_is_one():
    elements = ELEMENTS + XOR.format("h", "h_g") + script("t", "=decision.reason", "why")
    diagram = process(
        elements, 's -> h -[=profile = "strict"]-> d -> g; h -> g; g -[=decision != null]-> t -> y -> e; g -> x -> e2'
    )
    assert said(diagram, decide__form=form("decide", group("decision", field("reason")))) == []


def test_branches_that_run_together_have_both_written_when_they_meet():
    elements = START + END + script("a", "=1", "one") + script("b", "=2", "two") + script("c", "=one + two", "three")
    elements += '<parallelGateway id="p1"/><parallelGateway id="p2"/>'
    assert said(process(elements, "s -> p1 -> a -> p2 -> c -> e; p1 -> b -> p2")) == []
    beside = process(elements.replace("=2", "=one"), "s -> p1 -> a -> p2 -> c -> e; p1 -> b -> p2")
    assert said(beside) == [("variable-unwritten", "b")]


def test_what_a_task_gives_is_not_there_when_its_boundary_event_happens():
    timer = '<boundaryEvent id="b" attachedToRef="d"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>'
    elements = (
        START
        + END
        + with_form("d", "decide")
        + timer
        + '<endEvent id="e2"/>'
        + script("late", "=decision.reason", "why")
    )
    diagram = process(elements, "s -> d -> e; b -> late -> e2")
    assert ("variable-unwritten", "late") in said(diagram, decide__form=DECISION)


def test_a_called_process_has_what_every_caller_has_and_gives_back_what_every_end_has():
    call = f'<callActivity id="{{}}">{ext("""<zeebe:calledElement processId="q"/>""")}</callActivity>'
    caller = process(
        START + END + script("a", "=1", "one") + call.format("c") + script("z", "=answer + 1", "more"),
        "s -> a -> c -> z -> e",
    )
    ends = '<startEvent id="qs"/><endEvent id="qe"/>'
    called = process(ends + script("w", "=one + 1", "answer"), "qs -> w -> qe", pid="q")
    assert said(caller, q__bpmn=called) == []
    without = process('<startEvent id="os"/><endEvent id="oe"/>' + call.format("oc"), "os -> oc -> oe", pid="o")
    assert said(caller, q__bpmn=called, o__bpmn=without) == [("variable-maybe-unwritten", "w")]


def test_rounds_may_be_none_so_only_their_collection_is_sure():
    loop = '<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=parties" inputElement="one" outputCollection="votes" outputElement="=decision"/></extensionElements></multiInstanceLoopCharacteristics>'
    task = user("d", '<zeebe:formDefinition formId="decide"/>', loop)
    good = process(
        START + END + task + script("c", '=count(votes[result = "yes"]) + count(votes.reason)', "n"), "s -> d -> c -> e"
    )
    assert said(good, decide__form=DECISION) == []
    wrong = process(START + END + task + script("c", "=votes.reazon", "n"), "s -> d -> c -> e")
    assert ("variable-unwritten", "c") in said(wrong, decide__form=DECISION)


def test_a_message_brings_what_its_sender_maps_into_it():
    message = '<message id="m" name="note">{}</message>'.format(
        ext('<zeebe:subscription correlationKey="=caseNumber"/>')
    )
    throw = f'<intermediateThrowEvent id="t">{ext("""<zeebe:ioMapping><zeebe:input source="=caseNumber" target="from"/></zeebe:ioMapping>""")}<messageEventDefinition messageRef="m"/></intermediateThrowEvent>'
    catch = '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    sender = process(START + END + throw, "s -> t -> e", globals=message)
    receiver = process(
        '<startEvent id="rs"/><endEvent id="re"/>' + catch + script("x", "=from + to", "y"),
        "rs -> c -> x -> re",
        pid="r",
        globals=message,
    )
    assert said(sender, r__bpmn=receiver) == [("variable-unwritten", "x")]
    assert "to" in found(sender, r__bpmn=receiver)[0].zh


def test_tables_services_and_forms_are_readers_too():
    elements = START + END + f'<serviceTask id="a">{ext("""<zeebe:taskDefinition type="check_ban"/>""")}</serviceTask>'
    assert said(process(elements, "s -> a -> e")) == [("variable-unwritten", "a")]
    shows = form("show", {"type": "text", "id": "t", "text": "{{ nobody }}"})
    assert said(process(START + END + with_form("a", "show"), "s -> a -> e"), show__form=shows) == [
        ("variable-unwritten", "t")
    ]


def test_a_timer_a_due_date_and_a_correlation_key_are_readers_too():
    timer = '<intermediateCatchEvent id="w"><timerEventDefinition><timeDate>=deadline</timeDate></timerEventDefinition></intermediateCatchEvent>'
    task = user("a", '<zeebe:taskSchedule dueDate="=dueOn"/>')
    message = '<message id="m" name="note">{}</message>'.format(ext('<zeebe:subscription correlationKey="=key"/>'))
    catch = '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    diagram = process(START + END + timer + task + catch, "s -> w -> a -> c -> e", globals=message)
    assert sorted(said(diagram)) == [("variable-unwritten", id_) for id_ in ("a", "c", "w")]


def test_the_editor_is_told_what_is_known_at_an_element_and_who_writes_it():
    diagram = process(ELEMENTS, 's -> d -> g -[=decision.result = "yes"]-> y -> e; g -> x -> e2')
    known = engine.variables({"p.bpmn": diagram, "decide.form": DECISION}, CATALOGUE, "g_y")
    decision = next(one for one in known if one["name"] == "decision")
    assert [entry["name"] for entry in decision["entries"]] == ["reason", "result"]
    assert decision["by"][0]["zh"] == "表单“d”"
    assert decision["by"][0]["file"] == "decide.form"
    assert [one["name"] for one in engine.variables({"p.bpmn": diagram}, CATALOGUE, "s")] == [
        "caseNumber",
        "parties",
        "profile",
    ]


# Random diagrams ------------------------------------------------------------------------------------------------------


@st.composite
def blocks(draw, depth=2):
    kind = draw(st.sampled_from(["task", "task", "seq", "xor", "and"] if depth else ["task"]))
    if kind == "task":
        return ("task", draw(st.sampled_from(["u", "v", "w", ""])))
    return (kind, draw(blocks(depth=depth - 1)), draw(blocks(depth=depth - 1)))


class Drawing:
    """A block as elements and arrows; every task writes its variable, if it has one."""

    def __init__(self, block) -> None:
        self.elements, self.arrows, self.count = [START, END], [], 0
        first, last = self.add(block)
        self.arrows += [f"s -> {first}", f"{last} -> e"]

    def add(self, block) -> tuple[str, str]:
        self.count += 1
        name = f"n{self.count}"
        if block[0] == "task":
            io = f'<zeebe:ioMapping><zeebe:output source="=1" target="{block[1] or "_"}"/></zeebe:ioMapping>'
            self.elements.append(
                user(
                    name,
                    io if block[1] else '<zeebe:ioMapping><zeebe:output source="=1" target="rest"/></zeebe:ioMapping>',
                )
            )
            return name, name
        one, other = self.add(block[1]), self.add(block[2])
        if block[0] == "seq":
            self.arrows.append(f"{one[1]} -> {other[0]}")
            return one[0], other[1]
        kind = {"xor": "exclusive", "and": "parallel"}[block[0]]
        default = f' default="{name}s_{other[0]}"' if kind == "exclusive" else ""
        self.elements += [f'<{kind}Gateway id="{name}s"{default}/>', f'<{kind}Gateway id="{name}j"/>']
        condition = f'-[=list contains(way, "{name}")]' if kind == "exclusive" else ""
        self.arrows += [
            f"{name}s {condition}-> {one[0]}",
            f"{name}s -> {other[0]}",
            f"{one[1]} -> {name}j",
            f"{other[1]} -> {name}j",
        ]
        return f"{name}s", f"{name}j"

    @property
    def choices(self) -> list[str]:
        return [
            e.split('id="')[1].split('s"')[0]
            for e in self.elements
            if e.startswith("<exclusiveGateway") and "default" in e
        ]


def played(bundle: engine.Bundle, ways: list[str]) -> dict[str, list[frozenset[str]]]:
    """Which of u, v, w were there at each task, over every order of doing the tasks, for one set of choices."""
    seen: dict[str, list[frozenset[str]]] = {}
    first = engine.start(bundle, "p", {"way": ways}, now=NOW)
    states, queue = set(), deque([engine.dump(first.run)])
    while queue and len(states) < 120:
        state = queue.popleft()
        run = engine.load(bundle, state)
        if run.ended:
            continue
        have = frozenset({"u", "v", "w"} & set(engine.visible(run)))
        waits = [wait for wait in run.waits() if isinstance(wait, engine.UserWait)]
        key = (have, tuple(sorted(wait.element_id for wait in waits)))
        if key in states:
            continue
        states.add(key)
        for wait in waits:
            seen.setdefault(wait.element_id, []).append(have)
            queue.append(engine.dump(engine.complete(engine.load(bundle, state), wait.token, {}, now=NOW).run))
    return seen


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blocks())
def test_what_is_sure_and_what_is_possible_is_what_playing_it_shows(block):
    drawn = Drawing(block)
    diagram = process("".join(drawn.elements), ";".join(drawn.arrows))
    bundle = engine.load_bundle({"p.bpmn": diagram})
    seen: dict[str, list[frozenset[str]]] = {}
    names = drawn.choices
    for number in range(2 ** len(names)):
        ways = [name for at, name in enumerate(names) if number >> at & 1]
        for task, states in played(bundle, ways).items():
            seen.setdefault(task, []).extend(states)
    known = analyse(Sources(engine.read_contents({"p.bpmn": diagram}), CATALOGUE))
    for task, states in seen.items():
        state = known.before["p", task]
        assert state.must & {"u", "v", "w"} == frozenset.intersection(*states), (block, task)
        # A branch beside may have written already; the check does not count on it.
        assert set(state.may) & {"u", "v", "w"} <= frozenset.union(*states), (block, task)


def test_a_list_that_only_forms_are_given_is_no_variable_of_a_diagram():
    parks = form("pick", {**field("park", "select"), "valuesExpression": "=registeredParks"})
    shown = process(START + END + with_form("a", "pick"), "s -> a -> e")
    assert said(shown, pick__form=parks) == [("form-field-unused", "f_park")]
    read = process(START + END + script("t", "=count(registeredParks)", "n"), "s -> t -> e")
    (finding,) = found(read)
    assert (finding.rule, finding.element_id) == ("variable-unwritten", "t")
    assert "只在表单打开时由平台给出" in finding.zh
    written = script("w", "=[1]", "registeredParks") + script("t", "=count(registeredParks)", "n")
    own = process(START + END + written, "s -> w -> t -> e")
    assert said(own) == []
