"""What a start, a completion and a waiting case cost, beside the bare engine."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from service import engine
from service.app import create_app
from service.commands.people import identity
from service.commands.procedures import deployments
from service.db import Database
from service.models import Instance
from tests.commands.conftest import DESK, END, START, Office, diagram, form, office
from tests.engine.diagrams import NOW, user
from tests.statements import counted

__all__ = ["office"]

pytestmark = pytest.mark.bench

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 200
OPINION = DESK + '<zeebe:formDefinition formId="f"/><zeebe:taskSchedule dueDate="=workdays(today(), 5)"/>'
USUAL = diagram(
    START
    + user("a", OPINION)
    + '<exclusiveGateway id="g" default="g_no"/>'
    + user("b", OPINION)
    + END
    + '<endEvent id="no"/>',
    's -> a -> g -[=opinion = "yes"]-> b -> e; g -> no',
)
LOOP = diagram(
    START + user("a", OPINION) + '<exclusiveGateway id="g" default="g_a"/>' + END,
    's -> a -> g -[=opinion = "stop"]-> e; g -> a',
)


def ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):7.2f} ms"


def row(what: str, database: Database, *figures: str) -> None:
    print(f"{'SQLite' if database.sqlite else 'PostgreSQL':11}{what:44}{'   '.join(figures)}")


class Measured:
    """Times of something done again and again: by the clock, by the processor, and in statements."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.statements: list[int] = []
        self.commits = 0

    def time(self, act: Callable[[], Any]) -> Any:
        commits: list[int] = []

        def committed(_connection: Any) -> None:
            commits.append(1)

        event.listen(self.database.engine, "commit", committed)
        try:
            with counted(self.database) as statements:
                wall, cpu = time.perf_counter(), time.process_time()
                result = act()
                self.cpu.append(time.process_time() - cpu)
                self.wall.append(time.perf_counter() - wall)
        finally:
            event.remove(self.database.engine, "commit", committed)
        self.statements.append(len(statements))
        self.commits = max(self.commits, len(commits))
        return result

    @property
    def figures(self) -> list[str]:
        return [
            ms(self.wall),
            f"CPU {ms(self.cpu)}",
            f"{statistics.median(self.statements):.0f} statements",
            f"{self.commits} commit(s)",
        ]


class Api:
    """The JSON API as a person calls it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.client: FlaskClient = create_app(office.settings, office.database).test_client()
        with office.database.transaction() as session:
            self.tokens = {
                name: identity.create_token(session, "bench", user=office.fresh(session, person))[1]
                for name, person in (("li", office.li), ("wang", office.wang))
            }

    def post(self, who: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.client.post(f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {self.tokens[who]}"})
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        return answer.get_json()


def test_a_start_and_a_completion_over_http(office: Office):
    office.deploy(USUAL, f__form=form("f", "opinion"))
    api = Api(office)
    starts, completions = Measured(office.database), Measured(office.database)
    api.post("wang", "/process-definitions/p/start", {"variables": {}})  # warms the caches
    for _ in range(ROUNDS):
        case = starts.time(lambda: api.post("wang", "/process-definitions/p/start", {"variables": {}}))["id"]
        task = office.open(case)["a"]
        completions.time(lambda task=task: api.post("li", f"/tasks/{task}/complete", {"variables": {"opinion": "yes"}}))
    row("start over HTTP", office.database, *starts.figures)
    row("completion with a form over HTTP", office.database, *completions.figures)
    row("  the bare engine: load, complete, dump", office.database, ms(bare(office)))


def bare(office: Office) -> list[float]:
    """The same completion without database, form and HTTP: the floor."""
    with office.database.transaction() as session:
        deployment = session.scalars(select(Instance.deployment_id).limit(1)).one()
        bundle = deployments.bundle(session, deployment)
    times = []
    for _ in range(ROUNDS):
        state = engine.dump(engine.start(bundle, "p", {"caseNumber": "x"}, now=NOW).run)
        began = time.perf_counter()
        run = engine.load(bundle, state)
        step = engine.complete(run, run.waits()[0].token, {"opinion": "yes"}, now=NOW)
        engine.dump(step.run)
        times.append(time.perf_counter() - began)
    return times


def test_bytes_of_a_waiting_case(office: Office):
    office.deploy(USUAL, f__form=form("f", "opinion"))
    cases = [office.start() for _ in range(200)]
    with office.database.transaction() as session:
        states = session.scalars(select(func.length(Instance.state)).where(Instance.id.in_(cases))).all()
    row("state of a waiting case", office.database, f"{statistics.mean(states):7.0f} bytes")


def test_a_completion_costs_the_same_after_thousands_of_steps(office: Office):
    office.deploy(LOOP, f__form=form("f", "opinion"))
    cases = {steps: office.start() for steps in (10, 1_000, 5_000)}
    for steps, case in cases.items():
        for _ in range(steps):
            office.do(case, "a", opinion="more")
    wall: dict[int, list[float]] = {steps: [] for steps in cases}
    for _ in range(ROUNDS):  # by turns, so that what else the machine does strikes all alike
        for steps, case in cases.items():
            (task,) = office.open(case).values()
            began = time.perf_counter()
            office.complete(task, opinion="more")
            wall[steps].append(time.perf_counter() - began)
    medians = {steps: statistics.median(times) for steps, times in wall.items()}
    figures = [f"after {steps}: {1000 * median:.2f} ms" for steps, median in medians.items()]
    row("completion", office.database, *figures, f"ratio {medians[5_000] / medians[10]:.2f}")


def test_memory_of_the_server(tmp_path: Path):
    """Resident memory after a thousand requests, V8 included."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GUOHE_DATA": str(tmp_path / "var"), "GUOHE_PORT": str(port)}
    environment.pop("DATABASE_URL", None)
    server = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--prepare"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    try:
        began = time.perf_counter()
        while not _answers(port):
            assert time.perf_counter() - began < 120
            time.sleep(0.05)
        first = time.perf_counter() - began
        for _ in range(1000):
            _answers(port)
        resident = psutil.Process(server.pid).memory_info().rss / 1024 / 1024
    finally:
        server.terminate()
        server.wait()
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "serve", "--prepare"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    try:
        while not _answers(port):
            time.sleep(0.02)
        again = time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()
    print(
        f"server: {resident:.0f} MB after 1000 requests; first page after {first:.1f} s, at the next start {again:.1f} s"
    )


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            answer.read()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
