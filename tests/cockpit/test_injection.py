"""Faults in every way and in combinations, amid healthy cases: all found within a minute, each with its cause."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service import clock
from service.commands.inbox import tasks
from service.models import (
    DeploymentFile,
    Deputy,
    Event,
    Exclusion,
    Incident,
    Instance,
    Job,
    Membership,
    Organisation,
    User,
)
from service.queries import liveness
from service.upkeep import Upkeep
from tests.cockpit.conftest import DESK, END, START, Cockpit, diagram, ext, form, service, user
from tests.cockpit.test_faults import ask_and_answer
from tests.engine.diagrams import script

NOW = datetime(2026, 5, 8, 2, 0, tzinfo=UTC)
MINUTE = 60
KEYED = '<message id="{id}" name="{name}">' + ext('<zeebe:subscription correlationKey="=caseNumber"/>') + "</message>"


def rich() -> bytes:
    """A case that waits in every way at once: for a person, a timer, a worker, a message, and a called process."""
    soon = "<timerEventDefinition><timeDuration>P3D</timeDuration></timerEventDefinition>"
    return diagram(
        START + '<parallelGateway id="fork"/><parallelGateway id="join"/>'
        + user("a", DESK) + user("late", DESK) + service("act", "act") + '<receiveTask id="hear" messageRef="m"/>'
        + f'<boundaryEvent id="soon" attachedToRef="a" cancelActivity="false">{soon}</boundaryEvent>'
        + f'<callActivity id="call">{ext("""<zeebe:calledElement processId="inner"/>""")}</callActivity>' + END,
        "s -> fork -> a -> join -> e; fork -> act -> join; fork -> hear -> join; fork -> call -> join; soon -> late -> e",
        pid="rich",
        globals=KEYED.format(id="m", name="replied"),
    )  # fmt: skip


def inner() -> bytes:
    return diagram(START + user("inside", DESK) + END, "s -> inside -> e", pid="inner")


def teller() -> bytes:
    """Anybody may start it, and it says what ``rich`` waits for."""
    return diagram(
        START + '<sendTask id="tell" messageRef="m"/>' + END, "s -> tell -> e", pid="teller",
        globals=KEYED.format(id="m", name="replied"),
    )  # fmt: skip


def of_role(pid: str, role: str) -> bytes:
    """A task of one role."""
    assigned = f'<zeebe:assignmentDefinition candidateGroups="{role}"/>'
    return diagram(START + user("a", assigned) + END, "s -> a -> e", pid=pid)


def for_name(pid: str, name: str) -> bytes:
    """A task of one person."""
    assigned = f'<zeebe:assignmentDefinition assignee="{name}"/>'
    return diagram(START + user("a", assigned) + END, "s -> a -> e", pid=pid)


def going_wrong(pid: str, wrong: str, arrows: str = "s -> a -> wrong -> b -> e") -> bytes:
    """After ``a`` comes something that cannot be done."""
    return diagram(START + user("a", DESK) + wrong + user("b", DESK) + END, arrows, pid=pid)


UNKNOWN_CALL = f'<callActivity id="wrong">{ext("""<zeebe:calledElement processId="=goal"/>""")}</callActivity>'
NO_FLOW = '<exclusiveGateway id="wrong"/>'
JOINED = diagram(
    START + '<parallelGateway id="split"/><parallelGateway id="join"/>'
    + user("a", DESK) + user("b", DESK) + user("c", DESK) + END,
    "s -> split -> a -> join; split -> b -> join; split -> c -> e; join -> e",
    pid="joined",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A way to break a case. ``how`` it is told: a row made again, an incident, or seen live."""

    name: str
    process: str
    cause: str
    how: str
    inject: Callable[[Cockpit, int], None]
    also: str = ""

    @property
    def causes(self) -> set[str]:
        return {self.cause, self.also} - {""}


def sql(statement: str, **values: object) -> Callable[[Cockpit, int], None]:
    return lambda cockpit, case: cockpit.sql(statement, id=case, **values)


def _claimed_by_a_leaver(cockpit: Cockpit, case: int) -> None:
    leaver, task = cockpit.office.people.user(f"leaver{case}", "coop.intake"), cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        tasks.claim(session, task, user=cockpit.office.fresh(session, leaver))
    cockpit.sql('UPDATE "user" SET active = :no WHERE id = :id', id=leaver.id, no=False)


def _claimed_by_the_only_one(cockpit: Cockpit, case: int) -> None:
    task = cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        only = session.scalars(select(User).where(User.username == "only")).one()
        tasks.claim(session, task, user=only)
        only.active = False


