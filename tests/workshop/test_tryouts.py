"""A process owner tries a draft out in the browser: forms, roles, time, messages – and nothing real is touched."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from service import errors
from service.commands.procedures import dryruns, workshop
from service.commands.procedures.workshop import Change
from service.models import DryRun, Instance, Notification, Task, User, WorkingCopy
from service.web.modeler import steps
from tests.conftest import People
from tests.sandbox import drafts
from tests.web.conftest import Browser, given, path_of, text
from tests.web.conftest import app as app
from tests.web.conftest import browser as browser
from tests.web.conftest import settings as settings


@pytest.fixture
def copy_id(database, people: People) -> int:
    """A working copy with the little draft."""
    people.user("owner", "platform.owner", name="陈负责")
    people.user("colleague", "platform.owner", name="林同事")
    people.user("wang", "applicant.drafter@uni", name="王芳")
    with database.transaction() as session:
        owner = session.scalar(select(User).where(User.username == "owner"))
        return workshop.create(session, "请假", user=owner, files=drafts.files()).id


@pytest.fixture
def closing(app) -> Iterator[None]:
    """Ends the sandboxes of a test."""
    yield
    app.extensions["guohe.sandboxes"].close()


def ready(one: Browser, path: str) -> str:
    """A try-out's page, once its sandbox has been played up."""
    for _ in range(600):
        answer = one.get(path)
        if "tryout-wait" not in answer.text:
            return answer.text
        time.sleep(0.1)
    raise AssertionError("it was not ready in a minute")


