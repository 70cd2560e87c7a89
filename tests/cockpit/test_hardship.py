"""A full disk, a database that goes away, a clock set back: said in a sentence, survived, and no case harmed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from service import clock, errors
from service.commands.administration import audit
from service.models import Repair
from tests.cockpit.conftest import Cockpit, two_tasks
from tests.web.conftest import app, browser, settings, text

__all__ = ["app", "browser", "settings"]

ROOT = Path(__file__).resolve().parents[2]


def with_little_room(cockpit: Cockpit, *arguments: str, room: int) -> subprocess.CompletedProcess[str]:
    """Run a command that cannot write more than so many bytes into any file."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": str(cockpit.database.url),
            "GUOHE_DATA": str(cockpit.office.settings.data),
        },
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )


def test_a_full_disk_is_said_and_nothing_is_half_written(cockpit, tmp_path):
    if not cockpit.database.sqlite:
        return  # its server answers with class 53, which test_db holds
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    before, number = cockpit.office.instance(case).state, cockpit.office.instance(case).number
    token = cockpit.office.task(cockpit.office.open(case)["a"]).token
    repaired = with_little_room(cockpit, "repair", number, "skip", f"token={token}", "--reason", "演练", room=40_000)
    assert repaired.returncode == 1
    assert len(repaired.stderr.strip().splitlines()) == 1, repaired.stderr
    copied = with_little_room(cockpit, "backup", str(tmp_path / "copies" / "copy.tar.gz"), room=40_000)
    assert copied.returncode == 1
    assert len(copied.stderr.strip().splitlines()) == 1, copied.stderr
    assert list((tmp_path / "copies").iterdir()) == []
    assert cockpit.office.instance(case).state == before
    assert cockpit.office.rows(Repair) == []
    assert cockpit.check().healed == []
    cockpit.office.do(case, "a")


@contextmanager
def away(request, cockpit: Cockpit):
    """Nobody is let into the database, and those who are in are put out."""
    server = request.getfixturevalue("postgresql")
    with server.connect() as connection:
        connection.execute("ALTER DATABASE guohe ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'guohe'")
        try:
            yield
        finally:
            connection.execute("ALTER DATABASE guohe ALLOW_CONNECTIONS true")


def test_a_database_that_goes_away_and_comes_back_is_survived(cockpit, browser, request):
    if cockpit.database.sqlite:
        return  # a file does not go away
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    cockpit.check()
    admin, token = browser("admin"), cockpit.office.task(cockpit.office.open(case)["a"]).token
    with away(request, cockpit):
        ready = admin.get("/readyz")
        assert (ready.status_code, ready.json["status"]) == (503, "not ready")
        refused = admin.post(f"/cockpit/cases/{case}/repair/skip", token=token, variables="", version=1, reason="演练")
        assert refused.status_code == 503
        cockpit.upkeep.round()  # logs, and tries again in the next round
        with pytest.raises(errors.ServiceError):
            cockpit.check()
    assert admin.get("/readyz").status_code == 200
    assert cockpit.check().healed == []
    assert set(cockpit.office.open(case)) == {"a"}
    version = cockpit.office.instance(case).version
    done = admin.post(f"/cockpit/cases/{case}/repair/skip", token=token, variables="", version=version, reason="演练")
    assert done.status_code == 303
    assert set(cockpit.office.open(case)) == {"b"}


def test_a_clock_that_was_set_back_is_shown_and_people_go_on(cockpit, browser):
    cockpit.office.deploy(two_tasks())
    now = clock.now()
    with clock.travel(now):
        case = cockpit.office.start()
        cockpit.check()
    with clock.travel(now - timedelta(hours=2)):
        assert cockpit.check().healed == []
        cockpit.upkeep.diagnose()
        assert "时钟异常" in text(browser("admin").get("/cockpit/"))
        cockpit.office.do(case, "a")
        cockpit.perform(case, "suspend")
        cockpit.perform(case, "resume")
        assert set(cockpit.office.open(case)) == {"b"}
        cockpit.upkeep.seal()
        with cockpit.database.transaction(readonly=True) as session:
            assert audit.check(session, key=cockpit.office.settings.secret_key).ok
