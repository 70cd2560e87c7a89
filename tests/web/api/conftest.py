"""A small ministry with programs that call its API: ``api.as_("li").get("/tasks")``."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.app import create_app
from service.commands.people import identity
from service.db import Database
from service.models import User
from tests.commands.conftest import DESK, END, START, Office, diagram, form
from tests.conftest import People
from tests.engine.diagrams import user

PREFIX = "/api/v1"

TWO_TASKS = diagram(START + user("a", DESK) + user("b", DESK) + END, "s -> a -> b -> e")
"""Two tasks of the desk, one after the other."""

WITH_FORM = diagram(
    START + user("a", DESK + '<zeebe:formDefinition formId="check"/>') + END, "s -> a -> e", pid="checked"
)
CHECK = form("check", "decision", "reason", required=True)


class Caller:
    """A program with somebody's token, or with none."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self._client = app.test_client()
        self.token = token

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, **({} if json is None else {"json": json}), **options)

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = path if path.startswith("/api") else PREFIX + path
        return self._client.open(address, method=method, headers={**sent, **(headers or {})}, **options)

    def deploy(self, *diagrams: bytes, note: str | None = None, **files: bytes) -> TestResponse:
        named = [(f"d{number}.bpmn", content) for number, content in enumerate(diagrams)]
        named += [(name.replace("__", "."), content) for name, content in files.items()]
        data: dict[str, Any] = {"files": [(io.BytesIO(content), name) for name, content in named]}
        if note is not None:
            data["note"] = note
        return self.post("/deployments", data=data, content_type="multipart/form-data")


class Api:
    """The application, and a caller for everybody in the office."""

    def __init__(self, app: Flask, office: Office) -> None:
        self.app = app
        self.office = office
        self._callers: dict[str, Caller] = {}

    def as_(self, username: str) -> Caller:
        """A caller with this person's own token."""
        if username not in self._callers:
            self._callers[username] = Caller(self.app, self.token(username))
        return self._callers[username]

    def token(self, username: str, **options: Any) -> str:
        with self.office.database.transaction() as session:
            account = session.query(User).filter_by(username=username).one()
            return identity.create_token(session, "test", user=account, **options)[1]

    @property
    def nobody(self) -> Caller:
        return Caller(self.app, None)

    def version(self, instance_id: int) -> int:
        """How often the case was changed."""
        return self.office.instance(instance_id).version


@pytest.fixture
def office(database: Database, people: People, tmp_path: Path) -> Office:
    """The ministry, with nothing deployed."""
    return Office(database, people, tmp_path / "data")


@pytest.fixture
def api(office: Office) -> Api:
    """The API over the test's database."""
    return Api(create_app(office.settings, office.database), office)


@pytest.fixture
def case(office: Office) -> int:
    """A case whose first task waits for the desk."""
    office.deploy(TWO_TASKS)
    return office.start()


@pytest.fixture
def task(office: Office, case: int) -> int:
    """The task the case waits for."""
    return office.open(case)["a"]


def problem(response: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem document of a refusal, which has to be a whole one."""
    document = response.get_json(force=True)
    assert response.status_code == status, document
    assert response.mimetype == "application/problem+json"
    assert document["status"] == status
    assert {"type", "title", "detail", "instance", "code", "zh", "en"} <= document.keys()
    assert document["type"].startswith("urn:guohe:problem:")
    if code is not None:
        assert document["code"] == code
    return document


def fields(document: dict[str, Any]) -> list[str]:
    """The fields that a problem document names; each has both sentences."""
    assert all(one["zh"] and one["en"] for one in document["errors"])
    return [one["field"] for one in document["errors"]]


def pages(caller: Caller, path: str, **query: Any) -> list[list[Any]]:
    """All pages of a list, one after the other."""
    found: list[list[Any]] = []
    for _ in itertools.count():
        answer = caller.get(path, query_string=query).get_json()
        found.append(answer["items"])
        if answer["next"] is None:
            return found
        query["after"] = answer["next"]
    return found
