"""Soundness against brute force: the real engine, every way it can go, on random diagrams."""

from __future__ import annotations

from collections import deque
from itertools import combinations, product

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from service import engine
from service.engine.soundness import explore
from tests.engine.diagrams import NOW, process, user
from tests.engine.random_diagrams import BLOCK, diagram

MOST_STATES = 200
MOST_TOKENS = 14


# Random diagrams of any shape ----------------------------------------------------------------------------------------

KINDS = ("exclusive", "parallel", "inclusive")


@st.composite
def shapes(draw):
    """Gateways 0..n-1, each with a kind, and for each where its ways lead: to another gateway or to the end."""
    count = draw(st.integers(1, 4))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(count)]
    targets = st.integers(0, count)  # count is the end
    ways = [draw(st.lists(targets, min_size=1, max_size=2)) for _ in range(count)]
    return kinds, ways


def drawn(shape) -> bytes:
    """Every way leads through a task of its own, so that every order of events can be played."""
    kinds, ways = shape
    elements = ['<startEvent id="s"/>', user("t")]
    arrows = ["s -> t -> g0"]
    for number, (kind, goals) in enumerate(zip(kinds, ways, strict=True)):
        elements.append(f'<{kind}Gateway id="g{number}"/>')
        for way, goal in enumerate(goals):
            task, target = f"t{number}{way}", f"g{goal}" if goal < len(kinds) else f"e{number}{way}"
            elements.append(user(task))
            if goal == len(kinds):
                elements.append(f'<endEvent id="{target}"/>')
            conditional = kind != "parallel" and len(goals) > 1
            condition = f"-[=list contains(c{number}, {way})]" if conditional else ""
            arrows.append(f"g{number} {condition}-> {task} -> {target}")
    return process("".join(elements), ";".join(arrows))


def reachable(shape) -> set[int]:
    kinds, ways = shape
    found, queue = set(), [0]
    while queue:
        number = queue.pop()
        if number not in found and number < len(kinds):
            found.add(number)
            queue += ways[number]
    return found


def choices(shape):
    """Every combination of ways the gateways may take."""
    kinds, ways = shape
    options = []
    for kind, goals in zip(kinds, ways, strict=True):
        if kind == "parallel" or len(goals) == 1:
            options.append([None])
        elif kind == "exclusive":
            options.append([[way] for way in range(len(goals))])
        else:
            options.append(
                [list(c) for size in range(1, len(goals) + 1) for c in combinations(range(len(goals)), size)]
            )
    for picked in product(*options):
        yield {f"c{number}": ways for number, ways in enumerate(picked) if ways is not None}


def places(run) -> tuple:
    """Where the tokens are, whatever their numbers."""
    found = []
    for token in run.instance.tokens():
        gateway = token.task_spec.node.is_gateway
        found.append((token.task_spec.name, token.internal_data.get("flow", "") if gateway else ""))
    return tuple(sorted(found))


def brute_force(bundle, shape) -> set[str] | None:
    """What can go wrong, found by playing everything through on the engine; None where that is too much."""
    step = engine.start(bundle, "p", {}, now=NOW)
    first = places(step.run)
    states = {first: engine.dump(step.run)}
    before: dict[tuple, set[tuple]] = {}
    wrong: set[str] = set()
    good: list[tuple] = []
    queue = deque([first])
    while queue:
        here = queue.popleft()
        run = engine.load(bundle, states[here])
        if run.ended:
            good.append(here)
            continue
        tasks = {}
        for wait in run.waits():
            if isinstance(wait, engine.UserWait):
                tasks.setdefault(wait.element_id, wait.token)
            assert not isinstance(wait, engine.IncidentWait), wait
        if not tasks:
            wrong.add("deadlock")
            good.append(here)
            continue
        for token in tasks.values():
            for choice in choices(shape):
                after = engine.complete(engine.load(bundle, states[here]), token, choice, now=NOW)
                there = () if after.ended else places(after.run)
                if len(there) > MOST_TOKENS:
                    return {"unbounded"}
                before.setdefault(there, set()).add(here)
                if there not in states:
                    if len(states) > MOST_STATES:
                        return None
                    states[there] = engine.dump(after.run)
                    queue.append(there)
    seen, queue = set(good), deque(good)
    while queue:
        for earlier in before.get(queue.popleft(), ()):
            if earlier not in seen:
                seen.add(earlier)
                queue.append(earlier)
    if seen != set(states):
        wrong.add("livelock")
    return wrong


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(shapes())
def test_unstructured_diagrams_are_judged_as_they_behave(shape):
    assume(reachable(shape) == set(range(len(shape[0]))))
    bundle = engine.load_bundle({"p.bpmn": drawn(shape)})
    behaves = brute_force(bundle, shape)
    assume(behaves is not None)
    verdict = explore(bundle.models["p"], seconds=20)
    assert verdict.complete
    judged = {flaw.kind for flaw in verdict.flaws} - {"lost"}
    if "unbounded" in behaves or "unbounded" in judged:
        assert "unbounded" in judged, (shape, behaves, judged)
        assert "unbounded" in behaves, (shape, behaves, judged)
    else:
        assert judged == behaves, shape


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BLOCK)
def test_block_structured_diagrams_are_sound(block):
    bundle = engine.load_bundle({"p.bpmn": diagram(block)})
    process_model = bundle.models["p"]
    scopes = [process_model, *(node.scope for _, node in process_model.walk() if node.scope is not None)]
    for scope in scopes:
        verdict = explore(scope, seconds=20)
        assert verdict.sound or not verdict.complete, (block, verdict)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(shapes())
