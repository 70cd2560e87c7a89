"""Repairs: what was previewed is what happens, and an undo brings back what was."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service import clock, errors
from service.commands import repairs, snapshots
from service.db import Database
from service.models import Draft, Event, Instance, Job, Repair, Task, User
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, form, two_tasks, user
from tests.conftest import People, build

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
    from service.commands import tasks

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


# Whatever is done, in whatever order: dry run = real run, and undo = before.


@pytest.fixture(scope="module")
def theatre():
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'guohe.db'}", synchronous="OFF")
        build(database)
        from tests.commands.conftest import Office

        office = Office(database, People(database), Path(folder) / "data")
        office.deploy(WIDE)
        yield Cockpit(office)
        database.close()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["move", "skip", "variables", "extend", "fire", "complete", "suspend", "resume", "terminate", "restart", "back", "release", "offer"]),
        st.integers(0, 5),
        st.sampled_from(ELEMENTS),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_the_preview_is_what_happens_and_an_undo_brings_back_what_was(theatre, acts):
    now = clock.now()
    with clock.travel(now):
        case = theatre.office.start()
        for kind, which, element, undone in acts:
            clock.advance(timedelta(minutes=1))
            _act(theatre, case, kind, which, element, undone)
        assert {one.cause for _, one in theatre.upkeep.check().healed} == set()


def _act(theatre: Cockpit, case: int, kind: str, which: int, element: str, undone: bool) -> None:
    if kind == "complete":
        open_ = sorted(theatre.office.open(case).items())
        if open_ and theatre.office.instance(case).status in ("active", "incident"):
            theatre.office.complete(open_[which % len(open_)][1])
        return
    with theatre.database.transaction(readonly=True) as session:
        tokens = sorted(
            set(session.scalars(select(Task.token).where(Task.instance_id == case, Task.status == "open")))
            | {
                one
                for one in session.scalars(select(Job.token).where(Job.instance_id == case, Job.status == "queued"))
                if one is not None
            }
        )
    parameters = {
        "token": tokens[which % len(tokens)] if tokens else 0,
        "element": element,
        "variables": {"x": which},
        "due": (clock.now() + timedelta(days=which + 1)).isoformat(),
    }
    if kind in ("variables", "terminate", "suspend", "resume"):
        del parameters["token"]
    before, rows = theatre.office.instance(case), rows_of(theatre, case)
    try:
        shown = theatre.preview(case, kind, **parameters)
    except errors.ServiceError as refused:
        with pytest.raises(type(refused)):
            theatre.perform(case, kind, **parameters)
        assert theatre.office.instance(case).state == before.state
        return
    done = theatre.perform(case, kind, version=shown.version, **parameters)
    after = theatre.office.instance(case)
    if shown.state:
        assert repairs.fingerprint(after.state) == shown.state
        waiting = {(one["token"], one["kind"]) for one in shown.after if one["kind"] in ("task", "timer")}
        with theatre.database.transaction(readonly=True) as session:
            tasks = session.scalars(select(Task.token).where(Task.instance_id == case, Task.status == "open"))
            timers = session.scalars(
                select(Job.token).where(Job.instance_id == case, Job.status == "queued", Job.kind == "timer")
            )
            assert waiting == {(one, "task") for one in tasks} | {(one, "timer") for one in timers}
        assert (after.ended_at is not None) == shown.ended
    if undone:
        theatre.undo(done.id)
        assert theatre.office.instance(case).state == before.state
        assert rows_of(theatre, case) == rows


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
