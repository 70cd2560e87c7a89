"""Cases broken in every way there is: the self-check finds each, with its cause, and only those."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from service import clock
from service.models import DeploymentFile, Job, Membership, Task, User
from service.queries import liveness
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, ext, service, two_tasks, user

CATCH = '<message id="m" name="{name}">' + ext('<zeebe:subscription correlationKey="=caseNumber"/>') + "</message>"


@pytest.fixture
def running(cockpit: Cockpit) -> int:
    """A healthy case: a task with a timer."""
    cockpit.office.deploy(two_tasks())
    return cockpit.office.start()


def healed(cockpit: Cockpit) -> set[str]:
    return {one.cause for _, one in cockpit.check().healed}


def test_a_healthy_case_raises_no_alarm(cockpit, running):
    cockpit.check()
    cockpit.check()
    assert cockpit.causes(running) == set()
    assert cockpit.office.instance(running).status == "active"
    with cockpit.database.transaction(readonly=True) as session:
        assert liveness.findings(session) == []
        assert liveness.suspects(session) == []


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ("DELETE FROM task WHERE instance_id = :id", "lost_task"),
        ("UPDATE task SET status = 'cancelled' WHERE instance_id = :id", "lost_task"),
        ("DELETE FROM job WHERE instance_id = :id", "lost_timer"),
        ("UPDATE job SET status = 'cancelled' WHERE instance_id = :id", "lost_timer"),
        ("UPDATE job SET status = 'done' WHERE instance_id = :id", "lost_timer"),
    ],
)
@pytest.mark.parametrize("checked_before", [True, False])
def test_a_lost_row_is_made_again(cockpit, running, statement, cause, checked_before):
    if checked_before:
        cockpit.check()
    cockpit.sql(statement, id=running)
    assert healed(cockpit) == {cause}
    assert set(cockpit.office.open(running)) == {"a"}
    assert [job.status for job in cockpit.office.jobs(instance_id=running) if job.status == "queued"] == ["queued"]
    assert cockpit.causes(running) == set()
    assert "healed" in cockpit.office.kinds(running)
    assert healed(cockpit) == set()
    cockpit.office.do(running, "a")


def test_everything_lost_at_once_is_made_again(cockpit, running):
    cockpit.check()
    cockpit.sql("DELETE FROM task WHERE instance_id = :id", id=running)
    cockpit.sql("DELETE FROM job WHERE instance_id = :id", id=running)
    with cockpit.database.transaction(readonly=True) as session:
        assert [one.cause for one in liveness.findings(session)] == ["stalled"]
    assert healed(cockpit) == {"lost_task", "lost_timer"}
    assert cockpit.office.instance(running).status == "active"


def test_a_lost_service_job_and_subscription_are_made_again(cockpit, topics):
    @topic_of(topics)
    def act(session, job):
        return {}

    catch = '<receiveTask id="r" messageRef="m"/>'
    cockpit.office.deploy(
        diagram(
            START + '<parallelGateway id="f"/>' + service("act", "act") + catch + END,
            "s -> f -> act -> e; f -> r -> e",
            globals=CATCH.format(name="hello"),
        )
    )
    case = cockpit.office.start()
    cockpit.check()
    cockpit.sql("DELETE FROM job WHERE instance_id = :id", id=case)
    cockpit.sql("DELETE FROM subscription WHERE instance_id = :id", id=case)
    assert healed(cockpit) == {"lost_job", "lost_subscription"}


def topic_of(topics):
    return topics("act")


def test_a_failed_job_without_incident_gets_one(cockpit, topics):
    topic_of(topics)(lambda session, job: {})
    cockpit.office.deploy(diagram(START + service("act", "act") + END, "s -> act -> e"))
    case = cockpit.office.start()
    cockpit.check()
    cockpit.sql("UPDATE job SET status = 'failed', error = 'boom' WHERE instance_id = :id", id=case)
    cockpit.check()
    assert cockpit.causes(case) == {"job_failed"}
    assert "boom" in cockpit.office.incidents(case)[0].message_zh
    cockpit.check()
    assert len(cockpit.office.incidents(case)) == 1
    cockpit.sql("UPDATE job SET status = 'queued', retries = 3 WHERE instance_id = :id", id=case)
    cockpit.check()
    assert cockpit.causes(case) == set()
    assert cockpit.office.instance(case).status == "active"


def test_a_role_that_became_empty_is_found_and_over_when_somebody_joins(cockpit, running):
    for person in (cockpit.office.li, cockpit.office.zhao):
        cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=person.id, no=False)
    cockpit.check()
    assert cockpit.causes(running) == {"no_member"}
    cockpit.check()
    assert len(cockpit.office.incidents(running)) == 1
    cockpit.sql('UPDATE "user" SET active = :yes WHERE id = :id', id=cockpit.office.li.id, yes=True)
    cockpit.check()
    assert cockpit.causes(running) == set()


def test_a_membership_that_ran_out_counts_as_an_empty_role(cockpit, running):
    with cockpit.database.transaction() as session:
        for one in session.scalars(select(Membership).where(Membership.role == "coop.intake")):
            one.until = clock.today() - timedelta(days=1)
    cockpit.check()
    assert cockpit.causes(running) == {"no_member"}


def claim(cockpit: Cockpit, case: int, person: User) -> None:
    from service.commands.inbox import tasks

    task = cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        tasks.claim(session, task, user=cockpit.office.fresh(session, person))


def test_a_leavers_task_goes_back_to_the_others(cockpit, running):
    claim(cockpit, running, cockpit.office.li)
    cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=cockpit.office.li.id, no=False)
    cockpit.check()
    task = cockpit.office.task(cockpit.office.open(running)["a"])
    assert task.assignee_id is None
    assert cockpit.causes(running) == set()
    cockpit.office.do(running, "a", cockpit.office.zhao)


def test_a_leavers_task_that_nobody_else_may_do_is_an_incident(cockpit, running):
    claim(cockpit, running, cockpit.office.li)
    for person in (cockpit.office.li, cockpit.office.zhao):
        cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=person.id, no=False)
    cockpit.check()
    assert cockpit.causes(running) == {"assignee_left"}
    assert cockpit.office.li.name in cockpit.office.incidents(running)[0].message_zh


@pytest.mark.parametrize("damage", ["x", "G1broken", ""])
def test_a_corrupt_state_is_found_without_a_step(cockpit, running, damage):
    cockpit.check()
    cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", id=running, state=damage.encode())
    cockpit.check()
    assert cockpit.causes(running) == {"corrupt_state"}
    cockpit.check()
    assert len(cockpit.office.incidents(running)) == 1


def test_a_state_that_comes_back_closes_its_incident(cockpit, running):
    cockpit.check()
    state = cockpit.office.instance(running).state
    cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", id=running, state=b"x")
    cockpit.check()
    cockpit.sql("UPDATE instance SET state = :state WHERE id = :id", id=running, state=state)
    cockpit.check()
    assert cockpit.causes(running) == set()


def test_a_deployment_whose_files_changed_is_found(cockpit, running):
    with cockpit.database.transaction() as session:
        file = session.scalars(select(DeploymentFile)).one()
        whole, file.content = file.content, b"<definitions/>"
    cockpit.check()
    assert cockpit.causes(running) == {"missing_bundle"}
    with cockpit.database.transaction() as session:
        session.scalars(select(DeploymentFile)).one().content = whole
    cockpit.check()
    assert cockpit.causes(running) == set()


def test_a_task_whose_form_is_missing_is_found(cockpit):
    from tests.cockpit.conftest import form

    with_form = DESK + '<zeebe:formDefinition formId="f1"/>'
    deployment = cockpit.office.deploy(
        diagram(START + user("a", with_form) + END, "s -> a -> e"), f1__form=form("f1", "x")
    )
    case = cockpit.office.start()
    cockpit.check()
    assert cockpit.causes(case) == set()
    from service.commands.procedures import deployments

    with cockpit.database.transaction() as session:
        bundle = deployments.bundle(session, deployment)
    lost = bundle.forms.pop("f1")
    try:
        cockpit.sql("DELETE FROM watch")
        cockpit.check()
        assert cockpit.causes(case) == {"missing_form"}
    finally:
        bundle.forms["f1"] = lost


def test_a_join_whose_branch_has_ended_is_found_beside_living_branches(cockpit):
    """Deployment refuses diagrams with deadlocks, so it takes a token that was put elsewhere."""
    cockpit.office.deploy(
        diagram(
            START + '<parallelGateway id="split"/><parallelGateway id="join"/>'
            + user("a", DESK) + user("b", DESK) + user("c", DESK) + END,
            "s -> split -> a -> join; split -> b -> join; split -> c -> e; join -> e",
        )
    )  # fmt: skip
    case = cockpit.office.start()
    cockpit.office.do(case, "a")
    cockpit.check()
    assert cockpit.causes(case) == set()
    cockpit.perform(case, "move", token=cockpit.office.task(cockpit.office.open(case)["b"]).token, element="c")
    cockpit.check()
    assert cockpit.causes(case) == {"dead_join"}
    assert "等待分支“b”；该分支已于" in cockpit.office.incidents(case)[0].message_zh
    for task_id in [one.id for one in cockpit.office.rows(Task, instance_id=case, status="open")]:
        cockpit.office.complete(task_id)
    cockpit.check()
    assert cockpit.causes(case) == {"dead_join"}
    joined = cockpit.preview(case, "skip", token=cockpit.office.incidents(case)[0].token)
    assert joined.ended
    cockpit.perform(case, "skip", token=cockpit.office.incidents(case)[0].token)
    assert cockpit.office.instance(case).status == "completed"


def ask_and_answer(answers: bool = True) -> tuple[bytes, bytes]:
    """``ask`` starts ``answer`` by a message and waits for its reply."""
    asked = (
        '<message id="asked" name="asked">' + ext('<zeebe:subscription correlationKey="=caseNumber"/>') + "</message>"
    )
    replied = (
        '<message id="replied" name="replied">'
        + ext('<zeebe:subscription correlationKey="=caseNumber"/>')
        + "</message>"
    )
    mapping = ext('<zeebe:ioMapping><zeebe:input source="=caseNumber" target="from"/></zeebe:ioMapping>')
    ask = diagram(
        START
        + f'<sendTask id="tell" messageRef="asked">{mapping}</sendTask><receiveTask id="hear" messageRef="replied"/>'
        + END,
        "s -> tell -> hear -> e",
        pid="ask",
        globals=asked + replied,
    )
    back = '<message id="replied2" name="replied">' + ext('<zeebe:subscription correlationKey="=from"/>') + "</message>"
    begun = '<message id="asked2" name="asked"/>'
    answer = diagram(
        '<startEvent id="s"><messageEventDefinition id="d" messageRef="asked2"/></startEvent>' + user("think", DESK)
        + '<sendTask id="reply" messageRef="replied2"/>' + END,
        "s -> think -> reply -> e",
        pid="answer",
        globals=back + begun,
    )  # fmt: skip
    return ask, answer


def test_a_message_whose_sender_was_terminated_is_found(cockpit):
    cockpit.office.deploy(*ask_and_answer())
    case = cockpit.office.start("ask")
    cockpit.office.work()
    cockpit.check()
    assert cockpit.causes(case) == set()
    other = next(one.id for one in cockpit.office.rows(type(cockpit.office.instance(case))) if one.id != case)
    cockpit.perform(other, "terminate")
    cockpit.check()
    assert cockpit.causes(case) == {"no_sender"}
    assert cockpit.office.instance(other).number in cockpit.office.incidents(case)[0].message_zh
    cockpit.perform(other, "restart", element="reply")
    cockpit.office.work()
    assert cockpit.office.instance(case).status == "completed"


def test_a_message_that_no_diagram_sends_is_found(cockpit):
    cockpit.office.deploy(
        diagram(START + '<receiveTask id="r" messageRef="m"/>' + END, "s -> r -> e", globals=CATCH.format(name="never"))
    )
    case = cockpit.office.start()
    cockpit.check()
    assert cockpit.causes(case) == {"no_sender"}


def test_a_message_with_a_timer_beside_it_is_no_alarm(cockpit):
    timer = '<boundaryEvent id="t" attachedToRef="r"><timerEventDefinition><timeDuration>P9D</timeDuration></timerEventDefinition></boundaryEvent>'
    cockpit.office.deploy(
        diagram(
            START + '<receiveTask id="r" messageRef="m"/>' + timer + END,
            "s -> r -> e; t -> e",
            globals=CATCH.format(name="never"),
        )
    )
    case = cockpit.office.start()
    cockpit.check()
    assert cockpit.causes(case) == set()


def test_a_silent_worker_is_seen_live(cockpit, topics):
    topic_of(topics)(lambda session, job: {})
    cockpit.office.deploy(diagram(START + service("act", "act") + END, "s -> act -> e"))
    case = cockpit.office.start()
    with cockpit.database.transaction() as session:
        session.scalars(select(Job)).one().due_at = clock.now() - timedelta(minutes=1)
    with cockpit.database.transaction(readonly=True) as session:
        assert [(one.cause, one.instance_id) for one in liveness.findings(session)] == [("worker_down", case)]
    cockpit.upkeep.beat()
    with cockpit.database.transaction(readonly=True) as session:
        assert liveness.findings(session) == []
        assert liveness.workers_alive(session) == 1
    with cockpit.database.transaction() as session:
        session.scalars(select(Job)).one().due_at = clock.now() - timedelta(hours=1)
    with cockpit.database.transaction(readonly=True) as session:
        assert [one.cause for one in liveness.findings(session)] == ["job_late"]


def test_a_clock_set_back_is_seen(cockpit, running):
    with clock.travel(clock.now() - timedelta(hours=2)), cockpit.database.transaction(readonly=True) as session:
        assert [one.cause for one in liveness.findings(session)] == ["clock_skew"]


def test_several_faults_at_once_are_each_found(cockpit):
    cockpit.office.deploy(two_tasks())
    cases = [cockpit.office.start() for _ in range(6)]
    cockpit.check()
    cockpit.sql("DELETE FROM task WHERE instance_id = :id", id=cases[0])
    cockpit.sql("UPDATE instance SET state = :s WHERE id = :id", id=cases[1], s=b"no")
    cockpit.sql("DELETE FROM job WHERE instance_id = :id", id=cases[2])
    cockpit.sql("UPDATE job SET status = 'failed' WHERE instance_id = :id", id=cases[3])
    cockpit.sql("DELETE FROM task WHERE instance_id = :id", id=cases[3])
    found = cockpit.check()
    assert {(case, one.cause) for case, one in found.healed} == {
        (cases[0], "lost_task"),
        (cases[2], "lost_timer"),
        (cases[3], "lost_task"),
    }
    assert cockpit.causes(cases[1]) == {"corrupt_state"}
    assert cockpit.causes(cases[3]) == {"job_failed"}
    assert cockpit.causes(cases[4]) == cockpit.causes(cases[5]) == set()


def test_a_task_somebody_else_completes_meanwhile_is_no_fault(cockpit, running):
    cockpit.check()
    cockpit.office.do(running, "a")
    cockpit.office.do(running, "b")
    assert cockpit.check().healed == []
    with cockpit.database.transaction(readonly=True) as session:
        assert session.scalars(select(Task).where(Task.status == "open", Task.name == "b")).all() == []
