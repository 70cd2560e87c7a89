"""What an administrator can do to a token, and what a new version does to a running case."""

from __future__ import annotations

import pytest

from service import engine
from service.engine.steps import IncidentWait

from .diagrams import NOW, Case, bundle, ext, process, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
TIMER = '<boundaryEvent id="t" attachedToRef="{}"{}><timerEventDefinition><timeDuration>P2D</timeDuration></timerEventDefinition></boundaryEvent>'


def two_levels() -> engine.Bundle:
    inner = (
        '<startEvent id="is"/>'
        + user("ia")
        + user("ib")
        + '<endEvent id="ie"/><sequenceFlow id="f1" sourceRef="is" targetRef="ia"/><sequenceFlow id="f2" sourceRef="ia" targetRef="ib"/><sequenceFlow id="f3" sourceRef="ib" targetRef="ie"/>'
    )
    nodes = START + user("a") + f'<subProcess id="sub">{inner}</subProcess>' + user("z") + END
    return bundle(process(nodes, "s -> a -> sub -> z -> e"))


def test_moving_a_token_back_and_forth_on_one_level():
    case = Case(two_levels())
    case.take(engine.move(case.run(), case.wait("a").token, "z", now=NOW))
    assert case.at == ["z"]
    case.take(engine.move(case.run(), case.wait("z").token, "a", now=NOW))
    assert case.at == ["a"]


def test_moving_into_a_sub_process_opens_it_and_moving_out_closes_it():
    case = Case(two_levels())
    case.take(engine.move(case.run(), case.wait("a").token, "ib", now=NOW))
    assert case.at == ["ib"]
    assert case.wait("ib").path == ("sub",)
    case.take(engine.move(case.run(), case.wait("ib").token, "a", now=NOW))
    assert case.at == ["a"]
    case.do("a")
    case.do("ia")
    case.do("ib")
    assert case.at == ["z"]


def test_moving_inside_a_sub_process_keeps_it_open():
    case = Case(two_levels())
    case.do("a")
    case.take(engine.move(case.run(), case.wait("ia").token, "ib", now=NOW))
    assert case.at == ["ib"]
    case.do("ib")
    assert case.at == ["z"]


def test_a_token_cannot_be_moved_to_what_is_not_there():
    case = Case(two_levels())
    with pytest.raises(engine.CannotMove):
        engine.move(case.run(), case.wait("a").token, "nowhere", now=NOW)


def test_a_dry_run_is_the_real_run_thrown_away():
    case = Case(two_levels())
    token = case.wait("a").token
    dry = engine.dump(engine.move(case.run(), token, "ib", now=NOW).run)
    real = engine.dump(case.take(engine.move(case.run(), token, "ib", now=NOW)).run)
    assert dry == real


def test_skipping_passes_a_task_or_an_incident_with_a_result():
    case = Case(
        bundle(
            process(
                START + '<exclusiveGateway id="g"/>' + user("a") + user("b") + END,
                "s -> a -> g; g -[=x = 1]-> b; g -[=x = 2]-> e; b -> e",
            )
        )
    )
    case.take(engine.skip(case.run(), case.wait("a").token, {"x": 3}, now=NOW))
    assert isinstance(case.wait("g"), IncidentWait)
    case.take(engine.set_variables(case.run(), {"x": 1}, now=NOW))
    case.retry("g")
    assert case.at == ["b"]


def test_skipping_one_of_many_rounds_skips_them_all_and_leaves_none_behind():
    rounds = '<zeebe:loopCharacteristics inputCollection="=[1, 2, 3]"/>'
    each = user("each", "", f"<multiInstanceLoopCharacteristics>{ext(rounds)}</multiInstanceLoopCharacteristics>")
    case = Case(bundle(process(START + each + user("b") + END, "s -> each -> b -> e")))
    token = next(wait.token for wait in case.step.waits if wait.element_id == "each")
    case.take(engine.skip(case.run(), token, {"x": 1}, now=NOW))
    assert case.at == ["b"]
    assert case.variables["x"] == 1


def test_a_deadline_can_be_given_another_time():
    case = Case(
        bundle(process(START + user("a") + TIMER.format("a", "") + user("late") + END, "s -> a -> e; t -> late -> e"))
    )
    later = NOW.replace(day=20)
    case.take(engine.reschedule(case.run(), case.wait("t").token, later, now=NOW))
    assert case.wait("t").due == later


def test_an_ended_instance_can_be_opened_again_with_its_variables():
    case = Case(two_levels(), variables={"x": 1})
    case.take(engine.cancel(case.run(), now=NOW))
    assert case.ended
    case.take(engine.restart(case.run(), "ib", now=NOW))
    assert case.at == ["ib"]
    assert case.variables == {"x": 1}


# -- migration ---------------------------------------------------------------------------------


def test_an_instance_goes_on_in_the_new_version_and_finds_its_new_step():
    old = bundle(process(START + user("a") + END, "s -> a -> e"))
    new = bundle(process(START + user("a") + user("extra") + END, "s -> a -> extra -> e"))
    case = Case(old, variables={"x": 1})
    case.take(engine.migrate(case.run(), new, {}, now=NOW))
    case.bundle = new
    case.do("a")
    assert case.at == ["extra"]
    assert case.variables["x"] == 1


def test_a_running_timer_keeps_its_time_and_a_new_one_starts_now():
    flows = "s -> a -> e; t -> late -> e"
    nodes = START + user("a") + user("late") + END
    with_timer = bundle(process(nodes + TIMER.format("a", ""), flows))
    without = bundle(process(START + user("a") + END, "s -> a -> e"))
    case = Case(with_timer)
    due = case.wait("t").due
    later = NOW.replace(day=10)
    assert engine.migrate(case.run(), with_timer, {}, now=later).waits[1].due == due
    case = Case(without)
    step = case.take(engine.migrate(case.run(), with_timer, {}, now=later))
    assert {w.element_id for w in step.waits} == {"a", "t"}
    assert case.wait("t").due > due
    case.bundle = with_timer
    case.take(engine.migrate(case.run(), without, {}, now=later))
    assert case.at == ["a"]


def test_a_renamed_element_goes_along_with_a_mapping_and_is_an_obstacle_without():
    old = bundle(process(START + user("a") + END, "s -> a -> e"))
    new = bundle(process(START + user("review") + END, "s -> review -> e"))
    case = Case(old)
    with pytest.raises(engine.CannotMigrate) as caught:
        engine.migrate(case.run(), new, {}, now=NOW)
    assert [o.element_id for o in caught.value.obstacles] == ["a"]
    case.take(engine.migrate(case.run(), new, {"p": {"a": "review"}}, now=NOW))
    assert case.at == ["review"]


def test_a_token_inside_a_sub_process_needs_the_sub_process():
    case = Case(two_levels())
    case.do("a")
    flat = bundle(process(START + user("a") + user("ia") + END, "s -> a -> ia -> e"))
    assert {o.element_id for o in engine.obstacles(case.run(), flat, {})} == {"sub", "ia"}