def _membership_over(cockpit: Cockpit, case: int) -> None:
    with cockpit.database.transaction() as session:
        for one in session.scalars(select(Membership).where(Membership.role == "torch.organiser")):
            one.until = clock.today() - timedelta(days=1)


def _on_leave(cockpit: Cockpit, case: int) -> None:
    """The only signatory is away, and the deputy may not sign."""
    today = clock.today()
    with cockpit.database.transaction() as session:
        away = session.scalars(select(User).where(User.username == "away")).one()
        other = session.scalars(select(User).where(User.username == "beside")).one()
        session.add(
            Deputy(
                authority_id=away.authority_id, principal_id=away.id, deputy_id=other.id, first_day=today,
                last_day=today + timedelta(days=5), signs=False, created_at=clock.now(), created_by_id=away.id,
            )
        )  # fmt: skip


def _kept_away(cockpit: Cockpit, case: int) -> None:
    """Both who could do it must keep away from it."""
    task = cockpit.office.open(case)["a"]
    with cockpit.database.transaction() as session:
        for person in (cockpit.office.li, cockpit.office.zhao):
            session.add(Exclusion(task_id=task, user_id=person.id, kind="acted"))


def _office_closed(cockpit: Cockpit, case: int) -> None:
    with cockpit.database.transaction() as session:
        session.scalars(select(Organisation).where(Organisation.code == "secretariat")).one().active = False


def _partner_gone(cockpit: Cockpit, case: int) -> None:
    with cockpit.database.transaction() as session:
        other = session.scalars(
            select(Instance.id)
            .where(Instance.process_id == "answer", Instance.ended_at.is_(None))
            .order_by(Instance.id)
        ).first()
    cockpit.perform(other, "terminate")


def _branch_gone(cockpit: Cockpit, case: int) -> None:
    cockpit.office.do(case, "a")
    cockpit.perform(case, "move", token=cockpit.office.task(cockpit.office.open(case)["b"]).token, element="c")


def _go_wrong(cockpit: Cockpit, case: int) -> None:
    cockpit.office.do(case, "a")


def _lost_incident(cockpit: Cockpit, case: int) -> None:
    cockpit.office.do(case, "a")
    cockpit.sql("DELETE FROM incident WHERE instance_id = :id", id=case)


def _files_changed(cockpit: Cockpit, case: int) -> None:
    with cockpit.database.transaction() as session:
        deployment = session.get_one(Instance, case).deployment_id
        session.scalars(select(DeploymentFile).where(DeploymentFile.deployment_id == deployment)).first().content = b""


GONE: list[tuple[dict, dict]] = []
"""Forms that were taken out of a bundle, which all tests of a process share, and what was in them."""


def _form_gone(cockpit: Cockpit, case: int) -> None:
    from service.commands.procedures import deployments

    with cockpit.database.transaction() as session:
        bundle = deployments.bundle(session, session.get_one(Instance, case).deployment_id)
    GONE.append((bundle.forms, dict(bundle.forms)))
    bundle.forms.clear()
    cockpit.sql("DELETE FROM watch WHERE instance_id = :id", id=case)


def _retries_exhausted(cockpit: Cockpit, case: int) -> None:
    """A worker that takes the job twice, and fails twice."""
    from service.commands.cases import jobs

    for _ in range(2):
        cockpit.sql("UPDATE job SET due_at = created_at WHERE instance_id = :id AND topic = 'act'", id=case)
        with cockpit.database.transaction() as session:
            job_id = session.scalars(select(Job.id).where(Job.instance_id == case, Job.topic == "act")).one()
            taken = jobs.take_one(session, job_id, worker="w")
            jobs.fail(session, taken, RuntimeError("boom"))


def _overdue_without_job(cockpit: Cockpit, case: int) -> None:
    past = clock.now() - timedelta(days=1)
    cockpit.sql(
        "UPDATE job SET due_at = :past WHERE instance_id = :id AND kind = 'timer'", id=case, past=_bare(cockpit, past)
    )
    cockpit.sql("DELETE FROM job WHERE instance_id = :id AND kind = 'timer'", id=case)


def _bare(cockpit: Cockpit, at: datetime) -> datetime | str:
    return at.replace(tzinfo=None).isoformat(" ") if cockpit.database.sqlite else at


def _late(cockpit: Cockpit, case: int) -> None:
    """Due for an hour, and the living worker does not come to it."""
    at = _bare(cockpit, clock.now() - timedelta(hours=1))
    cockpit.sql("UPDATE job SET due_at = :at WHERE instance_id = :id AND kind = 'timer'", id=case, at=at)


