"""Repairs: what was previewed is what happens, and an undo brings back what was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import clock, errors
from service.commands.administration import repairs
from service.commands.cases import snapshots
from service.models import Draft, Event, Instance, Job, Repair, User
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, form, two_tasks, user

WIDE = diagram(
    START + '<parallelGateway id="split"/><parallelGateway id="join"/>'
    + user("a", DESK) + user("b", DESK) + user("c", DESK) + user("d", DESK) + user("late", DESK) + END
    + '<boundaryEvent id="soon" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
    + "<timeDuration>P3D</timeDuration></timerEventDefinition></boundaryEvent>"
    + '<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>',
    "s -> split -> a -> join; split -> b -> pause -> join; join -> c -> d -> e; soon -> late -> e",
)  # fmt: skip
ELEMENTS = ["a", "b", "c", "d", "late", "pause"]


@pytest.fixture
def case(cockpit: Cockpit) -> int:
    cockpit.office.deploy(WIDE)
    return cockpit.office.start()


def token(cockpit: Cockpit, case: int, element: str) -> int:
    return cockpit.office.task(cockpit.office.open(case)[element]).token


def rows_of(cockpit: Cockpit, case: int) -> dict:
    with cockpit.database.transaction() as session:
        taken = snapshots.take(session, session.get_one(Instance, case))
    for kind in ("tasks", "jobs", "incidents", "drafts"):
        taken[kind] = sorted(taken[kind], key=lambda row: str(row.get("id", row)))
    for kind in ("candidates", "subscriptions"):
        taken[kind] = sorted(
            ({name: value for name, value in row.items() if name != "id"} for row in taken[kind]), key=str
        )
    return taken


def state_of(cockpit: Cockpit, case: int) -> bytes:
    return cockpit.office.instance(case).state


def test_a_preview_writes_nothing(cockpit, case):
    before = (cockpit.office.instance(case).version, len(cockpit.office.rows(Event)), len(cockpit.office.rows(Job)))
    shown = cockpit.preview(case, "move", token=token(cockpit, case, "a"), element="d")
    assert [one["name"] for one in shown.new] == ["d"]
    assert {one["kind"] for one in shown.gone} == {"task", "timer"}
    after = (cockpit.office.instance(case).version, len(cockpit.office.rows(Event)), len(cockpit.office.rows(Job)))
    assert before == after


def test_a_repair_needs_a_reason_and_a_case_that_has_not_moved(cockpit, case):
    with pytest.raises(errors.InvalidInput, match="理由"), cockpit.database.transaction() as session:
        admin = cockpit.office.fresh(session, cockpit.office.admin)
        repairs.perform(session, case, "suspend", {}, user=admin, reason="  ")
    version = cockpit.office.instance(case).version
    cockpit.office.do(case, "a")
    with pytest.raises(repairs.Moved):
        cockpit.perform(case, "suspend", version=version)


def test_only_administrators_repair(cockpit, case):
    with pytest.raises(errors.NotFound), cockpit.database.transaction() as session:
        repairs.perform(session, case, "suspend", {}, user=session.get_one(User, cockpit.office.li.id), reason="x")


def test_a_token_that_is_gone_is_refused_and_the_case_unharmed(cockpit, case):
    gone = token(cockpit, case, "a")
    cockpit.office.do(case, "a")
    before = state_of(cockpit, case)
    for kind in ("skip", "move", "fire", "message", "extend", "retry", "reassign"):
        with pytest.raises(errors.ServiceError):
            cockpit.perform(case, kind, token=gone, element="d", due=clock.now().isoformat(), assignee="li")
    assert state_of(cockpit, case) == before


def test_a_variable_of_another_type_is_refused_by_name(cockpit):
    cockpit.office.deploy(
        diagram(
            START + user("a", DESK + '<zeebe:formDefinition formId="f"/>') + user("b", DESK) + END, "s -> a -> b -> e"
        ),
        f__form=form("f", "goal", required=True),
    )
    case = cockpit.office.start()
    cockpit.office.do(case, "a", goal="好")
    with pytest.raises(errors.InvalidInput) as wrong:
        cockpit.preview(case, "variables", variables={"goal": 7})
    assert wrong.value.field == "goal"
    with pytest.raises(errors.InvalidForm):
        cockpit.preview(case, "variables", variables={"goal": ""})
    with pytest.raises(errors.InvalidInput):
        cockpit.preview(case, "variables", variables={"caseNumber": "X"})
    shown = cockpit.preview(case, "variables", variables={"goal": "更好"})
    assert shown.variables == [{"name": "goal", "before": "好", "after": "更好"}]
    cockpit.perform(case, "variables", variables={"goal": "更好"})
    assert cockpit.office.variables(case)["goal"] == "更好"


def test_a_deadline_is_moved_with_its_rows(cockpit, case):
    due = clock.now() + timedelta(days=40)
    cockpit.perform(case, "extend", token=token(cockpit, case, "a"), due=due.isoformat())
    assert cockpit.office.task(cockpit.office.open(case)["a"]).due_at == due
    timer = next(job for job in cockpit.office.jobs(instance_id=case) if job.kind == "timer")
    cockpit.perform(case, "extend", token=timer.token, due=due.isoformat())
    assert [job.due_at for job in cockpit.office.jobs(instance_id=case, status="queued")] == [due]
    assert cockpit.check().healed == []


def test_reassigning_asks_anybody_of_the_authority(cockpit, case):
    done = cockpit.perform(case, "reassign", token=token(cockpit, case, "a"), assignee="zhao")
    assert cockpit.office.task(cockpit.office.open(case)["a"]).assignee_id == cockpit.office.zhao.id
    cockpit.undo(done.id)
    assert cockpit.office.task(cockpit.office.open(case)["a"]).assignee_id is None


def test_an_undo_gives_claims_and_drafts_back(cockpit, case):
    from service.commands.inbox import tasks

    task = cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        li = cockpit.office.fresh(session, cockpit.office.li)
        tasks.claim(session, task, user=li)
        session.add(Draft(task_id=task, user_id=li.id, values={"x": 1}, form_hash="", saved_at=clock.now()))
    before, state = rows_of(cockpit, case), state_of(cockpit, case)
    done = cockpit.perform(case, "move", token=token(cockpit, case, "a"), element="d")
    assert cockpit.office.rows(Draft) == []
    cockpit.undo(done.id)
    assert rows_of(cockpit, case) == before
    assert state_of(cockpit, case) == state
    assert cockpit.office.open(case)["a"] == task
    assert cockpit.office.task(task).assignee_id == cockpit.office.li.id
    assert cockpit.check().healed == []
    cockpit.office.do(case, "a")


def test_a_terminated_case_comes_back(cockpit, case):
    before, state = rows_of(cockpit, case), state_of(cockpit, case)
    done = cockpit.perform(case, "terminate")
    assert cockpit.office.instance(case).status == "terminated"
    cockpit.undo(done.id)
    assert rows_of(cockpit, case) == before
    assert state_of(cockpit, case) == state
    again = cockpit.perform(case, "terminate")
    assert again.status == "done"
    cockpit.perform(case, "restart", element="c")
    assert set(cockpit.office.open(case)) == {"c"}
    assert cockpit.office.instance(case).status == "active"


def test_an_undo_after_somebody_has_gone_on_is_refused(cockpit, case):
    done = cockpit.perform(case, "skip", token=token(cockpit, case, "a"))
    cockpit.office.do(case, "b")
    with pytest.raises(repairs.Moved):
        cockpit.undo(done.id)


def test_a_suspended_case_stays_suspended_through_a_repair(cockpit, case):
    cockpit.perform(case, "suspend")
    cockpit.perform(case, "move", token=token(cockpit, case, "a"), element="d")
    assert cockpit.office.instance(case).status == "suspended"
    cockpit.perform(case, "resume")
    assert cockpit.office.instance(case).status == "active"


def test_two_repairs_of_one_preview_do_not_both_happen(cockpit, case):
    version = cockpit.office.instance(case).version
    cockpit.perform(case, "skip", version=version, token=token(cockpit, case, "a"))
    with pytest.raises(repairs.Moved):
        cockpit.perform(case, "skip", version=version, token=token(cockpit, case, "b"))


def test_repairs_are_listed_with_their_previews(cockpit, case):
    cockpit.perform(case, "skip", token=token(cockpit, case, "a"))
    done = cockpit.office.rows(Repair)[0]
    assert done.preview["before"] != done.preview["after"]
    assert done.reason == "测试"


def test_a_thin_flow_of_two_tasks_is_skipped_to_its_end(cockpit):
    cockpit.office.deploy(two_tasks("q"))
    case = cockpit.office.start("q")
    cockpit.perform(case, "skip", token=token(cockpit, case, "a"))
    cockpit.perform(case, "skip", token=token(cockpit, case, "b"))
    assert cockpit.office.instance(case).status == "completed"
