"""Scenarios are changed step by step, and what a change does not concern stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import errors, scenariotext
from service.scenarios import reading

ROOT = Path(__file__).resolve().parent.parent
WHOLE = sorted(path for path in ROOT.glob("processes/*/scenarios/*.yaml") if not path.name.startswith("_"))

TEXT = """# 为什么有这个场景
name: 补正一次   # 名称
mystery: {kept: true}
steps:
  - do: check
    by: coop.intake
    data:
      verdict: 'no'

  # 等一等
  - wait: P2D
  - !include _rest.yaml
  - expect:
      tasks: [correct]  # 只有一项
expect: {ended: yes}
"""


def test_a_step_is_replaced_and_all_else_stays():
    made = scenariotext.replace(TEXT, 0, {"do": "check", "by": "coop.assessor"})
    assert made == TEXT.replace("by: coop.intake\n    data:\n      verdict: 'no'", "by: coop.assessor")


def test_a_step_is_added_where_it_belongs_and_laid_out_as_its_neighbours():
    made = scenariotext.insert(TEXT, 1, {"send": "withdrawn", "by": "applicant.drafter"})
    assert "  - send: withdrawn\n    by: applicant.drafter\n  - wait: P2D\n" in made
    assert scenariotext.insert(TEXT, 99, {"wait": "next"}).endswith(
        "tasks: [correct]  # 只有一项\n  - wait: next\nexpect: {ended: yes}\n"
    )
    assert scenariotext.insert("name: x\nexpect: {ended: e}\n", 0, {"wait": "next"}) == (
        "name: x\nsteps:\n  - wait: next\nexpect: {ended: e}\n"
    )


def test_a_step_is_taken_out_and_moved():
    assert scenariotext.remove(TEXT, 1) == TEXT.replace("  - wait: P2D\n", "")
    moved = scenariotext.take_apart(scenariotext.move(TEXT, 1, 0))
    assert [part.raw and next(iter(part.raw)) for part in moved.parts] == ["wait", "do", None, "expect"]
    assert scenariotext.remove("steps:\n  - wait: next\n", 0) == ""


@pytest.mark.parametrize(("text", "number"), [(TEXT, 3), (TEXT, 2), ("steps:\n  - {do: a}\n  - {do: b}  # warum\n", 1)])
def test_what_would_lose_a_comment_or_an_include_is_refused(text: str, number: int):
    with pytest.raises(scenariotext.Unchangeable):
        scenariotext.replace(text, number, {"wait": "next"})
        scenariotext.remove(text, number)


def test_the_expectation_and_the_name_are_replaced():
    assert scenariotext.set_expect(TEXT, {"ended": "no"}).endswith("expect: {ended: 'no'}\n")
    assert scenariotext.set_expect("name: x", {"tasks": ["a"]}) == "name: x\nexpect:\n  tasks: [a]\n"
    assert "name: 新名称   # 名称\n" in scenariotext.set_name(TEXT, "新名称")


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "{name: x}", "name: [", "a: &x 1\nb: *x\n", "name: " + "[" * 5000, "x: " + "y" * 300_000, "\t- x"],
)
def test_what_is_no_scenario_is_refused_with_a_sentence(text: str):
    with pytest.raises((errors.InvalidInput, errors.TooLarge)):
        scenariotext.take_apart(text)


def test_what_is_written_is_read_as_it_was_meant(tmp_path: Path):
    step = {
        "do": "x",
        "data": {"a": "on", "b": "2026-03-02", "c": "=1 + 1", "d": [{"!file": "章程.pdf"}], "e": "是: 否"},
    }
    text = scenariotext.write({"name": "一", "process": "p"}, [step], {"ended": "no"})
    file = tmp_path / "x.yaml"
    file.write_text(text)
    read = reading.read(file)
    assert read.steps[0].options["data"] == {**step["data"], "d": [reading.File("章程.pdf")]}
    assert read.expect == {"ended": "no"}


def test_every_scenario_of_the_project_can_be_edited_or_says_why_not():
    refused = []
    for file in WHOLE:
        text = file.read_text()
        try:
            script = scenariotext.take_apart(text)
        except errors.InvalidInput as wrong:
            refused.append(wrong.zh)
            continue
        steps = [part.raw for part in script.parts]
        for number, part in enumerate(script.parts):
            if part.raw is not None and not part.commented:
                made = scenariotext.take_apart(scenariotext.replace(text, number, part.raw))
                assert [one.raw for one in made.parts] == steps, file
                assert (made.head, made.expect) == (script.head, script.expect), file
    assert all("锚点" in sentence for sentence in refused)
    assert len(refused) < len(WHOLE) / 20
