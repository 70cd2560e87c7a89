"""What the deploy and start buttons of the desktop Camunda Modeler call: Camunda 8's REST API, and Camunda 7's.

Signed in by user name and password (Basic), by a personal token (Bearer), or by OAuth client credentials, where the
secret is a personal token. What is wrong comes back in the form the modeler shows.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from service import clock, errors
from service.commands import checks, desktop, identity, instances
from service.models import Deployment, Instance, User
from service.queries import identity as people
from service.queries import workshop as reads

from . import here
from .security import csrf

blueprint = Blueprint("desktop", __name__)

GATEWAY = "8.8.0"
PLATFORM = "7.22.0"
TENANT = "<default>"
LONGEST_NOTE = 200


def init_app(app: Flask) -> None:
    """Put the calls under their addresses. No cookie opens anything here, so nothing can be forged."""
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)


# -- who calls ---------------------------------------------------------------------------------


@contextmanager
def _reading() -> Iterator[tuple[Session, User]]:
    user_id = _caller()
    with here.database().transaction(readonly=True) as session:
        yield session, session.get_one(User, user_id)


@contextmanager
def _writing() -> Iterator[tuple[Session, User]]:
    user_id = _caller()
    with here.database().transaction() as session:
        session.info["profile"] = here.settings().profile
        yield session, session.get_one(User, user_id)


def _caller() -> int:
    """The account behind the Authorization header. Raises NotSignedIn."""
    header = request.headers.get("Authorization", "")
    kind, _, value = header.strip().partition(" ")
    if kind.lower() == "bearer":
        return _by_token(value.strip(), write=request.method != "GET")
    if kind.lower() == "basic":
        return _by_password(value.strip())
    raise errors.NotSignedIn("请使用用户名和密码，或个人访问令牌。", "Use your name and password, or a personal token.")


def _by_token(text: str, *, write: bool) -> int:
    with here.database().transaction(readonly=True) as session:
        token = people.by_token(session, text[:200])
        if token is None or not token.user.active:
            raise errors.NotSignedIn("访问令牌无效、已过期或已撤销。", "The token is unknown, expired or revoked.")
        if write and "write" not in token.scopes:
            raise errors.Forbidden("此令牌不能写入。", "This token may only read.")
        return token.user_id


def _by_password(encoded: str) -> int:
    try:
        username, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise errors.NotSignedIn from None
    with here.database().transaction(readonly=True) as session:
        attempt = identity.authenticate(session, username, password)
    if attempt.user is None:
        with here.database().transaction() as session:
            identity.sign_in(session, attempt)
        raise attempt.error or errors.NotSignedIn()
    return attempt.user.id


@blueprint.post("/oauth/token")
def oauth_token() -> Response:
    """Exchange client credentials – any id, a personal token as the secret – for that token."""
    body = request.form or request.get_json(silent=True) or {}
    secret = str(body.get("client_secret", ""))
    _by_token(secret, write=False)
    return jsonify({"access_token": secret, "token_type": "Bearer", "expires_in": 3600})


# -- Camunda 8 ---------------------------------------------------------------------------------


@blueprint.get("/v2/topology")
def topology() -> Response:
    """Say that somebody is there."""
    with _reading():
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
    with _writing() as (session, user):
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
    body = _json()
    with _writing() as (session, user):
        process_id = body.get("processDefinitionId")
        if not process_id and str(body.get("processDefinitionKey", "")).isdigit():
            process_id = reads.process_of(session, user, int(body["processDefinitionKey"]))
        if not isinstance(process_id, str) or not process_id:
            raise errors.InvalidInput(
                "应说明启动哪个流程。", "Say which process to start.", field="processDefinitionId"
            )
        instance = instances.start(session, process_id, _variables(body), user=user)
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
    with _reading() as (session, user):
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
    with _reading() as (session, user):
        return _page(reads.elements(session, user, key))


@blueprint.post("/v2/incidents/search")
def incidents_search() -> Response:
    """Say what is wrong with a case."""
    key = _filtered()
    with _reading() as (session, user):
        return _page(reads.incidents(session, user, key))


@blueprint.post("/v2/variables/search")
def variables_search() -> Response:
    """Say what a case knows; for those who may see it."""
    key = _filtered()
    with _reading() as (session, user):
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


# -- Camunda 7 ---------------------------------------------------------------------------------


@blueprint.get("/engine-rest/version")
def version() -> Response:
    """Say which engine this speaks like."""
    with _reading():
        return jsonify({"version": PLATFORM})


@blueprint.get("/engine-rest/deployment")
def deployment_list() -> Response:
    """Answer the modeler's question whether somebody is there."""
    with _reading():
        return jsonify([])


