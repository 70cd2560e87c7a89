"""The deploy and start buttons of the desktop Camunda Modeler."""

from __future__ import annotations

import io
from base64 import b64encode

import pytest

from service import config
from service.app import create_app
from service.commands.people import identity
from service.commands.procedures import deployments, publishing
from service.db import Database
from service.models import Deployment, ProcessDefinition, User
from tests.conftest import People
from tests.workshop.conftest import FILES, form, procedure

PASSWORD = "correct horse battery staple"


def basic(username: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


class Modeler:
    """Calls what the modeler calls."""

    def __init__(self, database: Database, people: People, folder) -> None:
        self.database = database
        for name, *roles in (
            ("owner", "platform.owner"),
            ("second", "platform.owner"),
            ("admin", "platform.admin"),
            ("li", "coop.intake"),
            ("wang", "applicant.drafter@uni"),
        ):
            people.user(name, *roles, password=PASSWORD)
        settings = config.read({"GUOHE_DATA": str(folder), "DATABASE_URL": str(database.url)})
        self.client = create_app(settings, database).test_client()

    def person(self, session, name) -> User:
        return session.query(User).filter_by(username=name).one()

    def base(self, files=FILES):
        with self.database.transaction() as session:
            return deployments.deploy(session, files, user=self.person(session, "owner")).id

    def token(self, name, scopes=("read", "write")):
        with self.database.transaction() as session:
            return identity.create_token(session, "modeler", user=self.person(session, name), scopes=scopes)[1]

    def deploy(self, files, headers=None, field="resources"):
        data = {field: [(io.BytesIO(content), name) for name, content in files.items()]}
        return self.client.post("/v2/deployments", data=data, headers=headers or basic("owner"))

    def latest(self, process_id="p"):
        with self.database.transaction() as session:
            found = session.query(ProcessDefinition).filter_by(process_id=process_id, latest=True).one_or_none()
            return found.deployment_id if found else None

    def files(self, deployment_id):
        with self.database.transaction() as session:
            return {file.path: file.content for file in session.get_one(Deployment, deployment_id).files}


@pytest.fixture
def modeler(database, people, tmp_path) -> Modeler:
    return Modeler(database, people, tmp_path)


def test_the_connection_is_checked_with_a_password_a_token_and_client_credentials(modeler):
    assert modeler.client.get("/v2/topology", headers=basic("owner")).json["gatewayVersion"].startswith("8.")
    token = modeler.token("owner")
    bearer = {"Authorization": f"Bearer {token}"}
    assert modeler.client.get("/v2/topology", headers=bearer).status_code == 200
    granted = modeler.client.post(
        "/oauth/token", data={"grant_type": "client_credentials", "client_id": "modeler", "client_secret": token}
    )
    assert granted.json["access_token"] == token
    assert modeler.client.get("/engine-rest/version", headers=basic("owner")).json["version"].startswith("7.")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic b3duZXI="},
        basic("owner", "wrong"),
        basic("nobody"),
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Digest x"},
    ],
)
def test_a_stranger_is_told_to_sign_in(modeler, headers):
    answer = modeler.client.get("/v2/topology", headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert modeler.deploy({"p.bpmn": procedure()}, headers={**headers, "X-Nothing": "1"}).status_code == 401


def test_the_deploy_button_puts_a_file_into_the_bundle_in_force(modeler):
    first = modeler.base()
    changed = procedure(after="second")
    answer = modeler.deploy({"whatever.bpmn": changed})
    assert answer.status_code == 200, answer.json
    deployed = answer.json["deployments"][0]["processDefinition"]
    assert deployed["processDefinitionId"] == "p"
    assert deployed["processDefinitionVersion"] == 2
    assert deployed["resourceName"] == "whatever.bpmn"
    second = int(answer.json["deploymentKey"])
    assert modeler.latest() == second != first
    # The rest of the bundle is there still, and the file is byte for byte what was sent.
    assert modeler.files(second) == {**FILES, "processes/p/p.bpmn": changed}


def test_a_diagram_and_its_form_can_be_sent_together(modeler):
    answer = modeler.deploy({"p.bpmn": procedure(), "opinion.form": form("opinion", "text", "more")})
    kinds = [next(iter(one)) for one in answer.json["deployments"]]
    assert kinds == ["processDefinition", "form"]
    assert sorted(modeler.files(int(answer.json["deploymentKey"]))) == ["forms/opinion.form", "processes/p/p.bpmn"]


def test_what_is_wrong_is_shown_as_the_modeler_shows_it(modeler):
    first = modeler.base()
    broken = procedure().replace(b'formId="opinion"', b'formId="missing"')
    answer = modeler.deploy({"p.bpmn": broken})
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json["title"] == "INVALID_ARGUMENT"
    assert answer.json["detail"].startswith("Expected to deploy new resources, but encountered the following errors:")
    assert (
        "'p.bpmn': - Element: check\n    - ERROR: “check”使用的表单“missing”不在本次部署中。" in answer.json["detail"]
    )
    assert modeler.latest() == first


@pytest.mark.parametrize(
    "content",
    [b"", b"<", b"\x00" * 100, b"<!DOCTYPE x [<!ENTITY a 'b'>]><definitions>&a;</definitions>", b"<a>" * 5000],
)
def test_hostile_files_are_findings_and_change_nothing(modeler, content):
    first = modeler.base()
    answer = modeler.deploy({"p.bpmn": content})
    assert answer.status_code == 400
    assert "ERROR" in answer.json["detail"]
    assert modeler.latest() == first


def test_a_name_that_leads_elsewhere_is_only_a_name(modeler):
    modeler.base()
    answer = modeler.deploy({"../../../etc/x.bpmn": procedure(pid="q")})
    assert answer.status_code == 200
    assert "processes/x/x.bpmn" in modeler.files(int(answer.json["deploymentKey"]))


def test_only_process_owners_deploy(modeler):
    assert modeler.deploy({"p.bpmn": procedure()}, headers=basic("wang")).status_code == 403
    reading = {"Authorization": f"Bearer {modeler.token('owner', ('read',))}"}
    assert modeler.deploy({"p.bpmn": procedure()}, headers=reading).status_code == 403
    assert modeler.client.post("/v2/deployments", headers=basic("owner")).status_code == 400


def test_where_a_second_person_has_to_agree_the_modeler_says_so(modeler):
    first = modeler.base()
    with modeler.database.transaction() as session:
        publishing.set_policy(
            session, user=modeler.person(session, "admin"), gate="error", second_approver=True, scenarios=False
        )
    answer = modeler.deploy({"p.bpmn": procedure(after="second")})
    assert answer.status_code == 409
    assert "等待另一位流程负责人批准" in answer.json["detail"]
    assert modeler.latest() == first


def test_the_start_button_starts_a_case(modeler):
    modeler.base()
    answer = modeler.client.post("/v2/process-instances", json={"processDefinitionId": "p"}, headers=basic("wang"))
    assert answer.status_code == 200, answer.json
    assert answer.json["processDefinitionVersion"] == 1
    key = answer.json["processInstanceKey"]
    by_key = {"processDefinitionKey": answer.json["processDefinitionKey"]}
    assert modeler.client.post("/v2/process-instances", json=by_key, headers=basic("wang")).status_code == 200
    found = modeler.client.post(
        "/v2/process-instances/search", json={"filter": {"processInstanceKey": key}}, headers=basic("wang")
    )
    assert found.json["items"][0]["state"] == "ACTIVE"
    there = modeler.client.post(
        "/v2/element-instances/search", json={"filter": {"processInstanceKey": key}}, headers=basic("wang")
    )
    assert ("check", "ACTIVE") in {(one["elementId"], one["state"]) for one in there.json["items"]}
    for what in ("incidents", "variables"):
        answer = modeler.client.post(
            f"/v2/{what}/search", json={"filter": {"processInstanceKey": key}}, headers=basic("wang")
        )
        assert answer.json["items"] == []


def test_a_case_of_others_is_not_there(modeler, people):
    modeler.base()
    key = modeler.client.post("/v2/process-instances", json={"processDefinitionId": "p"}, headers=basic("wang")).json[
        "processInstanceKey"
    ]
    people.user("other", "applicant.drafter@elsewhere", password=PASSWORD)
    found = modeler.client.post(
        "/v2/process-instances/search", json={"filter": {"processInstanceKey": key}}, headers=basic("other")
    )
    assert found.json["items"] == []


@pytest.mark.parametrize(
    "body", [[], "x", {"processDefinitionId": "none"}, {}, {"variables": []}, {"processDefinitionKey": "999999"}]
)
def test_a_start_that_makes_no_sense_is_refused(modeler, body):
    modeler.base()
    answer = modeler.client.post("/v2/process-instances", json=body, headers=basic("wang"))
    assert answer.status_code in (400, 404)
    assert answer.json["detail"]


def test_the_older_modeler_deploys_and_starts_too(modeler):
    modeler.base()
    data = {
        "deployment-name": "改一步",
        "deployment-source": "Camunda Modeler",
        "enable-duplicate-filtering": "true",
        "p.bpmn": (io.BytesIO(procedure(after="second")), "p.bpmn"),
    }
    assert modeler.client.get("/engine-rest/deployment?maxResults=0", headers=basic("owner")).json == []
    answer = modeler.client.post("/engine-rest/deployment/create", data=data, headers=basic("owner"))
    assert answer.status_code == 200, answer.json
    definition = next(iter(answer.json["deployedProcessDefinitions"].values()))
    assert definition["key"] == "p"
    started = modeler.client.post(
        f"/engine-rest/process-definition/{definition['id']}/start", json={"businessKey": "x"}, headers=basic("wang")
    )
    assert started.status_code == 200, started.json
    assert started.json["ended"] is False


def test_the_older_modeler_gets_findings_by_file(modeler):
    modeler.base()
    broken = procedure().replace(b'formId="opinion"', b'formId="missing"')
    data = {"deployment-name": "x", "p.bpmn": (io.BytesIO(broken), "p.bpmn")}
    answer = modeler.client.post("/engine-rest/deployment/create", data=data, headers=basic("owner"))
    assert answer.status_code == 400
    assert answer.json["type"] == "ParseException"
    assert answer.json["details"]["p.bpmn"]["errors"][0]["mainElementId"] == "check"


def test_no_cookie_is_needed_and_none_helps(modeler):
    answer = modeler.client.post("/v2/deployments", data={})
    assert answer.status_code == 401
