"""A form opens with what is known already, and never over what the case holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.commands.inbox import prefills
from service.engine import feel
from service.models import User

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LI = User(name="李签", email="li@example.org", username="li")


def form(**prefill: str) -> dict[str, Any]:
    return {
        "components": [
            {
                "type": "group",
                "path": "signature",
                "components": [
                    {"type": "textfield", "key": key, "properties": {"prefill": text}} for key, text in prefill.items()
                ],
            }
        ]
    }


def opened(schema: dict[str, Any], **variables: Any) -> dict[str, Any]:
    return prefills.filled(schema, variables, user=LI, now=NOW)


def test_who_opens_it_and_the_day_are_known():
    schema = form(signatory="=me.name", contact="=me.email", signedOn="=string(today())")
    assert opened(schema) == {"signature": {"signatory": "李签", "contact": "li@example.org", "signedOn": "2026-03-02"}}


def test_what_the_case_holds_stays():
    held = {"signatory": "王签"}
    found = opened(form(signatory="=me.name", place="=base.region"), signature=held, base={"region": "山东"})
    assert found["signature"] == {"signatory": "王签", "place": "山东"}
    assert held == {"signatory": "王签"}, "the case's own values are not touched"


def test_what_is_not_known_stays_empty():
    assert opened(form(place="=base.region", note="no expression")) == {}


def test_a_list_is_filled_as_a_whole():
    schema = {
        "components": [
            {
                "type": "dynamiclist",
                "path": "projects",
                "properties": {"prefill": "=for p in base.projects return {name: p.name}"},
                "components": [{"type": "textfield", "key": "name"}],
            }
        ]
    }
    assert opened(schema, base={"projects": [{"name": "甲", "number": "1"}]})["projects"] == [{"name": "甲"}]


def test_an_expression_that_fails_is_told():
    with pytest.raises(feel.FeelError):
        opened(form(signatory="=me.name +"))
