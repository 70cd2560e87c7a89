from __future__ import annotations

import io

import pytest

from service import errors
from service.commands.inbox import attachments, drafts, tasks
from service.models import Attachment, Draft, Event
from service.storage import Folder
from tests.engine.diagrams import user
from tests.statements import counted

from .conftest import DESK, END, START, Office, diagram, form

TWO_TASKS = diagram(START + user("a", DESK) + user("b", DESK) + END, "s -> a -> b -> e")


def with_form(form_id: str) -> str:
    return DESK + f'<zeebe:formDefinition formId="{form_id}"/>'


@pytest.fixture
def task(office: Office) -> int:
    office.deploy(TWO_TASKS)
    return office.open(office.start())["a"]


def claim(office: Office, task: int, user, **options):
    with office.database.transaction() as session:
        return tasks.claim(session, task, user=office.fresh(session, user), **options)


def test_claiming_takes_a_task_off_the_group(office: Office, task: int):
    claim(office, task, office.li)
    assert office.task(task).assignee_id == office.li.id
    assert [one.claimed for one in office.candidates(task)] == [True]


def test_claiming_what_somebody_else_has_says_who_and_since_when(office: Office, task: int):
    claim(office, task, office.li)
    with pytest.raises(errors.TaskTaken) as refused:
        claim(office, task, office.zhao)
    assert refused.value.extra["who"] == "李明"
    assert refused.value.extra["when"] == office.task(task).claimed_at
    assert "李明" in refused.value.zh


def test_claiming_twice_is_claiming_once(office: Office, task: int):
    version = claim(office, task, office.li).version
    assert claim(office, task, office.li).version == version


def test_a_stale_version_is_refused(office: Office, task: int):
    with pytest.raises(errors.Stale) as refused:
        claim(office, task, office.li, version=7)
    assert refused.value.extra == {"given": 7, "current": 1}


def test_a_stranger_does_not_even_learn_that_a_task_exists(office: Office, task: int):
    stranger = office.people.user("qian", "applicant.drafter@other")
    with pytest.raises(errors.NotFound):
        claim(office, task, stranger)


def test_a_colleague_from_another_desk_sees_a_task_and_may_not_take_it(office: Office, task: int):
    colleague = office.people.user("feng", "coop.assessor")
    with pytest.raises(errors.Forbidden):
        claim(office, task, colleague)
    with pytest.raises(errors.Forbidden):
        office.complete(task, colleague)


def test_a_released_task_is_free_again(office: Office, task: int):
    claim(office, task, office.li)
    with office.database.transaction() as session:
        tasks.release(session, task, user=office.fresh(session, office.li))
    assert office.task(task).assignee_id is None
    assert [one.claimed for one in office.candidates(task)] == [False]
    claim(office, task, office.zhao)


def test_only_the_holder_or_an_administrator_releases(office: Office, task: int):
    claim(office, task, office.li)
    with pytest.raises(errors.Forbidden), office.database.transaction() as session:
        tasks.release(session, task, user=office.fresh(session, office.zhao))
    with office.database.transaction() as session:
        tasks.release(session, task, user=office.fresh(session, office.admin))


def test_a_task_is_handed_to_somebody_it_is_offered_to(office: Office, task: int):
    with office.database.transaction() as session:
        tasks.assign(session, task, user=office.fresh(session, office.li), assignee=office.fresh(session, office.zhao))
    assert office.task(task).assignee_id == office.zhao.id
    with pytest.raises(errors.InvalidInput) as refused, office.database.transaction() as session:
        tasks.assign(
            session, task, user=office.fresh(session, office.zhao), assignee=office.fresh(session, office.wang)
        )
    assert refused.value.field == "assignee"


def test_completing_runs_the_case_to_the_next_task(office: Office, task: int):
    case = office.task(task).instance_id
    office.complete(task)
    done = office.task(task)
    assert (done.status, done.completed_by_id, done.assignee_id) == ("completed", office.li.id, office.li.id)
    assert office.candidates(task) == []
    assert list(office.open(case)) == ["b"]


def test_completing_twice_tells_the_second_who_was_first_and_changes_nothing(office: Office, task: int):
    case = office.task(task).instance_id
    office.complete(task)
    before = office.instance(case)
    with pytest.raises(errors.TaskOver) as refused:
        office.complete(task, office.zhao)
    assert (refused.value.status, refused.value.extra["who"]) == (409, "李明")
    assert refused.value.extra["when"] == office.task(task).completed_at
    after = office.instance(case)
    assert (after.state, after.version) == (before.state, before.version)


def test_completing_what_somebody_else_has_claimed_is_refused(office: Office, task: int):
    claim(office, task, office.zhao)
    with pytest.raises(errors.TaskTaken):
        office.complete(task, office.li)


