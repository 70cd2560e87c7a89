"""The runner itself, on a small project of its own; the project's scenarios are played in tests/processes."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from service import scenarios
from tests.commands.conftest import DESK, END, START, diagram, form
from tests.engine.diagrams import user


def timer(text: str) -> str:
    return f"<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>"


CHOICE = (
    '<exclusiveGateway id="g" default="g_e"/><endEvent id="no"/>'
    f'<boundaryEvent id="late" attachedToRef="check">{timer("P10D")}</boundaryEvent>'
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    opinion = DESK + '<zeebe:formDefinition formId="f"/><zeebe:taskSchedule dueDate="=workdays(today(), 5)"/>'
    folder = tmp_path / "processes" / "p"
    (folder / "scenarios").mkdir(parents=True)
    (folder / "p.bpmn").write_bytes(
        diagram(
            START + user("check", opinion) + CHOICE + END,
            's -> check -> g -> e; g -[=opinion = "no"]-> no; late -> no',
            caseNumber="P",
        )
    )
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "f.form").write_bytes(form("f", "opinion", "files", required=False))
    return tmp_path


def play(project: Path, **texts: str) -> tuple[bool, str]:
    for name, text in texts.items():
        (project / "processes" / "p" / "scenarios" / f"{name}.yaml").write_text(textwrap.dedent(text))
    said: list[str] = []
    ok = scenarios.run([project / "processes"], root=project, say=said.append)
    return ok, "\n".join(said)


YES = """
    name: 同意
    start: {by: applicant.drafter}
    steps:
      - expect: {tasks: [check], due: {check: 2026-03-09}, number: P-2026-0001}
      - do: check
        by: applicant.drafter
        refused: not_found
      - do: check
        by: coop.intake
        data: {opinion: '= "y" + "es"', files: [!file 意见.pdf]}
    expect:
      ended: e
      status: completed
      variables: {opinion: yes_}
      done: {check: 1}
"""


def test_a_scenario_is_played_and_its_flows_are_counted(project: Path):
    ok, said = play(project, yes=YES.replace("yes_", "'yes'"))
    assert ok, said
    assert "p: 3/5 (60 %)" in said
    assert "g_no, late_no" in said


def test_parts_are_steps_and_further_cases_are_begun(project: Path):
    parts = project / "processes" / "p" / "scenarios"
    parts.mkdir(exist_ok=True)
    (parts / "_both.yaml").write_text("- {do: check, by: coop.intake}\n- - {expect: {ended: e}}\n")
    ok, said = play(
        project,
        two="""
        start: {by: applicant.drafter}
        steps:
          - begin: p
          - expect: {number: P-2026-0001}
          - expect: {number: P-2026-0002}
            in: p
          - !include _both.yaml
          - begin: p
            by: coop.intake
            refused: forbidden
        """,
    )
    assert ok, said


def test_every_flow_is_covered_by_several_scenarios(project: Path):
    ok, said = play(
        project,
        yes=YES.replace("yes_", "'yes'"),
        no="{steps: [{do: check, data: {opinion: 'no'}}], expect: {ended: 'no'}}",
        late="{steps: [{wait: P9D}, {expect: {tasks: [check]}}, {wait: next}], expect: {ended: 'no', tasks: []}}",
    )
    assert ok, said
    assert "p: 5/5 (100 %)" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{steps: [{do: lost}]}", "案件的待办是“check”"),
        ("{expect: {tasks: [other]}}", "应有待办“other”，实际没有"),
        ("{steps: [{do: check}], expect: {ended: 'no'}}", "案件应以“no”结束"),
        ("{steps: [{do: check, refused: forbidden}]}", "应当被拒绝（无权办理），实际却办成了"),
        ("{steps: [{do: check, by: nobody}]}", "nobody"),
        ("{steps: [{dance: check}]}", "do, claim"),
        ("{steps: [{do: check, dta: {}}]}", "dta"),
        ("{surprise: 1}", "surprise"),
        ("{steps: [{wait: tomorrow}]}", "tomorrow"),
        ("{start: {by: coop.intake}}", "wrong.yaml: start: 国际合作司受理发起“"),
        ("steps: [", "yaml"),
    ],
)
def test_what_comes_otherwise_is_said_in_a_line(project: Path, text: str, said: str):
    ok, heard = play(project, wrong=text)
    assert not ok
    assert "✗ processes/p/scenarios/wrong.yaml" in heard
    assert said in heard


def test_the_line_of_a_failing_step_is_named(project: Path):
    ok, said = play(project, wrong="steps:\n  - expect: {tasks: [check]}\n  - do: lost\n")
    assert not ok
    assert "wrong.yaml:3" in said


def test_data_can_be_shared(project: Path):
    (project / "processes" / "p" / "scenarios" / "_opinion.yaml").write_text("{opinion: 'no'}")
    ok, said = play(project, no="{steps: [{do: check, data: !include _opinion.yaml}], expect: {ended: 'no'}}")
    assert ok, said


def test_what_was_there_before_is_given(project: Path):
    ok, said = play(
        project,
        given="""
        organisations: {applicant: {name: 虚构研究院, region: 河北省}}
        people: [{username: sun, roles: [recommender.reviewer@hebei]}]
        given:
          - ban: {uscc: X, organisation: applicant, start_on: 2024-03-15, last_on: 2027-03-15}
          - base: {number: DB1, name: 基地, type: DB, host: applicant, region: 河北省, accredited_on: 2015-01-01,
                   accredited_under: legacy, fields: [{code: health}]}
        expect: {rows: {ban: 1, base_field: 1}, bases: [{number: DB1, name: ~ 基}]}
        """,
    )
    assert ok, said


def test_what_happens_meanwhile_outside_the_case_is_given(project: Path):
    ok, said = play(
        project,
        meanwhile="""
        steps:
          - expect: {rows: {ban: 0}}
          - given: [{ban: {uscc: X, organisation: applicant, start_on: 2026-03-02, last_on: 2029-03-02}}]
        expect: {rows: {ban: 1}}
        """,
    )
    assert ok, said