@example((["exclusive"] * 4, [[1, 2], [2], [3], [1]]))  # a loop that is entered at two places
def test_the_path_to_a_deadlock_can_be_walked(shape):
    assume(reachable(shape) == set(range(len(shape[0]))))
    bundle = engine.load_bundle({"p.bpmn": drawn(shape)})
    for flaw in explore(bundle.models["p"], seconds=20).flaws:
        model = bundle.models["p"]
        assert flaw.path[0] == "s"
        assert all(node in model.nodes for node in flaw.path)
        assert len(flaw.path) <= 120


# The flaws by name ----------------------------------------------------------------------------------------------------


def verdict(elements: str, arrows: str):
    return explore(engine.load_bundle({"p.bpmn": process('<startEvent id="s"/>' + elements, arrows)}).models["p"])


def kinds(elements: str, arrows: str) -> set[tuple[str, str]]:
    return {(flaw.kind, flaw.element_id) for flaw in verdict(elements, arrows).flaws}


END = '<endEvent id="e"/>'
AND = '<parallelGateway id="{}"/>'
XOR = '<exclusiveGateway id="{}"/>'


def test_an_exclusive_split_into_a_parallel_join_is_a_deadlock():
    found = verdict(
        XOR.format("x") + user("a") + user("b") + AND.format("j") + END, "s -> x -[=c]-> a -> j -> e; x -[=d]-> b -> j"
    )
    assert [(flaw.kind, flaw.element_id, flaw.path) for flaw in found.flaws] == [("deadlock", "j", ("s", "x", "a"))]


def test_a_parallel_split_that_loops_back_piles_up():
    found = kinds(AND.format("p") + XOR.format("m") + user("a") + END, "s -> m -> p -> a -> m; p -> e")
    assert {kind for kind, _ in found} == {"unbounded"}


def test_a_loop_without_a_way_out_never_ends():
    found = kinds(XOR.format("m") + XOR.format("x") + user("a") + END, "s -> m -> a -> m; x -> e")
    assert ("livelock", "s") in found or {kind for kind, _ in found} == {"livelock"}


def test_a_loop_that_an_event_can_end_is_no_flaw():
    event = (
        '<subProcess id="es" triggeredByEvent="true"><startEvent id="es_s"><timerEventDefinition>'
        '<timeDuration>P1D</timeDuration></timerEventDefinition></startEvent><endEvent id="es_e"/>'
        '<sequenceFlow id="es_f" sourceRef="es_s" targetRef="es_e"/></subProcess>'
    )
    assert kinds(XOR.format("m") + user("a") + event, "s -> m -> a -> m") == set()


def test_an_end_that_throws_away_other_work_is_noted():
    terminate = '<endEvent id="k"><terminateEventDefinition/></endEvent>'
    found = kinds(AND.format("p") + user("a") + user("b") + terminate + END, "s -> p -> a -> e; p -> b -> k")
    assert found == {("lost", "k")}
    assert verdict(AND.format("p") + user("a") + user("b") + terminate + END, "s -> p -> a -> e; p -> b -> k").sound


def test_reminders_may_pile_up():
    reminder = (
        '<boundaryEvent id="r" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
        "<timeCycle>R/P1D</timeCycle></timerEventDefinition></boundaryEvent>"
    )
    assert kinds(user("a") + reminder + user("n") + END + '<endEvent id="e2"/>', "s -> a -> e; r -> n -> e2") == set()


@pytest.mark.parametrize("width", [8, 12, 16])
def test_a_diagram_too_large_to_play_through_is_given_up_in_time(width):
    names = [f"t{number}_{depth}" for number in range(width) for depth in range(3)]
    elements = AND.format("p") + AND.format("j") + "".join(user(name) for name in names) + END
    arrows = ["s -> p", "j -> e"]
    for number in range(width):
        arrows.append(f"p -> t{number}_0 -> t{number}_1 -> t{number}_2 -> j")
    model = engine.load_bundle({"p.bpmn": process('<startEvent id="s"/>' + elements, ";".join(arrows))}).models["p"]
    import time

    started = time.perf_counter()
    found = explore(model, seconds=0.5)
    assert time.perf_counter() - started < 2
    assert not found.complete
    assert found.flaws == ()
