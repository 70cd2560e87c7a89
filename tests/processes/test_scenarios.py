"""Every scenario of the project is a test, and together they take every flow of the processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service import scenarios

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = scenarios.find([ROOT / "processes"])


@pytest.fixture(scope="module")
def stage() -> Iterator[scenarios.Stage]:
    """The project's bundle and cast, made once."""
    with scenarios.Stage(ROOT) as made:
        yield made


@pytest.fixture(scope="module")
def outcomes() -> list[scenarios.Outcome]:
    """What came of the scenarios played so far."""
    return []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_scenario(stage: scenarios.Stage, outcomes: list[scenarios.Outcome], file: Path):
    outcome = stage.play(scenarios.read(file))
    outcomes.append(outcome)
    assert outcome.ok, "\n".join(outcome.problems)


def test_every_flow_is_covered(stage: scenarios.Stage, outcomes: list[scenarios.Outcome]):
    played = {outcome.file for outcome in outcomes}
    outcomes += [stage.play(scenarios.read(file)) for file in FILES if file not in played]
    coverage = scenarios.Coverage(stage.bundle, outcomes)
    missing = {process: coverage.missing(process) for process in coverage.flows if coverage.missing(process)}
    assert missing == {}, "\n".join(coverage.lines())
