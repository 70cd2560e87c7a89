"""The document says everything there is to say, and nothing that is not so."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from service.web.api import examples, openapi
from service.web.api.routes import api as routes

from .conftest import PREFIX, Api


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(routes, "1")


def test_the_document_is_there_for_everybody(api: Api, document: dict[str, Any]):
    served = api.nobody.get("/openapi.json")
    assert (served.status_code, served.mimetype) == (200, "application/json")
    assert served.get_json()["paths"] == document["paths"]


def test_it_is_valid_openapi(document: dict[str, Any]):
    schema = schemathesis.openapi.from_dict(document)
    schema.validate()
    assert schema.specification.version == "3.1.0"


def test_every_schema_is_valid_json_schema(document: dict[str, Any]):
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": document["jsonSchemaDialect"], **schema})


def test_every_address_of_the_application_is_described_and_the_other_way_round(api: Api, document: dict[str, Any]):
    rules = {
        (rule.rule.replace("<", "{").replace(">", "}"), method)
        for rule in api.app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert rules == described


def test_the_endpoints_of_the_order_are_there(document: dict[str, Any]):
    found = {
        f"{method.upper()} {path.removeprefix(PREFIX)}" for path, item in document["paths"].items() for method in item
    }
    assert found >= {
        "POST /deployments",
        "GET /deployments",
        "GET /process-definitions",
        "GET /process-definitions/{definition_id}",
        "GET /process-definitions/{definition_id}/xml",
        "POST /process-definitions/{process_id}/start",
        "GET /process-instances",
        "POST /process-instances/search",
        "GET /process-instances/{instance_id}",
        "GET /process-instances/{instance_id}/history",
        "GET /process-instances/{instance_id}/variables",
        "POST /process-instances/{instance_id}/cancel",
        "GET /tasks",
        "POST /tasks/search",
        "GET /tasks/{task_id}",
        "GET /tasks/{task_id}/form",
        "POST /tasks/{task_id}/claim",
        "POST /tasks/{task_id}/unclaim",
        "POST /tasks/{task_id}/assign",
        "POST /tasks/{task_id}/complete",
        "POST /messages",
        "GET /incidents",
        "POST /incidents/{incident_id}/retry",
        "GET /bases",
        "GET /bases/{base_id}",
    }


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{method} {path}", one) for path, item in document["paths"].items() for method, one in item.items()]


def test_every_operation_is_described_in_full(document: dict[str, Any]):
    schemes = document["components"]["securitySchemes"]
    for name, one in operations(document):
        assert one["summary"], name
        assert one["description"], name
        assert one.get("security", document["security"]) in ([{"bearer": []}], [{"password": []}], []), name
        assert "422" in one["responses"], name
        if "security" not in one:
            assert {"401", "403"} <= one["responses"].keys(), name
        if "{" in name:
            assert "404" in one["responses"], name
        if "requestBody" in one:
            assert {"400", "413", "415"} <= one["responses"].keys(), name
    assert list(schemes) == ["bearer", "password"]
    assert len({one["operationId"] for _, one in operations(document)}) == len(operations(document))


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    def follow(part: Any) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                found: Any = document
                for step in part["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
            for inner in part.values():
                follow(inner)
        elif isinstance(part, list):
            for inner in part:
                follow(inner)

    follow(document)


def test_nothing_takes_or_gives_fields_that_are_not_described(document: dict[str, Any]):
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("additionalProperties") is False, name


def test_every_example_fits_its_schema(document: dict[str, Any]):
    def check(content: dict[str, Any], name: str) -> None:
        for media in content.values():
            schema = {"components": document["components"], **media["schema"]}
            for example in media.get("examples", {}).values():
                found = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(example["value"])]
                assert found == [], name

    for name, one in operations(document):
        check(one.get("requestBody", {}).get("content", {}), name)
        for response in one["responses"].values():
            check(response.get("content", {}), name)
    for name, response in document["components"]["responses"].items():
        check(response["content"], name)
    for endpoint in routes.endpoints:
        if endpoint.body is not None:
            endpoint.body.model_validate(examples.of(endpoint.body))
