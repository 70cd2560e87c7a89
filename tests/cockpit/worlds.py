"""Many cases of the real procedures, running at once: scenarios played to many depths, brought into one database.

A *world* is every row of a scenario that has been played so far. The worlds of one stage share people, deployment and
definitions; what a scenario made itself is given new numbers, and its times are moved so that all worlds live now.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, UniqueConstraint, insert, select, text
from sqlalchemy.orm import Session

from service import clock, scenarios
from service.db import Database
from service.models import Model
from service.models.base import UtcDateTime

ROOT = Path(__file__).resolve().parents[2]
CASE_NUMBER = re.compile(r"\b([A-Z]+[A-Z0-9]*-20\d\d-)(\d{4})\b")
APART = 60
"""No scenario has as many cases of a process, so cases numbered so far apart are never the same."""
# What the self-check makes itself, and the history, which it reads only where a join is dead.
PUT_ASIDE = frozenset(
    {"audit_record", "audit_head", "audit_anchor", "heartbeat", "counter", "watch", "symptom", "event", "notification"}
)
TABLES = [table for table in Model.metadata.sorted_tables if table.name not in PUT_ASIDE]

NUMBERED = [table for table in TABLES if "id" in table.columns and not table.columns["id"].foreign_keys]
"""Their rows are numbered as they come, so what is new is what has a higher number."""

NEVER = 9999
"""The year in which what has no deadline is sorted."""

DEPLOYED = frozenset({"deployment", "deployment_file", "process_definition"})

Rows = dict[str, list[dict[str, Any]]]


@dataclass(slots=True)
class World:
    """The rows that a scenario has made before one of its steps, and the time it was then."""

    name: str
    now: datetime
    rows: Rows

    @property
    def running(self) -> list[dict[str, Any]]:
        """Its cases that go on by themselves."""
        return [row for row in self.rows["instance"] if row["status"] == "active"]

    @property
    def healthy(self) -> bool:
        """True where no case of it has an incident: some scenarios are about trouble."""
        return all(row["status"] != "incident" for row in self.rows["instance"])


class Theatre:
    """A stage whose plays are looked at between two steps."""

    def __init__(self, stage: scenarios.Stage) -> None:
        self.stage = stage
        self.usual = self._read(stage.template)
        self.last = {table.name: max((row["id"] for row in self.usual[table.name]), default=0) for table in NUMBERED}
        self.known = {table.name: {_key(table, row) for row in self.usual[table.name]} for table in TABLES}

    def worlds(self, scenario: scenarios.Scenario) -> list[World]:
        """Play a scenario and keep how things stood before each of its steps."""
        kept: list[World] = []

        def look(_line: str) -> None:
            rows = self._made(self.stage.folder / str(self.stage.played) / "guohe.db")
            kept.append(World(f"{scenario.process}/{scenario.file.stem}:{len(kept)}", clock.now(), rows))

        outcome = self.stage.play(scenario, say=look)
        assert outcome.ok, outcome.problems
        return [world for world in kept if world.healthy and world.running]

    def _made(self, path: Path) -> Rows:
        rows = self._read(path, but=DEPLOYED, after=self.last)
        return {
            table.name: [row for row in rows[table.name] if _key(table, row) not in self.known[table.name]]
            for table in TABLES
        }

    @staticmethod
    def _read(path: Path, but: frozenset[str] = frozenset(), after: Mapping[str, int] | None = None) -> Rows:
        def new(table: Table) -> Select[Any]:
            return (
                select(table).where(table.c.id > after[table.name]) if after and table.name in after else select(table)
            )

        database = Database(f"sqlite:///{path}", synchronous="OFF")
        try:
            with database.engine.connect() as connection:
                return {
                    table.name: []
                    if table.name in but
                    else [dict(row) for row in connection.execute(new(table)).mappings()]
                    for table in TABLES
                }
        finally:
            database.close()


class Town:
    """A database that many worlds move into."""

    def __init__(self, database: Database, usual: Rows, now: datetime) -> None:
        self.database, self.now = database, now
        self._next: dict[str, int] = {}
        self.worlds = self.running = 0
        self._taken: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], Any]] = defaultdict(dict)
        with database.transaction() as session:
            for table in TABLES:
                self._insert(session, table, usual[table.name])
                for row in usual[table.name]:
                    self._take(table, row)
        for table in TABLES:
            numbers = [row["id"] for row in usual[table.name] if isinstance(row.get("id"), int)]
            self._next[table.name] = max(numbers, default=0) + 1

    def move_in(self, worlds: Iterable[World]) -> None:
        """Give what the worlds have made new numbers, and write it."""
        collected: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for world in worlds:
            self.running += len(world.running)
            for table, row in self._moved(world):
                collected[table.name].append(row)
        with self.database.transaction() as session:
            for table in TABLES:
                self._insert(session, table, collected[table.name])
            if not self.database.sqlite:
                count_on(session, TABLES)

    def _moved(self, world: World) -> Iterator[tuple[Table, dict[str, Any]]]:
        numbers: dict[str, dict[Any, Any]] = defaultdict(dict)
        later = self.now - world.now
        self.worlds += 1
        for table in TABLES:
            for row in sorted(world.rows[table.name], key=lambda one: one.get("id") or 0):
                made = {
                    name: _renumbered(_shifted(table, name, value, later), self.worlds * APART)
                    for name, value in row.items()
                }
                for column in table.columns:
                    for foreign in column.foreign_keys:
                        known = numbers[foreign.column.table.name]
                        made[column.name] = known.get(made[column.name], made[column.name])
                if (there := self._there(table, made)) is not None:
                    numbers[table.name][row.get("id")] = there
                    assert table.name != "instance", f"{world.name}: {made['number']} is there already"
                    continue
                if "id" in table.columns and not table.columns["id"].foreign_keys:
                    made["id"] = numbers[table.name][row["id"]] = self._next[table.name]
                    self._next[table.name] += 1
                self._take(table, made)
                yield table, made

    def _there(self, table: Table, row: Mapping[str, Any]) -> Any:
        """The row that goes by the same name already: people and places are the same in all worlds."""
        for names in _naturally(table):
            found = self._taken[(table.name, names)].get(tuple(row[name] for name in names))
            if found is not None:
                return found
        return None

    def _take(self, table: Table, row: Mapping[str, Any]) -> None:
        for names in _naturally(table):
            values = tuple(row[name] for name in names)
            if None not in values:
                self._taken[(table.name, names)][values] = row.get("id", True)

    @staticmethod
    def _insert(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
        for start in range(0, len(rows), 500):
            session.execute(insert(table), rows[start : start + 500])


def count_on(session: Session, tables: Iterable[Table]) -> None:
    """Let PostgreSQL number new rows after those that were written with their numbers."""
    for table in tables:
        column = table.columns.get("id")
        if column is not None and not column.foreign_keys:
            session.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', 'id'),"
                    f' (SELECT COALESCE(MAX(id), 1) FROM "{table.name}"))'
                )
            )


def _key(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


@cache
def _naturally(table: Table) -> list[tuple[str, ...]]:
    """What no two rows of a table have in common."""
    found = [
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    if "id" not in table.columns:
        found.append(tuple(column.name for column in table.primary_key.columns))
    return sorted(found)


def _shifted(table: Table, name: str, value: Any, by: timedelta) -> Any:
    if not isinstance(table.columns[name].type, UtcDateTime) or value is None or value.year == NEVER:
        return value
    return value + by


def _renumbered(value: Any, by: int) -> Any:
    """Give the cases that a value names other numbers; what a state remembers is not looked at from outside."""
    match value:
        case str():
            return CASE_NUMBER.sub(lambda found: f"{found[1]}{int(found[2]) + by:04d}", value)
        case dict() | list():
            return json.loads(_renumbered(json.dumps(value, ensure_ascii=False), by))
    return value
