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
ALONE = 8
"""Years that a single base is played for, to have as many times of each step."""
MOST = 2.0
"""A step among many may take at most so much longer than one alone."""


def ms(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds)


@pytest.mark.parametrize("make", [sqlite_database, postgresql_database], ids=["sqlite", "postgresql"])
def test_seven_hundred_bases(make, request: pytest.FixtureRequest, tmp_path: Path):
    with make(request) as database:
        alone = Round(database, tmp_path / "alone", 1)
        for year in range(2012, 2012 + ALONE):
            alone.play(year)
    with make(request) as database:
        many = Round(database, tmp_path / "many", BASES)
        before, began = many.size(), time.perf_counter()
        many.play(2026)
        took, grown = time.perf_counter() - began, many.size() - before
        results, ends = many.results(2026), many.cases("yearly_assessment")
    assert ends == {"assessed": BASES}
    assert results["pass"] + results["excused"] == BASES
    name = "SQLite" if database.sqlite else "PostgreSQL"
    steps = sum(len(times) for times in many.seconds.values())
    print(f"\n{name}: {BASES} bases in {took:.0f} s, {1000 * took / BASES:.0f} ms each")
    print(
        f"{steps} tasks handed in, {many.jobs} jobs, {grown / 1e6:.0f} MB, {grown / BASES / 1e3:.0f} kB for each base"
    )
    job, job_alone = (1000 * one.job_seconds / one.jobs for one in (many, alone))
    print(f"{'a job':22}alone {job_alone:6.1f} ms   among many {job:6.1f} ms   ratio {job / job_alone:.2f}")
    ratios = []
    for element_id, _ in (*REPORT, *ASSESSMENT):
        times, single = many.seconds[element_id], alone.seconds[element_id]
        if not single:
            continue
        ratios.append(ms(times) / ms(single))
        tenth = len(times) // 10
        late = ms(times[-tenth:]) / ms(times[:tenth])
        print(
            f"{element_id:22}alone {ms(single):6.1f} ms   among many {ms(times):6.1f} ms   ratio {ratios[-1]:.2f}"
            f"   last tenth beside the first {late:.2f}"
        )
    assert statistics.median(ratios) < MOST
    assert job / job_alone < MOST
