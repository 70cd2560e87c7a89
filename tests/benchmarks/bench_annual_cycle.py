"""The annual cycle of all bases: time, growth of the database, and a step of one among many beside one alone."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from tests.conftest import postgresql_database, sqlite_database
from tests.processes.yearly_round import ASSESSMENT, REPORT, Round

pytestmark = pytest.mark.bench

BASES = 700
ALONE = 6
"""Years that a single base is played for, before and after the many, to have several times of each step."""
MOST = 2.0
"""What a step may cost among many, in times of what it costs alone. The clock is only printed: other work slows it."""


def ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


@pytest.mark.parametrize("make", [sqlite_database, postgresql_database], ids=["sqlite", "postgresql"])
def test_seven_hundred_bases(make, request: pytest.FixtureRequest, tmp_path: Path):
    singles = [alone(make, request, tmp_path / "before")]
    with make(request) as database:
        many = Round(database, tmp_path / "many", BASES)
        before, began = many.size(), time.perf_counter()
        many.play(2026)
        took, grown = time.perf_counter() - began, many.size() - before
        results, ends = many.results(2026), many.cases("yearly_assessment")
    singles.append(alone(make, request, tmp_path / "after"))
    assert ends == {"assessed": BASES}
    assert results["pass"] + results["excused"] == BASES
    name = "SQLite" if database.sqlite else "PostgreSQL"
    tasks = sum(len(times) for times in many.seconds.values())
    print(f"\n{name}: {BASES} bases in {took:.0f} s, {1000 * took / BASES:.0f} ms each")
    print(
        f"{tasks} tasks handed in, {many.jobs} jobs, {grown / 1e6:.0f} MB, {grown / BASES / 1e3:.0f} kB for each base"
    )
    ratios = [job(many, singles)] + [
        step(element_id, many, singles) for element_id, _ in (*REPORT, *ASSESSMENT) if singles[0].cpu[element_id]
    ]
    assert statistics.median(ratios) < MOST


def alone(make, request: pytest.FixtureRequest, folder: Path) -> Round:
    with make(request) as database:
        single = Round(database, folder, 1)
        for year in range(2012, 2012 + ALONE):
            single.play(year)
    return single


def job(many: Round, singles: list[Round]) -> float:
    """Print what a job costs; return the ratio."""
    jobs = sum(one.jobs for one in singles)
    return figures(
        "a job",
        1000 * sum(one.job_cpu for one in singles) / jobs,
        1000 * many.job_cpu / many.jobs,
        1000 * sum(one.job_seconds for one in singles) / jobs,
        1000 * many.job_seconds / many.jobs,
    )


def step(element_id: str, many: Round, singles: list[Round]) -> float:
    """Print what it costs to hand in a task; return the ratio."""
    cpu = [seconds for one in singles for seconds in one.cpu[element_id]]
    wall = [seconds for one in singles for seconds in one.seconds[element_id]]
    return figures(element_id, ms(cpu), ms(many.cpu[element_id]), ms(wall), ms(many.seconds[element_id]))


def figures(what: str, cpu: float, many_cpu: float, wall: float, many_wall: float) -> float:
    print(
        f"{what:22}CPU: alone {cpu:6.1f} ms, among many {many_cpu:6.1f} ms, ratio {many_cpu / cpu:4.2f}"
        f"   clock: {wall:6.1f} ms, {many_wall:6.1f} ms, ratio {many_wall / wall:4.2f}"
    )
    return many_cpu / cpu