def _from_the_future(cockpit: Cockpit, case: int) -> None:
    at = _bare(cockpit, clock.now() + timedelta(hours=1))
    cockpit.sql("UPDATE instance SET updated_at = :at WHERE id = :id", id=case, at=at)


def _stray_task(cockpit: Cockpit, case: int) -> None:
    """Somebody would even do it."""
    cockpit.sql(STRAY_TASK, id=case)
    cockpit.sql(
        "INSERT INTO task_candidate (task_id, organisation_id, role, claimed, due_sort)"
        " SELECT t.id, c.organisation_id, c.role, c.claimed, c.due_sort FROM task t, task_candidate c"
        " JOIN task a ON a.id = c.task_id WHERE t.instance_id = :id AND t.element_id = 'ghost'"
        " AND a.instance_id = :id AND a.element_id = 'a'",
        id=case,
    )


STRAY_TASK = (
    "INSERT INTO task (authority_id, instance_id, token, element_id, process_id, name, documentation, properties,"
    " status, due_sort, priority, created_at, version) SELECT authority_id, instance_id, 999, 'ghost', process_id,"
    " 'ghost', '', properties, 'open', due_sort, priority, created_at, 1 FROM task"
    " WHERE instance_id = :id AND element_id = 'a'"
)
STRAY_JOB = (
    "INSERT INTO job (authority_id, instance_id, token, element_id, process_id, kind, topic, status, due_at, attempts,"
    " retries, payload, created_at) SELECT authority_id, instance_id, 998, 'soon', process_id, kind, topic, 'queued',"
    " due_at, 0, 3, payload, created_at FROM job WHERE instance_id = :id AND kind = 'timer'"
)
STATE = "UPDATE instance SET state = :state WHERE id = :id"

FAULTS = (
    Fault("task deleted", "rich", "lost_task", "healed", sql("DELETE FROM task WHERE instance_id = :id AND element_id = 'a'")),
    Fault("task cancelled", "rich", "lost_task", "healed", sql("UPDATE task SET status = 'cancelled' WHERE instance_id = :id AND element_id = 'inside'")),
    Fault("timer deleted", "rich", "lost_timer", "healed", sql("DELETE FROM job WHERE instance_id = :id AND kind = 'timer'")),
    Fault("timer done", "rich", "lost_timer", "healed", sql("UPDATE job SET status = 'done' WHERE instance_id = :id AND kind = 'timer'")),
    Fault("timer overdue without a job", "rich", "lost_timer", "healed", _overdue_without_job),
    Fault("job deleted", "rich", "lost_job", "healed", sql("DELETE FROM job WHERE instance_id = :id AND topic = 'act'")),
    Fault("job cancelled", "rich", "lost_job", "healed", sql("UPDATE job SET status = 'cancelled' WHERE instance_id = :id AND topic = 'act'")),
    Fault("subscription deleted", "rich", "lost_subscription", "healed", sql("DELETE FROM subscription WHERE instance_id = :id")),
    Fault("stray task", "rich", "stray_row", "healed", _stray_task),
    Fault("stray timer", "rich", "stray_row", "healed", sql(STRAY_JOB)),
    Fault("incident deleted", "no_flow", "lost_incident", "healed", _lost_incident, also="no-flow"),
    Fault("claimed by a leaver", "rich", "released", "healed", _claimed_by_a_leaver),
    Fault("job failed silently", "rich", "job_failed", "incident", sql("UPDATE job SET status = 'failed', error = 'boom' WHERE instance_id = :id AND topic = 'act'")),
    Fault("retries exhausted", "rich", "job_failed", "incident", _retries_exhausted),
    Fault("state emptied", "rich", "corrupt_state", "incident", sql(STATE, state=b"")),
    Fault("state overwritten", "rich", "corrupt_state", "incident", sql(STATE, state=b"G1 nonsense")),
    Fault("state cut", "rich", "corrupt_state", "incident", lambda c, case: sql(STATE, state=c.office.instance(case).state[:40])(c, case)),
    Fault("a bit flipped", "rich", "corrupt_state", "incident", lambda c, case: sql(STATE, state=_flipped(c.office.instance(case).state))(c, case)),
    Fault("only holder has left", "lonely", "assignee_left", "incident", _claimed_by_the_only_one),
    Fault("membership over", "torch", "no_member", "incident", _membership_over),
    Fault("organisation closed", "closed", "no_member", "incident", _office_closed),
    Fault("named person has left", "named", "assignee_left", "incident", lambda c, case: c.sql('UPDATE "user" SET active = :no WHERE username = \'named\'', no=False)),
    Fault("on leave, not lent", "signing", "all_absent", "incident", _on_leave),
    Fault("all kept away", "desk", "all_excluded", "incident", _kept_away),
    Fault("partner terminated", "ask", "no_sender", "incident", _partner_gone),
    Fault("branch ended", "joined", "dead_join", "incident", _branch_gone),
    Fault("form missing", "formed", "missing_form", "incident", _form_gone),
    Fault("files changed", "filed", "missing_bundle", "incident", _files_changed),
    Fault("call to a missing process", "calling", "reference", "incident", _go_wrong),
    Fault("no flow matches", "no_flow", "no-flow", "incident", _go_wrong),
    Fault("expression fails", "computing", "expression", "incident", _go_wrong),
    Fault("job late", "rich", "job_late", "live", _late),
    Fault("clock set back", "rich", "clock_skew", "live", _from_the_future),
)  # fmt: skip
HIDES = frozenset({"corrupt_state"})
"""What a state that cannot be read keeps from being noticed: whatever is held against it."""
CLASH = {
    frozenset(pair)
    for pair in (
        ("task deleted", "stray task"), ("task deleted", "claimed by a leaver"), ("timer deleted", "stray timer"),
        ("timer overdue without a job", "stray timer"), ("timer done", "job late"), ("timer deleted", "job late"),
        ("timer overdue without a job", "job late"), ("timer deleted", "timer done"),
        ("timer deleted", "timer overdue without a job"), ("timer done", "timer overdue without a job"),
        ("job deleted", "job cancelled"), ("job deleted", "job failed silently"), ("job deleted", "retries exhausted"),
        ("job cancelled", "job failed silently"), ("job cancelled", "retries exhausted"),
        ("job failed silently", "retries exhausted"),
        # A row that is made again changes the case now.
        *(("clock set back", one.name) for one in FAULTS if one.how == "healed"),
    )
}  # fmt: skip
"""Two that are one, or of which one undoes the other."""


