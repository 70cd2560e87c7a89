"""Kill the server and the workers, really, at any moment: nothing is lost and nothing is done twice."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from service.commands.cases import instances
from service.commands.people import identity
from service.db import Database
from service.models import Event, Instance, Job, Notification, Task
from tests.commands.conftest import DESK, END, START, Office, diagram, office, service
from tests.engine.diagrams import user

__all__ = ["office"]

ROOT = Path(__file__).parent.parent
CASES = 100
KILLS = 4
NOTE = (
    '<zeebe:taskHeaders><zeebe:header key="to" value="coop.intake"/></zeebe:taskHeaders>'
    '<zeebe:ioMapping><zeebe:input source="=caseNumber" target="noteTitle"/></zeebe:ioMapping>'
)
TWO_TASKS = diagram(
    START + user("a", DESK) + service("n", "notify", NOTE) + user("b", DESK) + END, "s -> a -> n -> b -> e"
)


class Process:
    """A ``guohe`` process that can be killed and started again."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.environment, self.arguments = environment, arguments
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", *self.arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """A person with a program that does every task it is offered, and asks again when nobody answers."""

    def __init__(self, port: int, token: str) -> None:
        self.url, self.token = f"http://127.0.0.1:{port}/api/v1", token
        self.stop = threading.Event()
        self.refused: list[str] = []

    def run(self) -> None:
        while not self.stop.is_set():
            answer = self.ask("GET", "/tasks?box=group&limit=20")
            items = answer.get("items", [])
            random.shuffle(items)
            for task in items:
                if not self.stop.is_set():
                    self.ask("POST", f"/tasks/{task['id']}/complete", {"variables": {}})
            if not items:
                time.sleep(0.1)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code != 409:  # somebody, perhaps a former self, was first
                self.refused.append(f"{path}: {error.code} {error.read()[:300]!r}")
                time.sleep(0.2)
        except (OSError, ValueError, http.client.HTTPException):  # nobody there: killed, or not up yet
            time.sleep(0.1)
        return {}


@contextmanager
def busy(clients: list[Client]) -> Iterator[None]:
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for client in clients:
            client.stop.set()
        for thread in threads:
            thread.join()


def progress(database: Database) -> int:
    with database.transaction(readonly=True) as session:
        return session.scalar(select(func.count()).select_from(Task).where(Task.status == "completed")) or 0


def test_killing_server_and_workers_loses_nothing_and_doubles_nothing(office: Office, tmp_path: Path):
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    office.deploy(TWO_TASKS)
    with office.database.transaction() as session:
        wang, li, zhao = (office.fresh(session, one) for one in (office.wang, office.li, office.zhao))
        for _ in range(CASES):
            instances.start(session, "p", {}, user=wang)
        tokens = [identity.create_token(session, "crash", user=one)[1] for one in (li, zhao, li)]
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": office.database.url.render_as_string(hide_password=False),
        "GUOHE_DATA": str(tmp_path / "data"),
        "GUOHE_PORT": str(port),
    }
    processes = [Process(environment, "serve", "--lease", "3")]
    if not office.database.sqlite:
        processes += [Process(environment, "worker", "--lease", "3", "--concurrency", "2")]
    clients = [Client(port, token) for token in tokens]
    try:
        with busy(clients):
            for kill in range(KILLS):
                # Let a share of the work be done first, so that the kills fall into it and not before or after.
                wait_for(lambda kill=kill: progress(office.database) >= (kill + 1) * 2 * CASES // (KILLS + 2))
                time.sleep(chance.uniform(0, 0.3))
                victim = chance.choice(processes)
                victim.kill()
                victim.start()
            wait_for(lambda: all_over(office.database), seconds=120)
    finally:
        for process in processes:
            process.kill()
    assert [refused for client in clients for refused in client.refused] == []
    check_books(office)


def wait_for(condition, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def all_over(database: Database) -> bool:
    with database.transaction(readonly=True) as session:
        running = session.scalar(select(func.count()).select_from(Instance).where(Instance.status != "completed"))
        return running == 0


def check_books(office: Office) -> None:
    """Every task completed once, every job worked once, every notice there once, in every case."""
    with office.database.transaction(readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 2 * CASES
        for kind, times in (("completed", 2), ("worked", 1), ("started", 1), ("ended", 1)):
            counted = Counter(session.scalars(select(Event.instance_id).where(Event.kind == kind)))
            assert set(counted.values()) == {times}, kind
            assert len(counted) == CASES
        per_task = Counter(session.scalars(select(Event.task_id).where(Event.kind == "completed")))
        assert set(per_task.values()) == {1}
        noted = session.execute(select(Notification.instance_id, Notification.user_id)).all()
        assert len(noted) == len(set(noted)) == 2 * CASES  # two people hold the role
        left = session.scalars(select(Job.status).where(Job.kind == "service")).all()
        assert set(left) == {"done"}