def hidden(page: str, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert match, name
    return match[1]


def test_a_draft_is_played_from_start_to_end_and_recorded(browser, copy_id, database, closing):
    owner = browser("owner")
    begun = owner.post(f"/modeler/{copy_id}/try", process="leave")
    here = path_of(begun)
    assert "由谁发起" not in ready(owner, here)
    assert path_of(owner.post(f"{here}/start", by="applicant.drafter")) == here
    page = owner.get(here)
    assert "填写请假单" in text(page)
    assert "虚构大学" in text(page)
    assert given(page)["schema"]["id"] == "ask"
    task = hidden(page.text, "task")
    # What the form does not accept is shown at its field, and nothing has happened.
    refused = owner.send(f"{here}/do", {"days": 0}, task=task)
    assert refused.status_code == 422
    assert list(given(refused)["errors"]) == ["days"]
    kept = owner.client.post(
        f"{here}/files",
        data={"file": (io.BytesIO(b"%PDF-1.7"), "证明.pdf")},
        headers={"X-CSRFToken": owner.token, "Accept": "application/json"},
    )
    assert kept.status_code == 201
    owner.send(f"{here}/do", {"days": 2, "reason": "探亲", "proof": [kept.json]}, task=task)
    page = owner.get(here)
    assert "国际合作司受理" in text(page)
    assert "2026-03-09" in text(page)
    owner.post(f"{here}/act", verb="workdays", days="3", unit="workdays", now="2026-03-02T01:00:00+00:00")
    page = owner.get(here)
    assert "2026-03-05 09:00" in text(page)
    owner.send(f"{here}/do", {"verdict": "no"}, task=hidden(page.text, "task"))
    assert "已结束：不准" in text(owner.get(here))
    # Back to where the check was open, and the other way.
    owner.post(f"{here}/back", to="3")
    page = ready(owner, here)
    owner.send(f"{here}/do", {"verdict": "yes"}, task=hidden(page, "task"))
    assert "已结束：准假" in text(owner.get(here))
    marks = owner.get(f"{here}/diagram?process=leave").json["marks"]
    assert "g_yes" in marks["flows"]
    recorded = owner.post(f"{here}/record", name="准假", file="granted", key=["tasks", "ended"])
    assert path_of(recorded) == f"/modeler/{copy_id}/scenarios/processes/leave/scenarios/granted.yaml"
    with database.transaction() as session:
        copy = session.get_one(WorkingCopy, copy_id)
        written = workshop.files(session, copy)["processes/leave/scenarios/granted.yaml"].decode()
        assert written == RECORDED
        # Of all this the real database holds the steps and the file, and nothing else.
        for table in (Instance, Task, Notification):
            assert session.scalar(select(func.count()).select_from(table)) == 0


RECORDED = """name: 准假
process: leave
start: {by: applicant.drafter}
steps:
  - do: ask
    by: applicant.drafter
    data:
      days: 2
      reason: 探亲
      proof: [!file '证明.pdf']
  - until: 2026-03-05 09:00
  - do: check
    by: coop.intake
    data: {verdict: 'yes'}
expect: {ended: 'yes'}
"""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_changed_draft_is_played_with_the_same_steps(browser, copy_id, database, closing):
    owner = browser("owner")
    here = path_of(owner.post(f"/modeler/{copy_id}/try", process="leave"))
    ready(owner, here)
    owner.post(f"{here}/start", by="applicant.drafter")
    page = owner.get(here).text
    owner.send(f"{here}/do", {"days": 9}, task=hidden(page, "task"))
    with database.transaction() as session:
        user = session.scalar(select(User).where(User.username == "owner"))
        present = workshop.current(session, session.get_one(WorkingCopy, copy_id))
        change = Change(drafts.procedure("处长审核", 10), present[drafts.DRAFT].sha256)
        workshop.save(session, copy_id, {drafts.DRAFT: change}, user=user)
    page = owner.get(here)
    assert "草稿在这次试运行开始后又改过" in text(page)
    assert "处长审核" not in text(page)
    owner.post(f"{here}/renew")
    page = ready(owner, here)
    assert "处长审核" in page
    assert "2026-03-16" in page
    # A draft with errors says which, and the former revision is not lost.
    with database.transaction() as session:
        user = session.scalar(select(User).where(User.username == "owner"))
        present = workshop.current(session, session.get_one(WorkingCopy, copy_id))
        workshop.save(
            session, copy_id, {drafts.DRAFT: Change(b"<definitions/>", present[drafts.DRAFT].sha256)}, user=user
        )
    owner.post(f"{here}/renew")
    assert "须先解决" in ready(owner, here)


def test_a_try_out_is_its_owners_alone(browser, copy_id, closing):
    owner = browser("owner")
    here = path_of(owner.post(f"/modeler/{copy_id}/try", process="leave"))
    assert browser("colleague").get(here).status_code == 404
    assert browser("wang").get(f"/modeler/{copy_id}/try").status_code == 404
    assert owner.post(f"/modeler/{copy_id}/try", process="nothing").status_code == 400


def test_two_windows_do_not_play_over_each_other(database, copy_id):
    with database.transaction() as session:
        user = session.scalar(select(User).where(User.username == "owner"))
        run_id = dryruns.begin(session, copy_id, user=user, process_id="leave").id
        dryruns.add(session, run_id, {"begin": "leave"}, user=user, after=0)
        with pytest.raises(dryruns.StepTaken):
            dryruns.add(session, run_id, {"wait": "next"}, user=user, after=0)


def test_try_outs_are_bounded(database, copy_id):
    with database.transaction() as session:
        user = session.scalar(select(User).where(User.username == "owner"))
        for _ in range(dryruns.MOST_RUNS + 3):
            run = dryruns.begin(session, copy_id, user=user, process_id="leave")
        assert session.scalar(select(func.count()).select_from(DryRun)) == dryruns.MOST_RUNS
        with pytest.raises(errors.TooLarge):
            dryruns.add(session, run.id, {"do": "x", "data": {"a": "x" * dryruns.MOST_BYTES}}, user=user, after=0)
        run.steps = [{"wait": "next"}] * dryruns.MOST_STEPS
        with pytest.raises(errors.TooLarge):
            dryruns.add(session, run.id, {"wait": "next"}, user=user, after=dryruns.MOST_STEPS)


@pytest.mark.parametrize(
    ("shown", "values", "data"),
    [
        ({}, {"a": "", "b": None, "c": [], "d": {"e": None}}, {}),
        ({"a": 1}, {"a": 1, "b": False}, {"b": False}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3}}, {"a": {"y": 3}}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({"a": "x"}, {"a": ""}, {"a": ""}),
        (
            {"f": [{"id": 3, "name": "a.pdf", "size": 9}]},
            {"f": [{"id": 3, "name": "a.pdf", "size": 9}, {"id": "file:b.pdf", "name": "b.pdf", "size": 1}]},
            {"f": [{"!file": "a.pdf"}, {"!file": "b.pdf"}]},
        ),
    ],
)
def test_the_data_of_a_step_is_what_was_typed_over_the_form(shown, values, data):
    assert steps.typed(shown, json.loads(json.dumps(values))) == data