def _flipped(state: bytes) -> bytes:
    middle = len(state) // 2
    return state[:middle] + bytes([state[middle] ^ 0x10]) + state[middle + 1 :]


@pytest.fixture
def ministry(cockpit: Cockpit, topics) -> Iterator[Cockpit]:
    """All the processes, and people of their own for those that lose theirs."""
    topics("act")(lambda session, job: {})
    people = cockpit.office.people
    people.user("only", "torch.signatory")
    people.user("organiser", "torch.organiser")
    people.user("officer", "secretariat.officer")
    people.user("named", "coop.assessor")
    people.user("away", "coop.signatory")
    people.user("beside", "coop.organiser")
    cockpit.office.deploy(
        rich(), inner(), teller(), JOINED, *ask_and_answer(),
        of_role("lonely", "torch.signatory"), of_role("torch", "torch.organiser"), of_role("closed", "secretariat.officer"),
        for_name("named", "named"), of_role("signing", "coop.signatory"), of_role("desk", "coop.intake"),
        going_wrong("calling", UNKNOWN_CALL),
        going_wrong("no_flow", NO_FLOW, "s -> a -> wrong; wrong -[=x = 1]-> b; wrong -[=x = 2]-> e; b -> e"),
        going_wrong("computing", script("wrong", '"text" + 1 > date("no")', "y")),
    )  # fmt: skip
    cockpit.office.deploy(
        diagram(START + user("a", DESK + '<zeebe:formDefinition formId="f1"/>') + END, "s -> a -> e", pid="formed"),
        f1__form=form("f1", "x"),
    )
    cockpit.office.deploy(of_role("filed", "coop.intake"))
    yield cockpit
    for forms, content in GONE:
        forms.update(content)
    GONE.clear()


def population(ministry: Cockpit) -> tuple[dict[int, tuple[Fault, ...]], list[int]]:
    """A case for each fault, one for each two that go together, and healthy ones; all of them looked at."""
    together = [
        pair
        for pair in itertools.combinations([one for one in FAULTS if one.process == "rich"], 2)
        if frozenset(one.name for one in pair) not in CLASH and not all(one.cause in HIDES for one in pair)
    ]
    broken: dict[int, tuple[Fault, ...]] = {}
    for faults in [*((one,) for one in FAULTS), *together]:
        broken[ministry.office.start(faults[0].process)] = faults
    healthy = [ministry.office.start(process) for process in ("rich", "joined", "no_flow") for _ in range(5)]
    with ministry.database.transaction() as session:
        waiting = session.scalars(select(Job.id).where(Job.kind == "message")).all()
    for job_id in waiting:  # ``ask`` has asked, and its partner has begun
        ministry.office.worker.run_one(job_id)
    return broken, healthy


