"""The stage scenarios are played on: a bundle and the usual cast in a database, of which every play gets a copy."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from service import clock, config, files, handlers
from service.commands.procedures import deployments
from service.db import Database
from service.models import CalendarYear, Model, User

from . import cast
from .outcomes import Failed, Outcome
from .playing import Play
from .reading import Scenario


class Stage(AbstractContextManager["Stage"]):
    """Holds the bundle and a database with the usual cast; every scenario plays on a copy."""

    def __init__(
        self,
        source: Path | Mapping[str, bytes],
        *,
        calendar: Sequence[tuple[int, Mapping[str, Any]]] = (),
        within: Path | None = None,
    ) -> None:
        """Deploy a project folder, or files by their paths. Raises BundleRejected.

        ``calendar`` holds the years that somebody has entered, each with its days; ``within`` is where the folder of
        the databases is made.
        """
        self.calendar = calendar
        memory = Path("/dev/shm")
        place = within or (memory if memory.is_dir() else None)
        self.folder = Path(tempfile.mkdtemp(prefix="guohe-scenarios-", dir=place))
        self.template = self.folder / "template.db"
        self.played = 0
        try:
            self._prepare(files.of_project(source) if isinstance(source, Path) else source)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _prepare(self, content: Mapping[str, bytes]) -> None:
        database = Database(f"sqlite:///{self.template}", synchronous="OFF")
        try:
            with database.engine.begin() as connection:
                Model.metadata.create_all(connection)
            with database.transaction() as session:
                cast.usual(session)
                session.add_all(
                    CalendarYear(year=year, days=dict(days), entered_at=clock.now()) for year, days in self.calendar
                )
                owner = session.scalars(select(User).where(User.username == cast.ADMIN)).one()
                deployment = deployments.deploy(session, content, user=owner, topics=handlers.topics())
                self.bundle = deployments.bundle(session, deployment.id)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
        finally:
            database.close()

    def play(self, scenario: Scenario, *, say: Callable[[str], None] | None = None) -> Outcome:
        """Play a scenario from its start to its last expectation, or to the first thing that comes otherwise."""
        outcome, began = Outcome(scenario.file, scenario.name), time.perf_counter()
        outcome.process = scenario.process
        with self.opened(scenario, say=say) as play:
            try:
                play.run()
            except Failed as failure:
                place = f"{scenario.file.name}:{play.line}" if play.line else f"{scenario.file.name}: {play.moment}"
                outcome.fail(failure, place, play.line)
            outcome.flows = play.flows()
            outcome.seen = play.seen()
            outcome.at = play.places()
        outcome.seconds = time.perf_counter() - began
        return outcome

    @contextmanager
    def opened(self, scenario: Scenario, *, say: Callable[[str], None] | None = None) -> Iterator[Play]:
        """A play that has not begun, in a database and at a time of its own, until it is closed."""
        self.played += 1
        folder = self.folder / str(self.played)
        folder.mkdir()
        shutil.copyfile(self.template, folder / "guohe.db")
        settings = config.read(
            {
                "GUOHE_DATA": str(folder),
                "DATABASE_URL": f"sqlite:///{folder / 'guohe.db'}",
                "GUOHE_PROFILE": scenario.profile,
                "GUOHE_SECRET_KEY": "scenarios have no secrets",
            }
        )
        database = Database(settings.database_url, synchronous="OFF")
        try:
            with clock.travel(scenario.now):
                yield Play(scenario, database, settings, say or _silent, self.bundle)
        finally:
            database.close()
            shutil.rmtree(folder, ignore_errors=True)

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _silent(_line: str) -> None:
    return None
