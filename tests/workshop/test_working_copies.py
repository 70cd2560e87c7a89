"""Editing a bundle without touching what runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from service import clock, errors
from service.commands.procedures import deployments, workshop
from service.commands.procedures.workshop import Change, EditConflict, sha256
from service.models import Event, ProcessDefinition, Revision, WorkingFile
from tests.workshop.conftest import FILES, procedure

PATH = "processes/p/p.bpmn"
OTHER = procedure(after="second")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def copy(session, owner):
    return workshop.create(session, "改期限", user=owner, files=FILES)


def write(session, copy, user, content, *, base=None, path=PATH, **options):
    base = base if base is not None else workshop.current(session, copy)[path].sha256
    return workshop.save(session, copy.id, {path: Change(content, base)}, user=user, **options)


def test_a_copy_of_what_is_deployed_holds_the_same_bytes(session, owner):
    deployment = deployments.deploy(session, FILES, user=owner)
    copy = workshop.create(session, "改期限", user=owner, deployment_id=deployment.id)
    assert workshop.files(session, copy) == FILES


def test_saving_touches_nothing_that_runs(session, owner, copy):
    deployments.deploy(session, FILES, user=owner)
    write(session, copy, owner, OTHER)
    assert session.scalar(select(func.count()).select_from(ProcessDefinition)) == 1
    latest = deployments.latest(session, "p", authority_id=owner.authority_id)
    assert deployments.bundle(session, latest.deployment_id).files == FILES


def test_every_revision_can_be_read_again(session, owner, copy):
    write(session, copy, owner, OTHER, comment="加一步")
    workshop.save(session, copy.id, {PATH: Change(None, sha256(OTHER))}, user=owner, comment="删去")
    assert workshop.at(session, copy, 1) == FILES
    assert workshop.at(session, copy, 2) == {**FILES, PATH: OTHER}
    assert PATH not in workshop.at(session, copy, 3)
    kinds = session.execute(select(Revision.number, Revision.comment, Revision.changes).order_by(Revision.number)).all()
    assert kinds[1:] == [(2, "加一步", {PATH: "changed"}), (3, "删去", {PATH: "removed"})]


def test_restoring_a_revision_is_a_new_one(session, owner, copy):
    write(session, copy, owner, OTHER, comment="加一步")
    saved = workshop.restore(session, copy.id, 1, user=owner)
    assert saved.revision == 3
    assert workshop.files(session, copy) == FILES
    assert workshop.at(session, copy, 2)[PATH] == OTHER


def test_autosaves_of_one_sitting_make_one_revision(session, owner, copy):
    with clock.travel(NOW):
        write(session, copy, owner, b"<a/>")
        clock.advance(timedelta(minutes=2))
        write(session, copy, owner, b"<b/>")
        clock.advance(timedelta(minutes=20))
        write(session, copy, owner, b"<c/>")
    assert copy.revision == 3
    assert workshop.at(session, copy, 2)[PATH] == b"<b/>"
    rows = session.scalar(select(func.count()).select_from(WorkingFile).where(WorkingFile.path == PATH))
    assert rows == 3


def test_saving_what_is_there_already_changes_nothing(session, owner, copy):
    write(session, copy, owner, FILES[PATH])
    assert copy.revision == 1


def test_a_file_made_and_removed_in_one_sitting_leaves_no_trace(session, owner, copy):
    path = "forms/p/new.form"
    with clock.travel(NOW):
        workshop.save(session, copy.id, {path: Change(b"{}", None)}, user=owner)
        workshop.save(session, copy.id, {path: Change(None, sha256(b"{}"))}, user=owner)
    assert session.get_one(Revision, (copy.id, 2)).changes == {}
    assert session.scalar(select(func.count()).select_from(WorkingFile).where(WorkingFile.path == path)) == 0


def test_two_who_edit_the_same_file_are_told_of_each_other(session, owner, colleague, copy):
    base = sha256(FILES[PATH])
    write(session, copy, colleague, OTHER, base=base)
    with pytest.raises(EditConflict) as refused:
        write(session, copy, owner, b"<mine/>", base=base)
    assert refused.value.status == 409
    assert "林同事" in refused.value.zh
    assert refused.value.extra["sha256"] == sha256(OTHER)
    assert workshop.files(session, copy)[PATH] == OTHER
    write(session, copy, owner, b"<mine/>", base=refused.value.extra["sha256"])
    assert workshop.at(session, copy, 2)[PATH] == OTHER
    assert workshop.files(session, copy)[PATH] == b"<mine/>"


def test_two_who_edit_different_files_do_not_hinder_each_other(session, owner, colleague, copy):
    write(session, copy, colleague, b'{"id": "opinion"}', path="forms/p/opinion.form")
    saved = write(session, copy, owner, OTHER)
    assert [(one["path"], one["who"]) for one in saved.others] == [("forms/p/opinion.form", "林同事")]


def test_two_who_come_to_the_same_content_do_not_conflict(session, owner, colleague, copy):
    base = sha256(FILES[PATH])
    write(session, copy, colleague, OTHER, base=base)
    write(session, copy, owner, OTHER, base=base)


def test_a_file_somebody_removed_is_not_quietly_made_again(session, owner, colleague, copy):
    base = sha256(FILES[PATH])
    workshop.save(session, copy.id, {PATH: Change(None, base)}, user=colleague)
    with pytest.raises(EditConflict, match="删除"):
        write(session, copy, owner, OTHER, base=base)


def test_a_new_file_does_not_replace_one_of_the_same_name(session, owner, copy):
    with pytest.raises(EditConflict):
        workshop.save(session, copy.id, {PATH: Change(OTHER, None)}, user=owner)


def test_a_renamed_file_keeps_its_bytes(session, owner, copy):
    workshop.rename_file(session, copy.id, PATH, "processes/p/新名.bpmn", user=owner)
    assert workshop.files(session, copy)["processes/p/新名.bpmn"] == FILES[PATH]
    assert PATH not in workshop.files(session, copy)
    with pytest.raises(errors.Conflict):
        workshop.rename_file(session, copy.id, "processes/p/新名.bpmn", "forms/p/opinion.form", user=owner)


@pytest.mark.parametrize(
    "path", ["../x.bpmn", "/x.bpmn", "x.exe", "x", ".x.bpmn", "a/" * 9 + "x.bpmn", "x" * 300 + ".bpmn"]
)
def test_a_path_that_no_bundle_has_is_refused(session, owner, copy, path):
    with pytest.raises(errors.InvalidInput):
        workshop.save(session, copy.id, {path: Change(b"<x/>", None)}, user=owner)
    assert copy.revision == 1


def test_names_that_differ_only_in_case_are_refused(session, owner, copy):
    with pytest.raises(errors.Conflict, match="大小写"):
        workshop.save(session, copy.id, {"processes/p/P.bpmn": Change(b"<x/>", None)}, user=owner)


def test_too_much_is_refused(session, owner, copy):
    with pytest.raises(errors.TooLarge):
        workshop.save(session, copy.id, {"a.form": Change(b"x" * (10 * 1024 * 1024 + 1), None)}, user=owner)


def test_only_process_owners_edit(session, applicant, copy, people):
    with pytest.raises(errors.Forbidden):
        workshop.create(session, "x", user=applicant)
    with pytest.raises(errors.NotFound):
        write(session, copy, applicant, OTHER, base=sha256(FILES[PATH]))


def test_a_copy_of_another_authority_does_not_exist(session, people, copy):
    stranger = people.user("stranger", "platform.owner@platform", authority="guangdong")
    with pytest.raises(errors.NotFound):
        workshop.take(session, copy.id, user=stranger)
    with pytest.raises(errors.NotFound):
        workshop.restore(session, copy.id, 1, user=stranger)


def test_a_copy_that_was_put_away_is_read_only(session, owner, copy):
    workshop.close(session, copy.id, user=owner)
    with pytest.raises(errors.Conflict, match="归档"):
        write(session, copy, owner, OTHER)
    workshop.close(session, copy.id, user=owner)
    write(session, copy, owner, OTHER)


def test_an_import_makes_the_copy_hold_exactly_the_files(session, owner, copy):
    workshop.replace_all(session, copy.id, {"a.bpmn": OTHER}, user=owner, comment="导入 a.zip")
    assert workshop.files(session, copy) == {"a.bpmn": OTHER}
    assert workshop.at(session, copy, 1) == FILES


def test_the_audit_knows_who_made_a_copy(session, owner, copy):
    event = session.scalar(select(Event).where(Event.kind == "working_copy_created"))
    assert event.user_id == owner.id
    assert event.data["name"] == "改期限"
