"""Our own diagrams, spoiled in seeded ways: every one ends in findings or is accepted, and what is accepted runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import corpus, engine
from service.commands.procedures.catalogue import CATALOGUE
from service.engine import parser
from tests.engine.diagrams import process
from tests.workshop.mutations import MUTATIONS, garbled, mutated

ROOT = Path(__file__).resolve().parents[2]
DIAGRAMS = sorted((ROOT / "processes").glob("*/*.bpmn"))
SHOP = {
    path.relative_to(ROOT).as_posix(): path.read_bytes()
    for folder in ("processes", "forms")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".dmn", ".form", ".bpmn")
}
CALM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(content: bytes, name: str = "x.bpmn") -> corpus.Judged:
    findings, started, crash = corpus._look(name, content)
    return corpus.Judged(name, findings, 0.0, started=started, crash=crash)


@CALM
@given(st.sampled_from(DIAGRAMS), st.integers(0, 100_000))
def test_a_spoiled_diagram_is_found_out_or_runs(path, seed):
    made = judged(mutated(path.read_bytes(), seed))
    assert made.crash == "", made.crash
    assert all(one.zh and one.en for one in made.findings)


@CALM
@given(st.sampled_from(DIAGRAMS), st.integers(0, 100_000))
def test_a_garbled_file_is_found_out(path, seed):
    made = judged(garbled(path.read_bytes(), seed))
    assert made.crash == "", made.crash


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([one for one in DIAGRAMS if one.parent.name == one.stem]), st.integers(0, 100_000))
def test_a_spoiled_diagram_among_all_the_others_is_found_out_or_starts(path, seed):
    # With its forms, tables and called processes a diagram gets further than alone.
    files = {**SHOP, path.relative_to(ROOT).as_posix(): mutated(path.read_bytes(), seed)}
    found = engine.validate(files, catalogue=CATALOGUE)
    if not any(one.severity == "error" for one in found):
        bundle = engine.load_bundle(files)
        for start in bundle.processes[path.stem].start_events if path.stem in bundle.processes else ():
            step = engine.start(bundle, path.stem, {}, now=corpus.NOW, start_event=start.element_id)
            engine.load(bundle, engine.dump(step.run))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[one.__name__.strip("_") for one in MUTATIONS])
def test_every_kind_of_mutation_spoils_something(mutation):
    content = (ROOT / "processes/demonstration_base/demonstration_base.bpmn").read_bytes()
    assert len({mutated(content, seed, among=(mutation,)) for seed in range(5)}) > 1


def test_a_boundary_event_whose_host_lies_elsewhere_is_an_error_and_no_crash():
    inner = '<startEvent id="i"/><endEvent id="j"/><sequenceFlow id="ij" sourceRef="i" targetRef="j"/>'
    timer = "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition>"
    border = f'<boundaryEvent id="b" attachedToRef="t">{timer}</boundaryEvent><endEvent id="k"/>'
    out = '<sequenceFlow id="bk" sourceRef="b" targetRef="k"/>'
    content = process(
        '<startEvent id="s"/><endEvent id="e"/><manualTask id="t"/>'
        f'<subProcess id="u">{inner}{border}{out}</subProcess>',
        "s -> t -> u -> e",
    )
    made = judged(content)
    assert made.crash == ""
    assert not made.accepted


def test_a_diagram_of_more_nodes_than_anybody_can_read_is_refused_as_a_whole():
    tasks = "".join(f'<manualTask id="t{number}"/>' for number in range(parser.MOST_NODES))
    made = judged(process('<startEvent id="s"/><endEvent id="e"/>' + tasks, "s -> e"))
    assert next(one.rule for one in made.findings if one.severity == "error") == "too-large"


def test_more_findings_than_anybody_can_put_right_are_counted():
    tasks = "".join(f'<userTask id="t{number}"/>' for number in range(1200))
    made = judged(process('<startEvent id="s"/><endEvent id="e"/>' + tasks, "s -> e"))
    assert len(made.findings) <= 1002
    (more,) = [one for one in made.findings if one.rule == "findings-many"]
    assert "个问题没有列出" in more.zh
