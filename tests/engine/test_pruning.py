"""What is over is forgotten, and nobody can tell the difference – but in time and space."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import engine
from service.engine.runner import Run, _run
from service.engine.steps import TimerWait, UserWait
from service.engine.workflow import Instance

from .diagrams import NOW, Case, bundle, process, script, user
from .random_diagrams import BLOCK, diagram

VARIABLES = {"items": [1, 2], "choice": 0}


def play(run: Run, decisions: list[tuple[int, int]], *, through_codec: bool) -> list[tuple]:
    """Do as the decisions say: which of the waits, and with which choice. Returns everything that was seen."""
    step, trace = _run(run), []
    for pick, choice in decisions:
        trace.append([(e.kind, e.element_id, dict(e.data)) for e in step.events])
        trace.append([(type(w).__name__, w.token, w.element_id, w.path) for w in step.waits])
        movable = [w for w in step.waits if isinstance(w, (UserWait, TimerWait))]
        if not movable:
            break
        here = engine.load(run.bundle, engine.dump(step.run)) if through_codec else step.run
        wait = movable[pick % len(movable)]
        if isinstance(wait, TimerWait):
            step = engine.fire(here, wait.token, now=wait.due)
        else:
            step = engine.complete(here, wait.token, {"choice": choice}, now=NOW)
    trace.append(engine.visible(step.run))
    return trace


@given(BLOCK, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_pruned_and_stored_instance_does_what_an_unpruned_one_does(block, decisions):
    made = bundle(diagram(block))
    traces = []
    for prune in (True, False):
        instance = Instance(made, "p", now=NOW, prune=prune)
        instance.data.update(VARIABLES)
        instance.begin("s")
        traces.append(play(Run(instance), decisions, through_codec=prune))
    assert traces[0] == traces[1]


@given(BLOCK)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_block_structured_diagrams_are_sound(block):
    rules = {f.rule for f in engine.validate({"d.bpmn": diagram(block)}) if f.severity == "error"}
    assert rules <= {"role-none"}


def test_the_state_of_a_case_does_not_grow_with_its_steps():
    nodes = '<startEvent id="s"/><exclusiveGateway id="m"/>' + user("a") + script("n", "=count + 1", "count")
    case = Case(bundle(process(nodes, "s -> m -> a -> n -> m")), variables={"count": 0})
    case.do("a")
    early = len(case.state)
    for _ in range(300):
        case.do("a")
    assert case.variables["count"] == 301
    assert len(case.state) <= early + 8  # the counters have more digits


def test_a_waiting_instance_takes_little_room():
    nodes = '<startEvent id="s"/>' + user("a") + '<endEvent id="e"/>'
    case = Case(bundle(process(nodes, "s -> a -> e")), variables={"title": "国际合作" * 20, "amount": 7})
    assert len(case.state) < 400
