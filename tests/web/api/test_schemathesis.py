"""Whatever a program sends, the answer is one that the document describes, and never a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from service.models import Instance

from .conftest import CHECK, TWO_TASKS, WITH_FORM, Api
from .test_incidents import CHOICE

CONFORM = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8


def bounded(test: Any) -> Any:
    """Few examples, the same ones every time."""
    return settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )(test)


@pytest.fixture
def numbers(api: Api) -> dict[str, Any]:
    """Numbers of things that are there, so that not every guess ends at 404."""
    api.office.deploy(TWO_TASKS, WITH_FORM, CHOICE.replace(b'id="p"', b'id="choice"'), check__form=CHECK)
    case = api.office.start()
    stuck = api.office.start("choice")
    definition = api.office.instance(case).definition_id
    return {
        "task_id": api.office.open(api.office.start("checked"))["a"],
        "instance_id": case,
        "incident_id": api.office.incidents(stuck)[0].id,
        "definition_id": definition,
        "deployment_id": api.office.instance(case).deployment_id,
        "process_id": "p",
    }


@pytest.fixture
def schema(api: Api) -> Any:
    # Tokens are ours to send: what is tried out is everything else.
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.app, config=config)


def operations(schema: Any) -> Iterator[Any]:
    for result in schema.get_all_operations():
        yield result.ok()


def places(operation: Any, numbers: dict[str, Any]) -> dict[str, Any] | None:
    """The path parameters of an operation that are known."""
    wanted = {name for name in numbers if f"{{{name}}}" in operation.path}
    return {name: numbers[name] for name in wanted} or None


def states(api: Api) -> dict[int, tuple[int, str]]:
    """How often every case was changed, and to what."""
    with api.office.database.transaction(readonly=True) as session:
        return {
            row[0]: (row[1], row[2]) for row in session.execute(select(Instance.id, Instance.version, Instance.status))
        }


def test_what_the_document_allows_is_answered_as_it_says(api: Api, schema: Any, numbers: dict[str, Any]):
    headers = {"Authorization": f"Bearer {api.token('admin')}"}
    for operation in operations(schema):
        known = operation.as_strategy(path_parameters=places(operation, numbers))
        anything = operation.as_strategy()

        @bounded
        @given(case=st.one_of(known, anything))
        def answered(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CONFORM)

        answered()


def test_what_the_document_forbids_is_refused_and_changes_no_case(api: Api, schema: Any, numbers: dict[str, Any]):
    headers = {"Authorization": f"Bearer {api.token('admin')}"}
    for operation in operations(schema):
        if not operation.path_parameters and not operation.query and not operation.headers and not operation.body:
            continue  # it takes nothing, so nothing can be wrong
        # Where the address is all there is, it is the address that is broken.
        known = places(operation, numbers) if operation.query or operation.body else None

        @bounded
        @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE, path_parameters=known))
        def refused(case: Any) -> None:
            before = states(api)
            answer = case.call_and_validate(headers=headers, checks=[*CONFORM, negative_data_rejection])
            # What it breaks may be something that cannot be sent, such as a parameter with no values.
            assert answer.status_code < 400 or states(api) == before

        refused()


def test_without_a_token_nothing_is_answered(api: Api, schema: Any, numbers: dict[str, Any]):
    for operation in operations(schema):
        if operation.path.endswith("/openapi.json"):
            continue

        @settings(bounded(lambda: None)._hypothesis_internal_use_settings, max_examples=2)
        @given(case=operation.as_strategy(path_parameters=places(operation, numbers)))
        def closed(case: Any) -> None:
            assert case.call(headers={"Authorization": "Bearer guohe_nobody"}).status_code == 401

        closed()
