from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from service import clock, handlers
from service.commands.administration import repairs
from service.commands.cases import incidents, jobs
from service.models import Event, Incident, Instance, Job, Notification
from service.worker import Worker
from tests.commands.conftest import DESK, END, START, Office, diagram, office, service, topics
from tests.engine.diagrams import ext, user

__all__ = ["office", "topics"]

ROOT = Path(__file__).parent.parent

SERVED = diagram(START + service("w", "t") + user("a", DESK) + END, "s -> w -> a -> e")


def timer(definition: str) -> str:
    return f"<timerEventDefinition>{definition}</timerEventDefinition>"


@pytest.fixture
def at_nine():
    with clock.travel(clock.now()):
        yield


def test_a_service_task_is_done_by_its_handler_and_the_case_goes_on(office: Office, topics):
    seen = []

    @topics("t")
    def handle(session, job):
        seen.append((job.key, job.variables["caseNumber"]))
        return {"grade": "good"}

    office.deploy(SERVED)
    case = office.start()
    (job,) = office.jobs()
    assert office.open(case) == {}
    office.work()
    assert list(office.open(case)) == ["a"]
    assert office.variables(case)["grade"] == "good"
    assert seen == [(f"job-{job.id}", office.instance(case).number)]
    assert office.jobs()[0].status == "done"
    assert "worked" in office.kinds(case)


def test_what_a_handler_writes_is_committed_with_its_step_or_not_at_all(office: Office, topics):
    @topics("t")
    def handle(session, job):
        session.add(
            Notification(
                user_id=office.li.id, instance_id=job.instance_id, text_zh="好", text_en="ok", created_at=job.now
            )
        )
        session.flush()
        if job.variables.get("broken", True):
            raise RuntimeError("half-way")
        return {}

    office.deploy(SERVED)
    office.start()
    office.work()
    assert office.rows(Notification) == []


def test_a_failing_job_is_tried_again_later_and_then_becomes_an_incident(office: Office, topics, at_nine):
    attempts = []

    @topics("t")
    def handle(session, job):
        attempts.append(job.key)
        raise ValueError("模板缺失")

    office.deploy(SERVED)
    case = office.start()
    office.work()
    (job,) = office.jobs()
    assert (job.status, job.retries, len(attempts)) == ("queued", 1, 1)
    assert job.due_at == clock.now() + jobs.back_off(1)
    clock.advance(timedelta(seconds=6))
    office.work()
    (job,) = office.jobs()
    assert (job.status, len(set(attempts))) == ("failed", 1)
    (incident,) = office.incidents(case)
    assert incident.cause == "job_failed"
    assert "模板缺失" in incident.message_zh
    assert "ValueError" in incident.details
    assert office.instance(case).status == "incident"


def test_retrying_an_incident_runs_the_job_again_with_the_same_key(office: Office, topics, at_nine):
    keys, broken = [], [True]

    @topics("t")
    def handle(session, job):
        keys.append(job.key)
        if broken[0]:
            raise ValueError("weg")
        return {}

    office.deploy(SERVED)
    case = office.start()
    office.work()
    clock.advance(timedelta(minutes=1))
    office.work()
    broken[0] = False
    (incident,) = office.incidents(case)
    with office.database.transaction() as session:
        incidents.retry(session, incident.id, user=office.fresh(session, office.admin))
    assert office.instance(case).status == "active"
    office.work()
    assert list(office.open(case)) == ["a"]
    assert len(set(keys)) == 1


def test_retrying_with_a_corrected_variable_gives_the_handler_the_new_value(office: Office, topics, at_nine):
    @topics("t")
    def handle(session, job):
        return {"seen": job.variables["amount"] + 1}

    script = '<scriptTask id="x">' + ext('<zeebe:script expression="=&quot;no number&quot;" resultVariable="amount"/>')
    office.deploy(
        diagram(START + script + "</scriptTask>" + service("w", "t") + user("a", DESK) + END, "s -> x -> w -> a -> e")
    )
    case = office.start()
    office.work()
    clock.advance(timedelta(minutes=1))
    office.work()
    (incident,) = office.incidents(case)
    with office.database.transaction() as session:
        incidents.retry(session, incident.id, user=office.fresh(session, office.admin), variables={"amount": 1})
    office.work()
    assert office.variables(case)["seen"] == 2
    assert office.incidents(case) == []
    assert office.instance(case).status == "active"


