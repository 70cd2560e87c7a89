"""Running it: copies and their return, the doctor, logs, the command line."""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from service import backup, clock, doctor, errors, logs
from service.cli import guohe
from service.config import read
from service.db import Database
from service.models import Heartbeat
from tests import cluster
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, service, two_tasks, user
from tests.commands.conftest import Office
from tests.conftest import People, build
from tests.test_crash import ROOT, free_port, wait_for


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

            from service.commands.administration import audit
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


def test_a_series_of_copies_brings_back_any_moment_and_forgets_the_old(cockpit, environ, tmp_path):
    if not cockpit.database.sqlite:
        return  # finer: the next test
    folder, run = tmp_path / "series", CliRunner()
    cockpit.office.deploy(two_tasks())
    case, begun = cockpit.office.start(), clock.now()
    for day, do in enumerate(("a", "b")):
        with clock.travel(begun + timedelta(days=day, seconds=1)):
            assert run.invoke(guohe, ["backup", str(folder), "--keep", "30"]).exit_code == 0
        cockpit.office.do(case, do)
    between = (begun + timedelta(days=1)).isoformat()
    cockpit.database.close()
    answer = run.invoke(guohe, ["restore", str(folder), "--at", between, "--force"])
    assert answer.exit_code == 0, answer.output
    assert set(cockpit.office.open(case)) == {"a"}
    too_early = run.invoke(guohe, ["restore", str(folder), "--at", "2001-01-01T00:00+08:00", "--force"])
    assert isinstance(too_early.exception, errors.NotReady)
    assert run.invoke(guohe, ["restore", str(folder), "--at", "yesterday"]).exit_code == 2
    with clock.travel(begun + timedelta(days=31)):
        backup.make_next(cockpit.database, cockpit.office.settings, folder, keep=timedelta(days=30))
    assert len(backup.series(folder)) == 2  # of the first day nothing is left


def test_a_postgresql_database_comes_back_as_of_a_moment(tmp_path):
    """``pitr.sh`` archives, copies and restores a real cluster; what was done after the moment is not there."""
    copies = Path(tempfile.mkdtemp(prefix="guohe-pitr-"))
    copies.chmod(0o777)
    script = shutil.copy(ROOT / "docs" / "howto" / "pitr.sh", copies / "pitr.sh")
    archive = f"archive_command=GUOHE_PITR={copies} {script} archive %p %f"
    try:
        with cluster.started("archive_mode=on", "wal_level=replica", "max_wal_senders=4", archive) as server:
            database = Database(server.create("guohe"))
            build(database)
            cockpit = Cockpit(Office(database, People(database), tmp_path / "data"))
            cockpit.office.deploy(two_tasks())
            case = cockpit.office.start()
            where = {"PGHOST": str(server.folder), "PGUSER": "guohe", "GUOHE_PITR": str(copies)}
            made = cluster.as_server([script, "base"], **where)
            assert made.returncode == 0, made.stderr
            time.sleep(1.1)  # copies are named by the second
            cockpit.office.do(case, "a")
            with server.connect() as connection:
                moment = str(connection.execute("SELECT clock_timestamp()").fetchone()[0])
            cockpit.office.do(case, "b")
            cockpit.sql("DELETE FROM event")
            with server.connect() as connection:
                connection.execute("SELECT pg_switch_wal()")
            wait_for(lambda: _archived(server))
            database.close()
        back = cluster.as_server([script, "restore", moment, str(copies / "restored")], **where)
        assert back.returncode == 0, back.stderr
        early = cluster.as_server([script, "restore", "2001-01-01", str(copies / "never")], **where)
        assert "no copy is older" in early.stderr
        with cluster.reopened(copies / "restored") as server:
            database = Database(server.url("guohe"))
            cockpit.office.database = database
            wait_for(lambda: not server.connect().execute("SELECT pg_is_in_recovery()").fetchone()[0])
            assert set(cockpit.office.open(case)) == {"b"}
            cockpit.office.do(case, "b")
            assert cockpit.office.instance(case).status == "completed"
            database.close()
    finally:
        shutil.rmtree(copies, ignore_errors=True)


def _archived(server: cluster.Cluster) -> bool:
    with server.connect() as connection:
        return connection.execute(
            "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver"
        ).fetchone()[0]


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


class Collector(BaseHTTPRequestHandler):
    """Takes spans as an OpenTelemetry collector does."""

    spans: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = ExportTraceServiceRequest.FromString(
            gzip.decompress(body) if self.headers.get("Content-Encoding") else body
        )
        self.spans += [span for one in sent.resource_spans for scope in one.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_a_served_request_and_a_job_leave_json_lines_and_spans(cockpit, topics, tmp_path):
    """A real ``guohe serve`` on SQLite does a job, too; a collector and a log reader take what it says."""
    if not cockpit.database.sqlite:
        return  # the worker of PostgreSQL is a process of its own and says the same
    cockpit.office.deploy(diagram(START + service("act", "notify") + user("a", DESK) + END, "s -> act -> a -> e"))
    case = cockpit.office.start()
    Collector.spans.clear()
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    port, trace = free_port(), "0af7651916cd43dd8448eb211c80319c"
    environment = {
        **os.environ,
        "DATABASE_URL": str(cockpit.database.url),
        "GUOHE_DATA": str(tmp_path / "served"),
        "GUOHE_PORT": str(port),
        "GUOHE_LOG": "json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
    }
    with (tmp_path / "log").open("wb") as log:
        served = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "serve"], cwd=ROOT, env=environment, stderr=log, stdout=log
        )
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-Id": "asked-1"}
    try:
        wait_for(lambda: _answers(port, f"/cases/{case}", headers))
        wait_for(lambda: {"GET /cases/<int:instance_id>", "job notify"} <= {one.name for one in Collector.spans})
    finally:
        served.terminate()
        served.wait(timeout=30)
        collector.shutdown()
    request = next(one for one in Collector.spans if one.name.startswith("GET /cases/"))
    assert request.trace_id.hex() == trace
    known = {one.key: one.value for one in request.attributes}
    assert (known["case"].int_value, known["request"].string_value) == (case, "asked-1")
    job = next(one for one in Collector.spans if one.name == "job notify")
    assert any(one.parent_span_id == job.span_id and one.name == "SELECT" for one in Collector.spans)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    said = next(one for one in lines if one.get("request") == "asked-1")
    assert (said["case"], said["trace"], said["path"]) == (case, trace, f"/cases/{case}")


def _answers(port: int, path: str, headers: dict[str, str]) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers), timeout=20)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
