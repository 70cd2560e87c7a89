"""Which running cases a new version touches, and how."""

from __future__ import annotations

import pytest

from service import engine
from service.engine.compare import compare
from service.engine.impact import Judge, where
from tests.engine.diagrams import NOW, ext, process, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'


def bundle(diagram: bytes, **more: bytes) -> engine.Bundle:
    return engine.load_bundle({"p.bpmn": diagram} | {name.replace("__", "."): data for name, data in more.items()})


def judged(old: engine.Bundle, new: engine.Bundle, *done: str, names=None, variables=None):
    step = engine.start(old, "p", variables or {}, now=NOW)
    for element in done:
        token = next(wait.token for wait in step.waits if wait.element_id == element)
        step = engine.complete(step.run, token, {}, now=NOW)
    judge = Judge(old, new, compare(old.files, new.files), names or {})
    return judge.verdict(engine.dump(step.run), now=NOW)


def steps(*names: str, inner: dict[str, str] | None = None) -> bytes:
    inner = inner or {}
    return process(
        START + "".join(user(name, inner.get(name, "")) for name in names) + END, " -> ".join(["s", *names, "e"])
    )


PRIORITY = '<zeebe:priorityDefinition priority="80"/>'


def test_a_case_whose_procedure_is_the_same_is_unaffected():
    other = process(START + END, "s -> e", pid="q")
    old, new = bundle(steps("a", "b")), bundle(steps("a", "b"), q__bpmn=other)
    assert judged(old, new).kind == "unaffected"


def test_a_case_that_has_passed_the_change_stays():
    verdict = judged(bundle(steps("a", "b")), bundle(steps("a", "b", inner={"a": PRIORITY})), "a")
    assert verdict.kind == "stays"


def test_a_case_before_the_change_can_move():
    verdict = judged(bundle(steps("a", "b")), bundle(steps("a", "b", inner={"b": PRIORITY})))
    assert (verdict.kind, verdict.ahead) == ("automatic", ("b",))
    assert verdict.zh == "后面的“b”有变化，可以直接迁移。"


def test_a_step_that_comes_in_between_is_ahead():
    assert judged(bundle(steps("a", "b")), bundle(steps("a", "new", "b"))).kind == "automatic"
    assert judged(bundle(steps("a", "b")), bundle(steps("a", "new", "b")), "a").kind == "stays"


def test_a_case_at_a_step_that_is_gone_needs_a_choice():
    verdict = judged(bundle(steps("a", "b")), bundle(steps("c", "b")))
    assert verdict.kind == "choice"
    assert verdict.choices[0].element_id == "a"
    assert verdict.choices[0].targets == (("c", "c"), ("b", "b"))


def test_a_choice_that_was_made_lets_it_move():
    assert judged(bundle(steps("a", "b")), bundle(steps("c", "b")), names={"p": {"a": "c"}}).kind == "automatic"


def test_a_case_at_a_step_that_became_something_else_is_blocked():
    new = process(START + '<exclusiveGateway id="a"/>' + END, "s -> a -> e")
    verdict = judged(bundle(steps("a")), bundle(new))
    assert verdict.kind == "blocked"
    assert "没有同类" in verdict.zh


def test_a_case_whose_process_is_gone_is_blocked():
    new = bundle(process(START + END, "s -> e", pid="q"))
    verdict = judged(bundle(steps("a")), new)
    assert (verdict.kind, verdict.zh) == ("blocked", "新版本没有流程“p”，这些案件只能在原版本办完。")


def test_a_form_that_changed_touches_who_will_see_it():
    form = '<zeebe:formDefinition formId="f"/>'
    diagram = steps("a", "b", inner={"b": form})
    old = bundle(diagram, f__form=b'{"id": "f", "components": []}')
    new = bundle(diagram, f__form=b'{"id": "f", "components": [{"type": "textfield", "id": "x", "key": "x"}]}')
    assert judged(old, new).ahead == ("b",)
    assert (
        judged(
            bundle(steps("a", "b", inner={"a": form}), f__form=old.files["f.form"]),
            bundle(steps("a", "b", inner={"a": form}), f__form=new.files["f.form"]),
            "a",
        ).kind
        == "stays"
    )


def test_a_called_process_that_changed_touches_its_callers():
    call = '<callActivity id="c" name="c">' + ext('<zeebe:calledElement processId="q"/>') + "</callActivity>"
    caller = process(START + user("a") + call + user("z") + END, "s -> a -> c -> z -> e")
    inner, other = (
        process(START + user("i") + END, "s -> i -> e", pid="q"),
        process(START + user("i", PRIORITY) + END, "s -> i -> e", pid="q"),
    )
    old, new = bundle(caller, q__bpmn=inner), bundle(caller, q__bpmn=other)
    assert judged(old, new).kind == "automatic"
    assert judged(old, new, "a").kind == "automatic"
    assert judged(old, new, "a", "i").kind == "unaffected"


def test_a_boundary_event_that_is_new_touches_its_host():
    event = '<boundaryEvent id="t" attachedToRef="b" cancelActivity="false"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>'
    old = process(START + user("a") + user("b") + END, "s -> a -> b -> e")
    new = process(START + user("a") + user("b") + event + '<endEvent id="e2"/>' + END, "s -> a -> b -> e; t -> e2")
    assert judged(bundle(old), bundle(new)).kind == "automatic"
    assert judged(bundle(old), bundle(new), "a").kind == "automatic"


def test_a_loop_back_keeps_the_change_ahead():
    def looped(inner: str = "") -> bytes:
        return process(
            START + user("a", inner) + user("b") + '<exclusiveGateway id="x" default="x_e"/>' + END,
            "s -> a -> b -> x -> e; x -[=again]-> a",
        )

    assert judged(bundle(looped()), bundle(looped(PRIORITY)), "a").kind == "automatic"


def test_another_picture_touches_nobody():
    one = steps("a", "b")
    assert judged(bundle(one), bundle(one.replace(b"<process ", b"<!-- drawn anew --><process "))).kind == "unaffected"


def test_a_state_that_cannot_be_read_is_an_error_of_the_engine():
    with pytest.raises(engine.UnreadableState):
        where(b"G1 nothing")
