from __future__ import annotations

import pytest

from service.models import PublishedMessage

from .conftest import END, START, Api, diagram, fields, problem

HEARD = diagram(
    START + '<intermediateCatchEvent id="c"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>' + END,
    "s -> c -> e",
    globals='<message id="m" name="letter"><extensionElements><zeebe:subscription correlationKey="=caseNumber"/>'
    "</extensionElements></message>",
)


@pytest.fixture
def waiting(api: Api) -> int:
    """A case that waits for a letter with its number."""
    api.office.deploy(HEARD)
    return api.office.start()


def test_a_message_moves_the_case_that_waits_for_it(api: Api, waiting: int):
    key = api.office.instance(waiting).number
    said = api.as_("admin").post("/messages", {"name": "letter", "key": key, "variables": {"by": "某单位"}})
    assert said.status_code == 200, said.get_json()
    assert said.get_json()["correlated_at"]
    assert api.office.instance(waiting).status == "completed"


def test_one_that_nobody_waits_for_is_kept_a_while(api: Api, waiting: int):
    said = api.as_("admin").post("/messages", {"name": "letter", "key": "other", "ttl": 60}).get_json()
    assert said["correlated_at"] is None
    assert said["expires_at"] > said["published_at"]
    assert api.office.instance(waiting).status == "active"


@pytest.mark.parametrize("way", ["field", "header", "both"])
def test_the_same_message_sent_twice_counts_once(api: Api, waiting: int, way: str):
    key = api.office.instance(waiting).number
    body = {"name": "letter", "key": key, **({"message_id": "letter-1"} if way != "header" else {})}
    headers = {"Idempotency-Key": "letter-1"} if way != "field" else {}
    first = api.as_("admin").post("/messages", body, headers=headers)
    before = api.version(waiting)
    again = api.as_("admin").post("/messages", body, headers=headers)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert first.get_json()["message_id"] == "letter-1"
    assert len(api.office.rows(PublishedMessage)) == 1
    assert api.version(waiting) == before


@pytest.mark.parametrize("other", [{"variables": {"x": 1}}, {"key": "other"}])
def test_a_used_id_with_other_content_is_refused(api: Api, waiting: int, other: dict):
    body = {"name": "letter", "key": "k", "message_id": "letter-1"}
    api.as_("admin").post("/messages", body)
    document = problem(api.as_("admin").post("/messages", {**body, **other}), 409, "message_id_used")
    assert document["when"]
    assert api.office.instance(waiting).status == "active"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"name": "letter", "key": 7}, "key"),
        ({"name": "letter", "variables": "x"}, "variables"),
        ({"name": "letter", "ttl": -1}, "ttl"),
        ({"name": "letter", "ttl": 10**12}, "ttl"),
        ({"name": "letter", "ttl": "PT1H"}, "ttl"),
        ({"name": "letter", "timeToLive": 7}, "timeToLive"),
        ({"name": "letter\x00"}, "name"),
    ],
)
def test_a_message_that_cannot_be_is_refused(api: Api, body: dict, field: str):
    assert fields(problem(api.as_("admin").post("/messages", body), 422)) == [field]
    assert api.office.rows(PublishedMessage) == []


def test_an_idempotency_key_is_a_word_and_agrees_with_the_body(api: Api):
    body = {"name": "letter", "message_id": "one"}
    assert fields(problem(api.as_("admin").post("/messages", body, headers={"Idempotency-Key": "two"}), 422)) == [
        "message_id"
    ]
    for key in ("", '""', "x" * 300):
        refused = api.as_("admin").post("/messages", {"name": "letter"}, headers={"Idempotency-Key": key})
        assert fields(problem(refused, 422)) == ["Idempotency-Key"]


def test_only_the_platform_says_messages(api: Api):
    for person in ("wang", "li"):
        problem(api.as_(person).post("/messages", {"name": "letter"}), 403, "forbidden")
    assert api.office.rows(PublishedMessage) == []
