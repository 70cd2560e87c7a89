"""A ministry with an upkeep that runs when a test says so, and ways to break its cases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.commands.administration import repairs
from service.db import Database
from service.models import Repair
from service.upkeep import Checked, Upkeep
from tests.commands.conftest import DESK, END, START, Office, diagram, form, office, service, topics
from tests.engine.diagrams import ext, user

__all__ = ["DESK", "END", "START", "Office", "diagram", "ext", "form", "office", "service", "topics", "user"]


class Cockpit:
    """The administrator's side of the ministry."""

    def __init__(self, office: Office) -> None:
        self.office, self.database = office, office.database
        self.upkeep = Upkeep(office.database, office.settings, "test-worker")

    def check(self) -> Checked:
        self.upkeep.beat()
        return self.upkeep.check()

    def causes(self, instance_id: int) -> set[str]:
        return {one.cause for one in self.office.incidents(instance_id)}

    def perform(self, instance_id: int, kind: str, *, version: int | None = None, **parameters: Any) -> Repair:
        with self.database.transaction() as session:
            admin = self.office.fresh(session, self.office.admin)
            return repairs.perform(session, instance_id, kind, parameters, user=admin, reason="测试", version=version)

    def preview(self, instance_id: int, kind: str, **parameters: Any) -> repairs.Preview:
        with self.database.transaction(readonly=True) as session:
            admin = self.office.fresh(session, self.office.admin)
            return repairs.preview(session, instance_id, kind, parameters, user=admin)

    def undo(self, repair_id: int) -> Repair:
        with self.database.transaction() as session:
            return repairs.undo(session, repair_id, user=self.office.fresh(session, self.office.admin), reason="撤销")

    def sql(self, statement: str, **values: Any) -> None:
        from sqlalchemy import text

        with self.database.transaction() as session:
            session.execute(text(statement), values)


@pytest.fixture
def cockpit(office: Office) -> Iterator[Cockpit]:
    """The administrator's side."""
    return Cockpit(office)


def two_tasks(pid: str = "p") -> bytes:
    """``a`` then ``b``, both of the desk, with a reminder on ``a``."""
    timer = "<timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition>"
    return diagram(
        START + user("a", DESK) + user("b", DESK) + user("late", DESK) + END
        + f'<boundaryEvent id="soon" attachedToRef="a" cancelActivity="false">{timer}</boundaryEvent>',
        "s -> a -> b -> e; soon -> late -> e",
        pid=pid,
    )  # fmt: skip


def database_of(office: Office) -> Database:
    return office.database