def told(ministry: Cockpit, since: int) -> dict[int, set[str]]:
    """What has been said about each case: rows made again, incidents, and what is seen live."""
    found: dict[int, set[str]] = {}
    with ministry.database.transaction(readonly=True) as session:
        for event in session.scalars(select(Event).where(Event.id > since, Event.kind.in_(("healed", "released")))):
            found.setdefault(event.instance_id, set()).add(
                event.data["cause"] if event.kind == "healed" else "released"
            )
        for case, cause in session.execute(
            select(Incident.instance_id, Incident.cause).where(Incident.resolved_at.is_(None))
        ):
            found.setdefault(case, set()).add(cause)
        for one in liveness.findings(session):
            found.setdefault(one.instance_id, set()).add(one.cause)
    return found


def test_every_fault_and_every_two_are_found_within_a_minute_and_nothing_else(ministry):
    with clock.travel(NOW):
        broken, healthy = population(ministry)
        seconds = 0.0
        upkeep = Upkeep(ministry.database, ministry.office.settings, "watch", ticks=lambda: seconds)
        upkeep.round()
        with ministry.database.transaction(readonly=True) as session:
            since = max(session.scalars(select(Event.id)))
        assert told(ministry, since) == {}
        expected: dict[int, set[str]] = {}
        for case, faults in broken.items():
            for fault in sorted(faults, key=lambda one: one.how == "live" or one.cause in HIDES):
                fault.inject(ministry, case)
            causes = set().union(*(one.causes for one in faults))
            if causes & HIDES:
                causes = {
                    one.cause for one in faults if one.how != "healed" or one.cause in ("corrupt_state", "released")
                }
            expected[case] = causes
        found: dict[int, set[str]] = {}
        while found != expected and seconds < MINUTE:
            seconds += 5
            clock.advance(timedelta(seconds=5))
            upkeep.round()
            found = told(ministry, since)
        names = {case: [one.name for one in faults] for case, faults in broken.items()}
        missed = {
            (str(names[case]), str(causes - found.get(case, set())))
            for case, causes in expected.items()
            if causes - found.get(case, set())
        }
        wrong = {
            (str(names.get(case, case)), str(causes - expected.get(case, set())))
            for case, causes in found.items()
            if causes - expected.get(case, set())
        }
        assert not missed | wrong, f"missed: {sorted(missed)}\nfalse: {sorted(wrong)}"
        assert not set(found) & set(healthy)


TO_LI = {"kind": "reassign", "assignee": "li"}
REPAIRS: dict[str, dict] = {
    "job failed silently": {"kind": "retry"},
    "retries exhausted": {"kind": "retry"},
    "state emptied": {"kind": "terminate"},
    "only holder has left": TO_LI,
    "membership over": TO_LI,
    "organisation closed": TO_LI,
    "named person has left": TO_LI,
    "on leave, not lent": TO_LI,
    "all kept away": {"kind": "reassign", "assignee": "beside"},
    "partner terminated": {"kind": "message", "variables": {}},
    "branch ended": {"kind": "skip", "variables": {}},
    "form missing": {"kind": "skip", "variables": {}},
    "files changed": {"kind": "terminate"},
    "call to a missing process": {"kind": "skip", "variables": {}},
    "no flow matches": {"kind": "retry_with", "variables": {"x": 1}},
    "expression fails": {"kind": "skip", "variables": {}},
}


def test_the_repair_of_each_incident_leads_to_a_live_case(ministry):
    with clock.travel(NOW):
        ministry.upkeep.beat()
        for fault in FAULTS:
            if fault.name not in REPAIRS:
                continue
            case = ministry.office.start(fault.process)
            for job in ministry.office.jobs(instance_id=case, kind="message"):
                ministry.office.worker.run_one(job.id)
            fault.inject(ministry, case)
            ministry.check()
            (incident,) = ministry.office.incidents(case)
            assert incident.cause == fault.cause, fault.name
            how = dict(REPAIRS[fault.name])
            kind = how.pop("kind")
            ministry.perform(case, kind, **({} if kind == "terminate" else {"token": incident.token}), **how)
            ministry.check()
            assert ministry.causes(case) == set(), fault.name
            assert ministry.office.instance(case).status in ("active", "completed", "terminated"), fault.name
            with ministry.database.transaction(readonly=True) as session:
                assert liveness.findings(session, instance_id=case) == [], fault.name
    assert {one.cause for one in FAULTS if one.how == "incident"} == {
        one.cause for one in FAULTS if one.name in REPAIRS
    }
