"""Camunda 8's REST API, as far as the modeler calls it."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, jsonify, request

from service import errors
from service.commands.cases import instances
from service.commands.procedures import checks, desktop
from service.models import Deployment, Instance
from service.queries import workshop as reads

from .answers import Waiting
from .blueprint import LONGEST_NOTE, blueprint
from .bodies import body_of, variables_of
from .callers import reading, writing

GATEWAY = "8.8.0"
TENANT = "<default>"


@blueprint.get("/v2/topology")
def topology() -> Response:
    """Say that somebody is there."""
    with reading():
        broker = {
            "nodeId": 0,
            "host": request.host.partition(":")[0],
            "port": 443 if request.is_secure else 80,
            "partitions": [{"partitionId": 1, "role": "leader", "health": "healthy"}],
            "version": GATEWAY,
        }
        return jsonify(
            {
                "brokers": [broker],
                "clusterSize": 1,
                "partitionsCount": 1,
                "replicationFactor": 1,
                "gatewayVersion": GATEWAY,
                "lastCompletedChangeId": "-1",
            }
        )


@blueprint.post("/v2/deployments")
def deployments_create() -> Response:
    """Deploy the files of the modeler."""
    files = {part.filename or f"resource{number}": part.stream.read() for number, part in enumerate(_parts())}
    note = f"Camunda Modeler：{'、'.join(sorted(files))}"[:LONGEST_NOTE]
    with writing() as (session, user):
        sent = desktop.deploy(session, files, user=user, note=note)
        answer = _answer_c8(sent) if sent.deployment else None
    if answer is None:
        raise Waiting
    return answer


def _answer_c8(sent: desktop.Sent) -> Response:
    deployment = sent.deployment
    assert deployment is not None
    return jsonify(
        {"deploymentKey": str(deployment.id), "tenantId": TENANT, "deployments": _deployed(sent, deployment)}
    )


def _deployed(sent: desktop.Sent, deployment: Deployment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    paths = set(sent.paths.values())
    names = {path: name for name, path in sent.paths.items()}
    for definition in deployment.definitions:
        if definition.path in paths:
            found.append(
                {
                    "processDefinition": {
                        "processDefinitionId": definition.process_id,
                        "processDefinitionVersion": definition.version,
                        "processDefinitionKey": str(definition.id),
                        "resourceName": names[definition.path],
                        "tenantId": TENANT,
                    }
                }
            )
    references = checks.references({file.path: file.content for file in deployment.files if file.path in paths})
    for one in references["decisions"]:
        if one["file"] in paths:
            found.append(
                {
                    "decisionDefinition": {
                        "decisionDefinitionId": one["id"],
                        "name": one["name"],
                        "version": deployment.version,
                        "decisionDefinitionKey": str(deployment.id),
                        "decisionRequirementsId": one["id"],
                        "decisionRequirementsKey": str(deployment.id),
                        "tenantId": TENANT,
                    }
                }
            )
    for one in references["forms"]:
        if one["file"] in paths:
            found.append(
                {
                    "form": {
                        "formId": one["id"],
                        "version": deployment.version,
                        "formKey": str(deployment.id),
                        "resourceName": names[one["file"]],
                        "tenantId": TENANT,
                    }
                }
            )
    return found


@blueprint.post("/v2/process-instances")
def instances_create() -> Response:
    """Start a case, as the start button does."""
    body = body_of()
    with writing() as (session, user):
        process_id = body.get("processDefinitionId")
        if not process_id and str(body.get("processDefinitionKey", "")).isdigit():
            process_id = reads.process_of(session, user, int(body["processDefinitionKey"]))
        if not isinstance(process_id, str) or not process_id:
            raise errors.InvalidInput(
                "应说明启动哪个流程。", "Say which process to start.", field="processDefinitionId"
            )
        instance = instances.start(session, process_id, variables_of(body), user=user)
        return jsonify(
            {
                "processDefinitionId": instance.process_id,
                "processDefinitionKey": str(instance.definition_id),
                "processDefinitionVersion": instance.definition.version,
                "processInstanceKey": str(instance.id),
                "tenantId": TENANT,
                "variables": {},
                "tags": [],
            }
        )


@blueprint.post("/v2/process-instances/search")
def instances_search() -> Response:
    """Say how a case that was started fares."""
    key = _filtered()
    with reading() as (session, user):
        found = reads.case(session, user, key)
        items = [] if found is None else [_instance(found)]
        return _page(items)


def _instance(instance: Instance) -> dict[str, Any]:
    states = {"completed": "COMPLETED", "terminated": "TERMINATED"}
    return {
        "processInstanceKey": str(instance.id),
        "processDefinitionId": instance.process_id,
        "processDefinitionKey": str(instance.definition_id),
        "processDefinitionName": instance.definition.name,
        "processDefinitionVersion": instance.definition.version,
        "state": states.get(instance.status, "ACTIVE"),
        "hasIncident": instance.status == "incident",
        "startDate": instance.started_at.isoformat(),
        "endDate": instance.ended_at.isoformat() if instance.ended_at else None,
        "tenantId": TENANT,
    }


@blueprint.post("/v2/element-instances/search")
def elements_search() -> Response:
    """Say where a case is and where it has been."""
    key = _filtered()
    with reading() as (session, user):
        return _page(reads.elements(session, user, key))


@blueprint.post("/v2/incidents/search")
def incidents_search() -> Response:
    """Say what is wrong with a case."""
    key = _filtered()
    with reading() as (session, user):
        return _page(reads.incidents(session, user, key))


@blueprint.post("/v2/variables/search")
def variables_search() -> Response:
    """Say what a case knows; for those who may see it."""
    key = _filtered()
    with reading() as (session, user):
        found = reads.case(session, user, key)
        if found is None or found.ended_at is not None:
            return _page([])
        try:
            known = instances.variables(session, user, key)
        except errors.NotFound:
            return _page([])
        return _page(
            [
                {
                    "variableKey": f"{key}-{name}",
                    "name": name,
                    "value": json.dumps(value, ensure_ascii=False, default=str),
                    "isTruncated": False,
                    "processInstanceKey": str(key),
                    "scopeKey": str(key),
                    "tenantId": TENANT,
                }
                for name, value in sorted(known.items())
            ]
        )


def _filtered() -> int:
    body = request.get_json(silent=True) or {}
    wanted = body.get("filter") if isinstance(body, dict) else None
    key = str(wanted.get("processInstanceKey", "")) if isinstance(wanted, dict) else ""
    return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0


def _page(items: list[dict[str, Any]]) -> Response:
    return jsonify({"items": items, "page": {"totalItems": len(items), "hasMoreTotalItems": False}})


def _parts() -> list[Any]:
    return [*request.files.getlist("resources"), *request.files.getlist("resources[]")]