def test_a_form_is_checked_and_only_what_it_owns_counts(office: Office):
    office.deploy(
        diagram(START + user("a", with_form("f")) + END, "s -> a -> e"), f__form=form("f", "opinion", required=True)
    )
    case = office.start()
    task = office.open(case)["a"]
    with pytest.raises(errors.InvalidForm) as refused:
        office.complete(task, other="x")
    assert "opinion" in refused.value.fields
    assert office.task(task).status == "open"
    office.complete(task, opinion="同意", other="x")
    assert office.task(task).submitted == {"opinion": "同意"}
    assert "other" not in office.variables(case)


def test_data_for_a_task_without_a_form_is_refused(office: Office, task: int):
    with pytest.raises(errors.InvalidInput) as refused:
        office.complete(task, decision="approve")
    assert refused.value.field == "decision"


def test_no_form_may_write_what_the_system_sets(office: Office):
    office.deploy(diagram(START + user("a", with_form("f")) + END, "s -> a -> e"), f__form=form("f", "caseNumber"))
    task = office.open(office.start())["a"]
    with pytest.raises(errors.InvalidInput):
        office.complete(task, caseNumber="DB-1999-0001")


def test_a_draft_is_kept_and_goes_with_the_task(office: Office, task: int):
    with office.database.transaction() as session:
        drafts.save(session, task, {"text": "一"}, user=office.fresh(session, office.li), form_hash="h")
    with office.database.transaction() as session:
        drafts.save(session, task, {"text": "一二"}, user=office.fresh(session, office.li), form_hash="h")
    assert [draft.values for draft in office.rows(Draft, task_id=task)] == [{"text": "一二"}]
    office.complete(task)
    assert office.rows(Draft, task_id=task) == []
    with pytest.raises(errors.TaskOver), office.database.transaction() as session:
        drafts.save(session, task, {}, user=office.fresh(session, office.li))


def test_a_draft_is_for_those_who_may_work_on_the_task(office: Office, task: int):
    with pytest.raises(errors.NotFound), office.database.transaction() as session:
        drafts.save(session, task, {}, user=office.fresh(session, office.wang))


def test_a_file_handed_in_with_a_form_becomes_part_of_the_case(office: Office, tmp_path):
    office.deploy(diagram(START + user("a", with_form("f")) + END, "s -> a -> e"), f__form=form("f", "files"))
    case = office.start()
    store = Folder(tmp_path / "files")
    with office.database.transaction() as session:
        mine = attachments.add(
            session, store, io.BytesIO(b"%PDF-1.7 x"), "../../意见\u202e.pdf", user=office.fresh(session, office.li)
        )
        theirs = attachments.add(
            session, store, io.BytesIO(b"%PDF-1.7 y"), "b.pdf", user=office.fresh(session, office.zhao)
        )
    assert (mine.name, mine.instance_id, mine.size) == ("意见.pdf", None, 10)
    with pytest.raises(errors.InvalidInput):
        office.do(case, "a", files=[{"id": theirs.id, "name": "b.pdf", "size": 10}])
    office.do(case, "a", files=[{"id": mine.id, "name": "意见.pdf", "size": 10}])
    (kept,) = office.rows(Attachment, id=mine.id)
    assert kept.instance_id == case
    assert kept.task_id is not None


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("a.exe", b"MZ", errors.UnsupportedMedia),
        ("a.pdf", b"MZ this is no pdf", errors.UnsupportedMedia),
        ("a.docx", b"%PDF-1.7", errors.UnsupportedMedia),
        ("a.txt", b"a\0b", errors.UnsupportedMedia),
        ("a.pdf", b"", errors.InvalidInput),
        ("a.pdf", b"%PDF-" + b"x" * 2000, errors.TooLarge),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused_and_not_kept(office, tmp_path, name, content, refusal):
    store = Folder(tmp_path / "files")
    with pytest.raises(refusal), office.database.transaction() as session:
        attachments.add(session, store, io.BytesIO(content), name, user=office.fresh(session, office.li), limit=1024)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_a_completion_takes_few_statements_and_one_commit(office: Office, task: int):
    office.complete(office.open(office.start())["a"])  # the bundle is in the cache now
    with office.database.transaction() as session:
        person = office.fresh(session, office.li)
        assert person.memberships
        with counted(office.database) as statements:
            tasks.complete(session, task, {}, user=person)
    assert len(statements) <= 11, "\n".join(statements)  # two of them write what the tasks are found by


def test_what_people_do_to_a_task_is_in_the_history(office: Office, task: int):
    claim(office, task, office.li)
    with office.database.transaction() as session:
        tasks.release(session, task, user=office.fresh(session, office.li))
    kinds = [(event.kind, event.user_id) for event in office.rows(Event, task_id=task)]
    assert kinds == [("claimed", office.li.id), ("released", office.li.id)]
