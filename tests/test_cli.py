"""The command line: what it does, and the one line it says where it cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from service import cli
from service.db import Database
from tests.commands.conftest import DESK, END, START, diagram
from tests.engine.diagrams import user

ROOT = Path(__file__).parent.parent
ONE_TASK = diagram(START + user("a", DESK) + END, "s -> a -> e")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own."""
    for name in list(os.environ):
        if name.startswith("GUOHE_") or name in ("DATABASE_URL", "SMTP_URL"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GUOHE_DATA", str(tmp_path / "var"))
    return tmp_path


def run(*arguments: str) -> int:
    """The exit code of a command."""
    try:
        cli.main(list(arguments))
    except SystemExit as over:
        return int(over.code or 0)
    return 0


def one_line(captured: str) -> str:
    lines = captured.strip().splitlines()
    assert len(lines) == 1, captured
    return lines[0]


def test_an_unmigrated_database_says_what_to_do(environment: Path, capsys):
    assert run("deploy", str(ROOT / "processes"), str(ROOT / "forms")) == 1
    assert "guohe migrate" in one_line(capsys.readouterr().err)


def test_a_wrong_database_url_says_what_one_looks_like(environment: Path, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    assert run("migrate") == 1
    assert "postgresql://" in one_line(capsys.readouterr().err)


def test_a_wrong_setting_is_named(environment: Path, capsys, monkeypatch):
    monkeypatch.setenv("GUOHE_PORT", "many")
    assert run("serve") == 1
    assert "GUOHE_PORT" in one_line(capsys.readouterr().err)


def test_an_occupied_port_says_how_to_take_another(environment: Path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("serve", "--port", str(port)) == 1
    said = one_line(capsys.readouterr().err)
    assert str(port) in said
    assert f"GUOHE_PORT={port + 1}" in said


def test_an_unknown_command_is_wrong_use(environment: Path, capsys):
    assert run("fly") == 2
    assert "fly" in capsys.readouterr().err


def test_migrate_can_be_repeated(environment: Path, capsys):
    assert run("migrate") == 0
    assert run("migrate") == 0


def test_deploying_needs_an_account_and_then_makes_one_version_of_one_content(environment: Path, capsys):
    (environment / "p.bpmn").write_bytes(ONE_TASK)
    assert run("migrate") == 0
    assert run("deploy", str(environment / "p.bpmn")) == 1
    assert "guohe admin" in capsys.readouterr().err
    assert run("admin", "chen", "--name", "陈", "--password", "a long password") == 0
    capsys.readouterr()
    assert run("deploy", str(environment / "p.bpmn")) == 0
    assert "1" in capsys.readouterr().out
    assert run("deploy", str(environment / "p.bpmn")) == 0
    assert "相同" in capsys.readouterr().out


def test_a_refused_deployment_names_the_element_and_changes_nothing(environment: Path, capsys):
    (environment / "p.bpmn").write_bytes(diagram(START + user("a", DESK) + user("lost", DESK) + END, "s -> a -> e"))
    run("admin", "chen", "--password", "a long password")
    capsys.readouterr()
    assert run("deploy", str(environment / "p.bpmn")) == 1
    assert "lost" in capsys.readouterr().err


def test_validate_needs_no_database(environment: Path, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    (environment / "p.bpmn").write_bytes(ONE_TASK)
    assert run("validate", str(environment / "p.bpmn")) == 0
    (environment / "p.bpmn").write_bytes(b"<definitions/>")
    assert run("validate", str(environment)) == 1


def test_a_folder_without_diagrams_is_wrong_use(environment: Path, capsys):
    (environment / "empty").mkdir()
    assert run("validate", str(environment / "empty")) == 2


def test_the_demo_loads_and_loads_again(environment: Path, capsys):
    assert run("demo") == 0
    assert run("demo") == 0
    assert "虚构" in capsys.readouterr().out


def test_layout_draws_and_check_is_content_with_what_it_drew(environment: Path, capsys):
    file = environment / "p.bpmn"
    file.write_bytes(ONE_TASK)
    assert run("layout", str(file), "--check") == 1
    assert run("layout", str(file)) == 0
    assert b"BPMNDiagram" in file.read_bytes()
    assert run("layout", str(file), "--check") == 0


def test_serve_serves_and_stops_when_told(environment: Path):
    port = free_port()
    run("migrate")
    serving = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        assert f"http://127.0.0.1:{port}" in serving.stdout.readline()
        assert answers(f"http://127.0.0.1:{port}/") < 500
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=20) == 0
    finally:
        serving.kill()
        serving.wait()


def test_a_worker_stops_when_told(environment: Path):
    run("migrate")
    working = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "worker"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert working.stdout is not None
        assert "worker is running" in working.stdout.readline()
        working.send_signal(signal.SIGTERM)
        assert working.wait(timeout=20) == 0
    finally:
        working.kill()
        working.wait()


def test_a_newer_database_is_refused(environment: Path, capsys):
    run("migrate")
    database = Database(f"sqlite:///{environment / 'var' / 'guohe.db'}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    capsys.readouterr()
    assert run("worker") == 1
    assert "9999" in one_line(capsys.readouterr().err)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
