"""One opinion for many tasks: only where the form says so, and never what belongs to one case."""

from __future__ import annotations

import json

import pytest

from service import clock, errors
from service.commands.inbox import bulk
from tests.engine.diagrams import user

from .conftest import DESK, END, START, Office, diagram

FORM = {
    "id": "f", "type": "default", "schemaVersion": 16, "properties": {"bulk": "true"},
    "components": [
        {"type": "table", "id": "T", "label": "案件", "dataSource": "=cases", "columns": []},
        {"type": "group", "id": "G", "path": "opinion", "components": [
            {"type": "radio", "id": "R", "key": "result", "values": [{"label": "同意", "value": "yes"}]},
            {"type": "attachments", "id": "A", "key": "files", "disabled": True},
        ]},
    ],
}  # fmt: skip
SIGNING = diagram(START + user("a", DESK + '<zeebe:formDefinition formId="f"/>') + END, "s -> a -> e")


def tasks_of(office: Office, schema: object) -> list[int]:
    office.deploy(SIGNING, f__form=json.dumps(schema).encode())
    return [office.open(office.start())["a"] for _ in range(2)]


def test_the_form_is_shown_without_what_belongs_to_one_case(office: Office):
    ids = tasks_of(office, FORM)
    with office.database.transaction() as session:
        form = bulk.form_of(session, ids, user=office.fresh(session, office.li))
    assert form is not None
    assert [one["type"] for one in form.schema["components"]] == ["group"]
    assert [one["id"] for one in form.schema["components"][0]["components"]] == ["R"]


def test_the_form_opens_with_who_signs_and_when_but_with_nothing_of_one_case(office: Office):
    by, on, case = (
        {"type": "textfield", "id": key, "key": key, "label": key, "properties": {"prefill": text}}
        for key, text in (("by", "=me.name"), ("on", "=string(today())"), ("number", "=caseNumber"))
    )
    ids = tasks_of(office, {**FORM, "components": [by, on, case]})
    with office.database.transaction() as session:
        form = bulk.form_of(session, ids, user=office.fresh(session, office.li))
    assert form is not None
    assert form.values == {"by": "李明", "on": clock.today().isoformat()}


def test_a_form_that_does_not_say_so_is_handed_in_one_by_one(office: Office):
    ids = tasks_of(office, {**FORM, "properties": {}})
    with office.database.transaction() as session:
        li = office.fresh(session, office.li)
        assert bulk.form_of(session, ids, user=li) is None
        with pytest.raises(errors.Conflict) as refused:
            bulk.sign(session, ids[0], {"opinion": {"result": "yes"}}, user=li)
    assert refused.value.code == "not_in_bulk"


def test_a_stranger_signs_nothing(office: Office):
    ids = tasks_of(office, FORM)
    stranger = office.people.user("qian", "applicant.drafter@other")
    with office.database.transaction() as session, pytest.raises(errors.NotFound):
        bulk.sign(session, ids[0], {"opinion": {"result": "yes"}}, user=office.fresh(session, stranger))
