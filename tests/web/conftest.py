"""A small ministry with pages: an application on both databases, and browsers without scripts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service import config
from service.app import create_app
from service.db import Database
from tests.commands.conftest import Office, diagram, office
from tests.conftest import People
from tests.engine.diagrams import ext

__all__ = ["office"]


def task(node_id: str, name: str, form_id: str | None, group: str, more: str = "", doc: str = "") -> str:
    """A user task with a form and a role."""
    form = f'<zeebe:formDefinition formId="{form_id}"/>' if form_id else ""
    inner = f'<zeebe:userTask/>{form}<zeebe:assignmentDefinition candidateGroups="{group}"/>{more}'
    return f'<userTask id="{node_id}" name="{name}"><documentation>{doc}</documentation>{ext(inner)}</userTask>'


def field(kind: str, key: str, label: str, **more: Any) -> dict[str, Any]:
    """One field of a form."""
    return {"type": kind, "key": key, "id": f"F_{key}", "label": label, **more}


def form(form_id: str, *fields: dict[str, Any]) -> bytes:
    """A form."""
    return json.dumps({"id": form_id, "type": "default", "schemaVersion": 16, "components": list(fields)}).encode()


APPLICATION = form(
    "application",
    field("textfield", "baseName", "拟认定基地名称", validate={"required": True, "minLength": 4, "maxLength": 60}),
    field("textarea", "goals", "发展目标", validate={"maxLength": 200}),
    {"type": "datetime", "key": "since", "id": "F_since", "subtype": "date", "dateLabel": "成立日期"},
    field("attachments", "files", "证明材料"),
)
OPINION = form("opinion", field("textarea", "opinion", "审核意见", validate={"required": True}))
SOURCE = '<zeebe:properties><zeebe:property name="source" value="text:art.8(2)1"/></zeebe:properties>'
APPLYING = diagram(
    '<startEvent id="s"/>'
    + task(
        "draft",
        "填报申报材料",
        "application",
        "applicant.drafter",
        SOURCE,
        "按第八条填写。&#10;提交后由国际合作司审核。",
    )
    + task(
        "check",
        "审核材料",
        "opinion",
        "coop.intake",
        '<zeebe:taskSchedule dueDate="=now() - duration(&quot;P9D&quot;)"/>',
    )
    + '<endEvent id="e" name="已办结"/>',
    "s -> draft -> check -> e",
    pid="applying",
    title="=baseName",
    caseNumber="DB",
)


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> config.Settings:
    """A demonstration, so that people sign in by their name alone."""
    folder = tmp_path / "pages"
    return config.read(
        {
            "GUOHE_DATA": str(folder),
            "DATABASE_URL": database.url.render_as_string(hide_password=False),
            "GUOHE_DEMO": "1",
            "GUOHE_UNDO_SECONDS": "0",
            "GUOHE_UPLOAD_LIMIT_MB": "1",
        }
    )


@pytest.fixture
def app(settings: config.Settings, database: Database) -> Flask:
    """The application."""
    made = create_app(settings, database)
    made.testing = False
    made.config["PROPAGATE_EXCEPTIONS"] = False
    return made


class Browser:
    """A person's browser without scripts: it keeps cookies, sends the page's token and follows nothing by itself."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        answer = self.client.get(path, **more)
        self._read(answer)
        return answer

    def post(self, path: str, *, htmx: bool = False, **values: Any) -> TestResponse:
        if not self.token:
            self.get("/sign-in")
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.post(path, data={"csrf_token": self.token, **values}, headers=headers)

    def send(self, path: str, values: dict[str, Any], **more: Any) -> TestResponse:
        """Hand in a form as the island does: its values as JSON in one field."""
        return self.post(path, values=json.dumps(values), **more)

    def json(self, path: str, body: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token, "Accept": "application/json"}
        return self.client.post(path, json=body, headers=headers)

    def upload(self, name: str, content: bytes, *, accept: str = "application/json") -> TestResponse:
        import io

        headers = {"X-CSRFToken": self.token, "Accept": accept}
        return self.client.post("/files", data={"file": (io.BytesIO(content), name)}, headers=headers)

    def sign_in(self, username: str) -> Browser:
        assert self.post("/sign-in/demo", username=username).status_code == 303
        assert self.get("/inbox").status_code == 200
        return self

    def _read(self, answer: TestResponse) -> None:
        if answer.mimetype == "text/html":
            match = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
            self.token = html.unescape(match[1]) if match else self.token


def text(answer: TestResponse) -> str:
    """What a reader of the page sees, without the markup."""
    body = re.sub(r"(?s)<(script|style|svg|head)\b.*?</\1>", " ", answer.text)
    return " ".join(html.unescape(re.sub(r"(?s)<[^>]+>", " ", body)).split())


def path_of(answer: TestResponse) -> str:
    """Where an answer leads, without the host."""
    parts = urlsplit(answer.headers["Location"])
    return parts.path + (f"?{parts.query}" if parts.query else "")


def given(answer: TestResponse) -> dict[str, Any]:
    """What the page gives to the form island."""
    match = re.search(r'(?s)<script type="application/json" data-form-input>(.*?)</script>', answer.text)
    assert match, "no form on the page"
    found: dict[str, Any] = json.loads(match[1])
    return found


@pytest.fixture
def browser(app: Flask, people: People) -> Callable[[str | None], Browser]:
    """Open a browser, signed in as somebody."""

    def opened(username: str | None = None) -> Browser:
        fresh = Browser(app)
        return fresh.sign_in(username) if username else fresh

    return opened


@pytest.fixture
def applying(office: Office) -> Office:
    """The ministry with a process of two tasks in service."""
    office.deploy(APPLYING, application__form=APPLICATION, opinion__form=OPINION)
    return office