@blueprint.post("/engine-rest/deployment/create")
def deployment_create() -> Response:
    """Deploy the files of the modeler."""
    files = {part.filename or field: part.stream.read() for field, part in request.files.items(multi=True)}
    note = (request.form.get("deployment-name") or "Camunda Modeler")[:LONGEST_NOTE]
    with _writing() as (session, user):
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
    body = _json()
    variables = {name: one.get("value") if isinstance(one, dict) else one for name, one in _variables(body).items()}
    with _writing() as (session, user):
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


# -- in and out --------------------------------------------------------------------------------


def _parts() -> list[Any]:
    return [*request.files.getlist("resources"), *request.files.getlist("resources[]")]


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if body is None and not request.get_data():
        return {}
    if not isinstance(body, dict):
        raise errors.InvalidInput("应为 JSON 对象。", "A JSON object is expected.")
    return body


def _variables(body: dict[str, Any]) -> dict[str, Any]:
    variables = body.get("variables") or {}
    if not isinstance(variables, dict):
        raise errors.InvalidInput("variables 应为 JSON 对象。", "variables should be an object.", field="variables")
    return variables


class Waiting(errors.Conflict):
    """Handed in for the approval of another process owner; it is not in force yet."""

    zh_default = "已提交，等待另一位流程负责人批准后生效。"
    code = "waiting"


def _listed(refused: desktop.Refused) -> str:
    """The findings as the modeler knows them from its own engine."""
    lines = ["Expected to deploy new resources, but encountered the following errors:"]
    for one in refused.findings:
        found = one.finding
        lines.append(f"'{found.file.rpartition('/')[2] or '–'}': - Element: {found.element_id or '–'}")
        lines.append(f"    - {found.severity.upper()}: {found.zh} {found.en}")
    return "\n".join(lines)


@blueprint.errorhandler(errors.ServiceError)
def _refused(error: errors.ServiceError) -> Response:
    detail = _listed(error) if isinstance(error, desktop.Refused) else f"{error.zh} {error.en}"
    if request.path.startswith("/engine-rest"):
        answer = jsonify(_c7(error, detail))
    else:
        title = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
        answer = jsonify(
            {
                "type": "about:blank",
                "title": title.get(error.status, error.code.upper()),
                "status": error.status,
                "detail": detail,
                "instance": request.path,
            }
        )
        answer.mimetype = "application/problem+json"
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Guohe", Bearer'
    return answer


def _c7(error: errors.ServiceError, detail: str) -> dict[str, Any]:
    if not isinstance(error, desktop.Refused):
        return {"type": type(error).__name__, "message": detail, "code": error.code}
    details: dict[str, Any] = {}
    for one in error.findings:
        found = one.finding
        file = details.setdefault(found.file.rpartition("/")[2], {"errors": [], "warnings": []})
        file["errors" if found.severity == "error" else "warnings"].append(
            {
                "message": f"{found.zh} {found.en}",
                "line": found.line or 0,
                "column": 0,
                "mainElementId": found.element_id,
                "elementIds": [found.element_id] if found.element_id else [],
            }
        )
    return {"type": "ParseException", "message": detail, "code": 0, "details": details}


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    answer = jsonify({"type": "about:blank", "title": error.name, "status": error.code, "detail": error.description})
    answer.status_code = error.code or 500
    return answer
