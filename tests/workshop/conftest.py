"""Process owners, and a little procedure for them to change."""

from __future__ import annotations

import json

import pytest

from service.db import Database
from tests.conftest import People
from tests.engine.diagrams import ext, process, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
DESK = '<zeebe:assignmentDefinition candidateGroups="coop.intake"/>'
FORM = '<zeebe:formDefinition formId="opinion"/>'
STARTER = ext('<zeebe:properties><zeebe:property name="starter" value="applicant.drafter"/></zeebe:properties>')


def form(form_id: str, *keys: str) -> bytes:
    """A form of text fields."""
    fields = [{"type": "textfield", "key": key, "id": f"F_{key}", "label": key} for key in keys]
    return json.dumps({"id": form_id, "type": "default", "schemaVersion": 16, "components": fields}).encode()


def procedure(*, name: str = "check", inner: str = "", pid: str = "p", after: str = "") -> bytes:
    """A process with a task of the desk; ``after`` names a second one."""
    more = user(after, DESK) if after else ""
    arrows = f"s -> {name} -> {after} -> e" if after else f"s -> {name} -> e"
    return process(STARTER + START + user(name, DESK + FORM + inner) + more + END, arrows, pid=pid)


FILES = {"processes/p/p.bpmn": procedure(), "forms/p/opinion.form": form("opinion", "text")}


@pytest.fixture
def owner(people: People):
    """A process owner."""
    return people.user("owner", "platform.owner", name="陈负责")


@pytest.fixture
def colleague(people: People):
    """Another process owner."""
    return people.user("colleague", "platform.owner", name="林同事")


@pytest.fixture
def applicant(people: People):
    """Somebody who may not edit procedures."""
    return people.user("wang", "applicant.drafter@uni", name="王芳")


@pytest.fixture
def db(database: Database) -> Database:
    """The database, by a short name."""
    return database
