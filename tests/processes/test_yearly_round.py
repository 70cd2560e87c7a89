"""A small annual cycle on both databases: one case for each base, all of them collected."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from service.db import Database
from service.models import Incident, Instance, Job
from tests.processes import yearly_round


def test_a_cycle_reaches_every_base(database: Database, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(yearly_round, "SILENT", 5)
    year = yearly_round.Round(database, tmp_path, 10)
    year.play(2026)
    assert year.cases("annual_cycle") == {"cycle_done": 1}
    assert year.cases("annual_report") == {"report_accepted": 8, None: 2}
    assert year.cases("yearly_assessment") == {"assessed": 10}
    assert year.results(2026) == {"accepted": 8, "overdue": 2, "pass": 8, "excused": 2}
    with database.transaction(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 0
        assert session.scalar(select(func.count()).select_from(Instance).where(Instance.ended_at.is_(None))) == 0
        assert session.scalar(select(func.count()).select_from(Job).where(Job.status == "failed")) == 0
