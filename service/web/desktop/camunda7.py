"""Camunda 7's REST API, as far as older modelers call it."""

from __future__ import annotations

from flask import Response, jsonify, request

from service import clock
from service.commands.cases import instances
from service.commands.procedures import desktop

from .answers import Waiting
from .blueprint import LONGEST_NOTE, blueprint
from .bodies import body_of, variables_of
from .callers import reading, writing

PLATFORM = "7.22.0"


@blueprint.get("/engine-rest/version")
def version() -> Response:
    """Say which engine this speaks like."""
    with reading():
        return jsonify({"version": PLATFORM})


@blueprint.get("/engine-rest/deployment")
def deployment_list() -> Response:
    """Answer the modeler's question whether somebody is there."""
    with reading():
        return jsonify([])


@blueprint.post("/engine-rest/deployment/create")
def deployment_create() -> Response:
    """Deploy the files of the modeler."""
    files = {part.filename or field: part.stream.read() for field, part in request.files.items(multi=True)}
    note = (request.form.get("deployment-name") or "Camunda Modeler")[:LONGEST_NOTE]
    with writing() as (session, user):
        sent = desktop.deploy(session, files, user=user, note=note)
        answer = _answer_c7(sent, note) if sent.deployment else None
    if answer is None:
        raise Waiting
    return answer


def _answer_c7(sent: desktop.Sent, note: str) -> Response:
    deployment = sent.deployment
    assert deployment is not None
    paths = set(sent.paths.values())
    deployed = {
        f"{one.process_id}:{one.version}:{one.id}": {
            "id": f"{one.process_id}:{one.version}:{one.id}",
            "key": one.process_id,
            "name": one.name,
            "version": one.version,
            "resource": one.path.rpartition("/")[2],
            "deploymentId": str(deployment.id),
            "versionTag": one.version_tag,
        }
        for one in deployment.definitions
        if one.path in paths
    }
    return jsonify(
        {
            "links": [],
            "id": str(deployment.id),
            "name": note,
            "source": "Camunda Modeler",
            "deploymentTime": clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "tenantId": None,
            "deployedProcessDefinitions": deployed or None,
        }
    )


@blueprint.post("/engine-rest/process-definition/<definition_id>/start")
def definition_start(definition_id: str) -> Response:
    """Start a case, as the start button does."""
    return _start_c7(definition_id.partition(":")[0])


@blueprint.post("/engine-rest/process-definition/key/<process_id>/start")
def definition_start_key(process_id: str) -> Response:
    """Start a case by the id of its process."""
    return _start_c7(process_id)


def _start_c7(process_id: str) -> Response:
    body = body_of()
    variables = {name: one.get("value") if isinstance(one, dict) else one for name, one in variables_of(body).items()}
    with writing() as (session, user):
        instance = instances.start(session, process_id, variables, user=user)
        return jsonify(
            {
                "links": [],
                "id": str(instance.id),
                "definitionId": f"{instance.process_id}:{instance.definition.version}:{instance.definition_id}",
                "businessKey": instance.number,
                "ended": instance.ended_at is not None,
                "suspended": False,
            }
        )
