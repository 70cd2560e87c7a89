"""Running it: copies and their return, the doctor, logs, the command line."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from click.testing import CliRunner

from service import backup, clock, doctor, errors, logs
from service.cli import guohe
from service.config import read
from service.db import Database
from service.models import Heartbeat
from tests.cockpit.conftest import Cockpit, two_tasks


@pytest.fixture
def environ(cockpit: Cockpit, monkeypatch) -> dict[str, str]:
    url = cockpit.database.url.render_as_string(hide_password=False)
    values = {"DATABASE_URL": url, "GUOHE_DATA": str(cockpit.office.settings.data)}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def test_a_drill_brings_everything_back(cockpit, environ, tmp_path, request):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    cockpit.upkeep.seal()
    files = cockpit.office.settings.files
    files.mkdir(parents=True, exist_ok=True)
    (files / "letter.txt").write_text("决定")
    copy = tmp_path / "copy.tar.gz"
    assert CliRunner().invoke(guohe, ["backup", str(copy)]).exit_code == 0
    cockpit.office.do(case, "a")  # after the copy
    if cockpit.database.sqlite:
        url, server = f"sqlite:///{tmp_path / 'back.db'}", None
    else:
        server = request.getfixturevalue("postgresql")
        url = server.create("back")
    settings = read({"DATABASE_URL": url, "GUOHE_DATA": str(tmp_path / "elsewhere")})
    backup.restore(settings, copy)
    back = Database(url)
    try:
        back.check()
        with back.transaction(readonly=True) as session:
            from sqlalchemy import select

            from service.commands import audit
            from service.models import Task

            opened = session.scalars(
                select(Task.element_id).where(Task.instance_id == case, Task.status == "open")
            ).all()
            assert opened == ["a"]
            key = (settings.data / "secret.key").read_text().strip()
            assert audit.check(session, key=key, copies=settings.data / audit.ANCHORS).ok
        assert (settings.files / "letter.txt").read_text() == "决定"
        with pytest.raises(errors.NotReady, match="--force"):
            backup.restore(settings, copy)
        backup.restore(settings, copy, force=True)
    finally:
        back.close()
        if server is not None:
            server.drop("back")


@pytest.mark.parametrize("damage", ["truncate", "change", "empty"])
def test_a_damaged_copy_is_refused_before_anything_is_touched(cockpit, environ, tmp_path, damage):
    copy = tmp_path / "copy.tar.gz"
    backup.make(cockpit.database, cockpit.office.settings, copy)
    content = bytearray(copy.read_bytes())
    if damage == "truncate":
        content = content[: len(content) // 2]
    elif damage == "change":
        content[len(content) // 2] ^= 0xFF
    else:
        content = bytearray()
    copy.write_bytes(content)
    settings = read({"DATABASE_URL": f"sqlite:///{tmp_path / 'back.db'}", "GUOHE_DATA": str(tmp_path / "e")})
    with pytest.raises(errors.NotReady, match="未作任何更改"):
        backup.restore(settings, copy)
    assert not (tmp_path / "back.db").exists()


def test_the_doctor_says_what_is_wrong_and_what_is_fine(cockpit, environ):
    found = {one.what: one for one in doctor.examine(cockpit.office.settings, cockpit.database)}
    assert found["worker"].level == "error"
    assert found["database"].level == "ok"
    cockpit.upkeep.beat()
    found = {one.what: one for one in doctor.examine(cockpit.office.settings, cockpit.database)}
    assert {one.level for one in found.values()} <= {"ok", "warning"}
    assert set(found) == {"configuration", "disk", "database", "clock", "worker", "liveness", "audit", "mail"}
    with cockpit.database.transaction() as session:
        session.query(Heartbeat).update({"seen_at": clock.now() - timedelta(minutes=5)})
    answer = CliRunner().invoke(guohe, ["doctor", "--json"])
    assert answer.exit_code == 1
    assert any(json.loads(line)["what"] == "worker" for line in answer.output.splitlines())


def test_the_doctor_survives_a_database_that_is_gone(tmp_path):
    settings = read({"DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}", "GUOHE_DATA": str(tmp_path)})
    database = Database(settings.database_url)
    found = {one.what: one.level for one in doctor.examine(settings, database)}
    database.close()
    assert found["database"] == "error"
    assert found["disk"] in ("ok", "warning")


def test_a_repair_at_the_command_line_shows_first_and_then_does(cockpit, environ):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    number = cockpit.office.instance(case).number
    token = cockpit.office.task(cockpit.office.open(case)["a"]).token
    why = CliRunner().invoke(guohe, ["repair", number])
    assert f"token={token} task a" in why.output
    shown = CliRunner().invoke(guohe, ["repair", number, "skip", f"token={token}"])
    assert "+ token" in shown.output
    assert "预演" in shown.output
    assert set(cockpit.office.open(case)) == {"a"}
    done = CliRunner().invoke(guohe, ["repair", number, "skip", f"token={token}", "--reason", "演练"])
    assert done.exit_code == 0, done.output
    assert set(cockpit.office.open(case)) == {"b"}


def test_the_self_check_at_the_command_line_heals_and_says_so(cockpit, environ):
    cockpit.office.deploy(two_tasks())
    case = cockpit.office.start()
    cockpit.sql("DELETE FROM task WHERE instance_id = :id", id=case)
    broken = CliRunner().invoke(guohe, ["check"])
    assert "lost_task" in broken.output
    assert CliRunner().invoke(guohe, ["check"]).exit_code == 0


def test_logs_are_json_with_the_request_and_the_case(capsys):
    record = logging.LogRecord("service.x", logging.WARNING, __file__, 1, "hello %s", ("你",), None)
    with logs.about(request="r1", case=7):
        said = json.loads(logs.Lines().format(record))
    assert (said["request"], said["case"], said["message"], said["level"]) == ("r1", 7, "hello 你", "warning")
    assert "request" not in json.loads(logs.Lines().format(record))
    assert logs.request_id("evil\n") != "evil\n"
    assert logs.request_id("abc-1") == "abc-1"
