from __future__ import annotations

import io

import pytest

from service.models import Deployment
from tests.commands.conftest import service

from .conftest import CHECK, END, START, TWO_TASKS, WITH_FORM, Api, diagram, fields, pages, problem

DEAD_END = TWO_TASKS.replace(b'targetRef="e"', b'targetRef="nowhere"')


def test_a_new_bundle_is_201_and_the_same_again_200(api: Api):
    first = api.as_("admin").deploy(TWO_TASKS, note="第一版")
    made = first.get_json()
    assert first.status_code == 201
    assert (made["version"], made["note"]) == (1, "第一版")
    assert [one["process_id"] for one in made["process_definitions"]] == ["p"]
    assert made["created_at"].endswith("+08:00")
    assert api.as_("admin").get(first.headers["Location"]).get_json() == made

    again = api.as_("admin").deploy(TWO_TASKS)
    assert (again.status_code, again.get_json()["id"]) == (200, made["id"])
    assert "Location" not in again.headers


def test_a_bundle_may_have_folders_tables_and_forms(api: Api):
    data = {
        "files": [
            (io.BytesIO(WITH_FORM), "processes/checked/checked.bpmn"),
            (io.BytesIO(CHECK), "forms/checked/check.form"),
        ]
    }
    made = api.as_("admin").post("/deployments", data=data, content_type="multipart/form-data")
    assert made.status_code == 201, made.get_json()


def test_a_rejected_bundle_lists_every_finding_and_changes_nothing(api: Api):
    document = problem(api.as_("admin").deploy(DEAD_END), 422, "bundle_rejected")
    found = [one for one in document["findings"] if one["severity"] == "error"]
    assert found
    assert all(one["zh"] and one["en"] and one["file"] == "d0.bpmn" for one in found)
    assert api.office.rows(Deployment) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"<definitions/>",
        b"<a" * 1000,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "流程".encode("utf-16"),
    ],
)
@pytest.mark.parametrize("name", ["odd.bpmn", "odd.dmn", "odd.form", "odd.docx", "odd.exe"])
def test_files_that_are_not_what_they_claim_are_findings(api: Api, name: str, content: bytes):
    answer = api.as_("admin").deploy(**{name.replace(".", "__"): content})
    assert answer.status_code in (201, 422), answer.get_json()
    if answer.status_code == 422:
        problem(answer, 422, "bundle_rejected")


def test_deploying_takes_files(api: Api):
    admin = api.as_("admin")
    assert fields(problem(admin.post("/deployments", data={}, content_type="multipart/form-data"), 422)) == ["files"]
    assert fields(problem(admin.post("/deployments", data={"files": "text"}, content_type="multipart/form-data"), 422))
    problem(admin.post("/deployments", {"files": []}), 415)
    problem(admin.post("/deployments", data=b"garbage", content_type="multipart/form-data"), 422)
    problem(admin.post("/deployments", data=b"garbage", content_type="multipart/form-data; boundary=x"), 422)


def test_deploying_takes_nothing_else(api: Api):
    data = {"files": [(io.BytesIO(TWO_TASKS), "p.bpmn")], "colour": "red"}
    refused = api.as_("admin").post("/deployments", data=data, content_type="multipart/form-data")
    assert fields(problem(refused, 422)) == ["colour"]
    note = {"files": [(io.BytesIO(TWO_TASKS), "p.bpmn")], "note": "x" * 2001}
    refused = api.as_("admin").post("/deployments", data=note, content_type="multipart/form-data")
    assert fields(problem(refused, 422)) == ["note"]


@pytest.mark.parametrize("name", ["/etc/p.bpmn", "../p.bpmn", "a/../../p.bpmn", "p\u202e.bpmn", "x" * 300 + ".bpmn"])
def test_a_file_s_name_is_a_path_in_the_bundle(api: Api, name: str):
    data = {"files": [(io.BytesIO(TWO_TASKS), name)]}
    refused = api.as_("admin").post("/deployments", data=data, content_type="multipart/form-data")
    assert fields(problem(refused, 422)) == ["files.0"]


def test_one_path_holds_one_file(api: Api):
    data = {"files": [(io.BytesIO(TWO_TASKS), "p.bpmn"), (io.BytesIO(WITH_FORM), "p.bpmn")]}
    refused = api.as_("admin").post("/deployments", data=data, content_type="multipart/form-data")
    assert fields(problem(refused, 422)) == ["files.1"]


def test_an_upload_that_is_too_large_is_413(api: Api):
    huge = {"files": [(io.BytesIO(b"x" * (52 * 1024 * 1024)), "p.bpmn")]}
    problem(api.as_("admin").post("/deployments", data=huge, content_type="multipart/form-data"), 413, "too_large")


def test_only_owners_and_administrators_deploy_and_see_deployments(api: Api):
    api.as_("admin").deploy(TWO_TASKS)
    for person in ("wang", "li"):
        problem(api.as_(person).deploy(WITH_FORM, check__form=CHECK), 403, "forbidden")
        problem(api.as_(person).get("/deployments"), 403)
        problem(api.as_(person).get("/deployments/1"), 403)


def test_another_authority_s_deployment_is_not_there(api: Api):
    made = api.as_("admin").deploy(TWO_TASKS).get_json()
    api.office.people.user("foreign", "platform.admin", authority="sd")
    problem(api.as_("foreign").get(f"/deployments/{made['id']}"), 404)
    assert api.as_("foreign").get("/deployments").get_json()["items"] == []


def test_deployments_are_listed_newest_first_page_by_page(api: Api):
    for number in range(3):
        api.as_("admin").deploy(TWO_TASKS.replace(b'name="a"', f'name="a{number}"'.encode()))
    found = pages(api.as_("admin"), "/deployments", limit=2)
    assert [[one["version"] for one in page] for page in found] == [[3, 2], [1]]
    assert api.as_("admin").get("/deployments?limit=1").get_json()["total"] == 3


def test_a_service_task_that_no_handler_knows_is_a_finding(api: Api):
    unknown = diagram(START + service("x", "make_coffee") + END, "s -> x -> e")
    document = problem(api.as_("admin").deploy(unknown), 422, "bundle_rejected")
    assert "make_coffee" in str(document["findings"])