def test_a_business_error_takes_its_way_in_the_diagram_and_undoes_what_was_written(office: Office, topics):
    @topics("t")
    def handle(session, job):
        session.add(Notification(user_id=office.li.id, text_zh="好", text_en="ok", created_at=job.now))
        session.flush()
        raise handlers.BusinessError("banned", "禁申期内")

    boundary = '<boundaryEvent id="b" attachedToRef="w"><errorEventDefinition errorRef="err"/></boundaryEvent>'
    office.deploy(
        diagram(
            START + service("w", "t") + boundary + END + '<endEvent id="banned"/>',
            "s -> w -> e; b -> banned",
            globals='<error id="err" errorCode="banned"/>',
        )
    )
    case = office.start()
    office.work()
    assert office.instance(case).end_event == "banned"
    assert office.rows(Notification) == []


def test_a_handler_that_acts_outside_is_recorded_afterwards(office: Office, topics):
    @topics("t", outside=True)
    def handle(job):
        assert not getattr(office.database._open, "yes", False)
        return {"sent": True}

    office.deploy(SERVED)
    case = office.start()
    office.work()
    assert office.variables(case)["sent"] is True


def test_a_crash_between_acting_and_recording_acts_again_with_the_same_key(office: Office, topics, at_nine):
    keys = []

    @topics("t", outside=True)
    def handle(job):
        keys.append(job.key)
        return {}

    office.deploy(SERVED)
    case = office.start()
    with office.database.transaction() as session:  # a worker takes it, acts, and is killed
        (taken,) = jobs.take(session, worker="dead")
    handlers.find("t").function(office.worker._read(taken))
    office.worker.tidy(force=True)
    assert office.work() == 0, "its lease still runs"
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    office.worker.tidy(force=True)
    office.work()
    assert list(office.open(case)) == ["a"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_worker_that_comes_back_late_records_nothing(office: Office, topics, at_nine):
    @topics("t")
    def handle(session, job):
        return {}

    office.deploy(SERVED)
    case = office.start()
    with office.database.transaction() as session:
        (slow,) = jobs.take(session, worker="slow")
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    office.worker.tidy(force=True)
    office.work()
    before = office.instance(case).version
    office.worker.perform(slow)
    assert office.instance(case).version == before
    assert office.kinds(case).count("worked") == 1


def test_a_timer_fires_when_it_is_due_and_not_before(office: Office, at_nine):
    catch = f'<intermediateCatchEvent id="t">{timer("<timeDuration>PT1H</timeDuration>")}</intermediateCatchEvent>'
    office.deploy(diagram(START + catch + user("a", DESK) + END, "s -> t -> a -> e"))
    case = office.start()
    clock.advance(timedelta(minutes=59))
    assert office.work() == 0
    clock.advance(timedelta(minutes=1))
    assert office.work() == 1
    assert list(office.open(case)) == ["a"]
    fired = next(event for event in office.rows(Event, instance_id=case) if event.kind == "fired")
    assert fired.element_id == "t"


def test_a_timer_goes_with_the_task_it_watches(office: Office, at_nine):
    boundary = f'<boundaryEvent id="b" attachedToRef="a">{timer("<timeDuration>P1D</timeDuration>")}</boundaryEvent>'
    office.deploy(diagram(START + user("a", DESK) + boundary + END, "s -> a -> e; b -> e"))
    case = office.start()
    office.do(case, "a")
    assert [job.status for job in office.jobs()] == ["cancelled"]
    clock.advance(timedelta(days=2))
    assert office.work() == 0
    assert office.instance(case).status == "completed"


def test_a_reminder_comes_again_and_again(office: Office, at_nine):
    boundary = (
        f'<boundaryEvent id="b" attachedToRef="a" cancelActivity="false">{timer("<timeCycle>R3/P1D</timeCycle>")}'
        "</boundaryEvent>"
    )
    remind = user("r", DESK)
    office.deploy(diagram(START + user("a", DESK) + boundary + remind + END, "s -> a -> e; b -> r -> e"))
    case = office.start()
    for _ in range(5):
        clock.advance(timedelta(days=1))
        office.work()
    assert office.kinds(case).count("fired") == 3
    with office.database.transaction() as session:
        assert session.get_one(Instance, case).status == "active"


def test_a_start_timer_starts_cases_in_its_rhythm(office: Office, at_nine):
    start = f'<startEvent id="s">{timer("<timeCycle>R/P1D</timeCycle>")}</startEvent>'
    office.deploy(diagram(start + user("a", DESK) + END, "s -> a -> e"))
    assert office.work() == 0
    for expected in (1, 2):
        clock.advance(timedelta(days=1))
        office.work()
        assert len(office.rows(Instance)) == expected


def test_a_suspended_case_keeps_its_jobs_until_it_is_resumed(office: Office, topics):
    @topics("t")
    def handle(session, job):
        return {}

    office.deploy(SERVED)
    case = office.start()
    with office.database.transaction() as session:
        repairs.suspend(session, case, user=office.fresh(session, office.admin), reason="核查")
    assert office.work() == 0
    with office.database.transaction() as session:
        repairs.resume(session, case, user=office.fresh(session, office.admin))
    office.work()
    assert list(office.open(case)) == ["a"]


def test_two_workers_never_take_the_same_job(office: Office, topics):
    done = []

    @topics("t")
    def handle(session, job):
        done.append(job.key)
        return {}

    office.deploy(SERVED)
    for _ in range(12):
        office.start()
    workers = [Worker(office.database, office.settings) for _ in range(4)]

    def work(worker: Worker) -> None:
        while worker.run_due(limit=2):
            pass

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted({*done})
    assert len(done) == 12
    assert {job.status for job in office.jobs()} == {"done"}


def test_a_job_that_kills_its_workers_is_given_up(office: Office, topics, at_nine):
    office.deploy(SERVED)
    case = office.start()
    with office.database.transaction() as session:
        session.execute(update(Job).values(attempts=jobs.MAX_CRASHES - 1))
    with office.database.transaction() as session:
        jobs.take(session, worker="dead")
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    office.worker.tidy(force=True)
    assert [one.cause for one in office.incidents(case)] == ["job_failed"]
    assert [job.status for job in office.jobs()] == ["failed"]


def test_a_long_job_keeps_its_lease_while_its_worker_lives(office: Office, topics):
    worker = Worker(office.database, office.settings, lease=timedelta(seconds=0.6))
    done = []

    @topics("t", outside=True)
    def handle(job):
        time.sleep(1.2)
        done.append(job.key)
        return {}

    office.deploy(SERVED)
    case = office.start()
    stop = threading.Event()
    with worker.beating(stop):
        thread = threading.Thread(target=worker.run_due)
        thread.start()
        while thread.is_alive():
            office.worker.tidy(force=True)
            time.sleep(0.1)
    assert len(done) == 1
    assert list(office.open(case)) == ["a"]


def test_the_thread_of_the_server_does_a_job_as_soon_as_it_is_there(office: Office, topics):
    @topics("t")
    def handle(session, job):
        return {}

    office.deploy(SERVED)
    stop = threading.Event()
    thread = threading.Thread(target=office.worker.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        case = office.start()
        deadline = time.monotonic() + 5
        while not office.open(case) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(office.open(case)) == ["a"]
    finally:
        stop.set()
        thread.join()


def test_an_instance_that_waits_for_a_person_leaves_no_job(office: Office):
    office.deploy(diagram(START + user("a", DESK) + END, "s -> a -> e"))
    office.start()
    assert office.jobs() == []
    assert office.rows(Incident) == []


def test_a_worker_process_fires_timers_within_two_seconds_and_does_jobs_at_once(office: Office, tmp_path):
    catch = f'<intermediateCatchEvent id="t">{timer("<timeDuration>PT4S</timeDuration>")}</intermediateCatchEvent>'
    notify = service(
        "n",
        "notify",
        '<zeebe:taskHeaders><zeebe:header key="to" value="coop.intake"/></zeebe:taskHeaders>'
        '<zeebe:ioMapping><zeebe:input source="=caseNumber" target="noteTitle"/></zeebe:ioMapping>',
    )
    office.deploy(diagram(START + notify + catch + user("a", DESK) + END, "s -> n -> t -> a -> e"))
    environment = {
        **os.environ,
        "DATABASE_URL": office.database.url.render_as_string(hide_password=False),
        "GUOHE_DATA": str(tmp_path / "data"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "worker"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert "running" in process.stdout.readline()
        time.sleep(1)
        cases = [office.start() for _ in range(5)]
        deadline = time.monotonic() + 30
        while not all(office.open(case) for case in cases):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    for case in cases:
        events = {event.kind: event for event in office.rows(Event, instance_id=case)}
        assert events["worked"].at - events["started"].at < timedelta(seconds=2)
        late = events["fired"].at - datetime.fromisoformat(events["fired"].data["due"])
        assert timedelta(0) <= late < timedelta(seconds=2), late
