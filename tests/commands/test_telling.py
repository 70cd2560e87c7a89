"""Telling people: at once or in the morning, reminders by working days, and a mail server that is down."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from service import clock
from service.clock import CHINA
from service.commands.inbox import tasks
from service.commands.people import deputies, telling
from service.models import Instance, Notification, Task
from service.worker import Worker
from tests.commands.conftest import END, START, diagram
from tests.commands.test_duties import refused
from tests.engine.diagrams import ext

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
ASKED = '<zeebe:assignmentDefinition candidateGroups="coop.intake"/><zeebe:taskSchedule dueDate="2026-03-12"/>'
DUE = f'<userTask id="check" name="受理">{ext(ASKED)}</userTask>'


@pytest.fixture
def due(office):
    """A task of Li and Zhao that is due on Thursday of next week; both have an address."""
    office.deploy(diagram(f"{START}{DUE}{END}", "s->check; check->e"))
    with office.database.transaction() as session:
        for one in (office.li, office.zhao):
            office.fresh(session, one).email = f"{one.username}@example.org"
    with clock.travel(MONDAY):
        office.case = office.start()
        office.task_id = office.open(office.case)["check"]
        yield office


def remind(office, at: datetime) -> int:
    with clock.travel(at), office.database.transaction() as session:
        return telling.remind(session, office.li.authority_id, now=clock.now())


def bell(office, user) -> list[str]:
    return [one.text_zh for one in office.rows(Notification, user_id=user.id)]


def day(number: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, number, hour, 0, tzinfo=CHINA)


def test_reminders_come_on_working_days_before_and_after_the_due_day_each_once(due):
    assert remind(due, day(6)) == 0
    assert remind(due, day(7)) == 0  # a Saturday: three working days before is Monday
    assert remind(due, day(9, 8)) == 0  # not before the morning
    assert remind(due, day(9)) == 1
    assert remind(due, day(9, 15)) == 0
    assert remind(due, day(10)) == 0
    assert remind(due, day(11)) == 1
    assert remind(due, day(12)) == 0
    assert remind(due, day(13)) == 1
    assert remind(due, day(19)) == 1
    assert remind(due, day(20)) == 0
    said = bell(due, due.li)
    assert len(said) == 4
    assert "将于 2026-03-12 到期" in said[0]
    assert "已逾期" in said[3]
    assert bell(due, due.zhao) == said


def test_after_a_long_stop_only_the_nearest_reminder_is_given(due):
    assert remind(due, day(20)) == 1
    assert remind(due, day(20, 10)) == 0
    assert len(bell(due, due.li)) == 1


def test_only_the_holder_and_who_stands_in_are_reminded_of_a_task_in_hand(due):
    with due.database.transaction() as session:
        tasks.claim(session, due.task_id, user=due.fresh(session, due.li))
    chen = due.people.user("chen", "coop.assessor", name="陈评")
    with due.database.transaction() as session:
        people = [due.fresh(session, one) for one in (due.li, chen)]
        deputies.appoint(session, *people, user=people[0], first_day=day(2).date(), last_day=day(31).date())
    before = len(bell(due, chen))
    assert remind(due, day(11)) == 1
    assert len(bell(due, due.li)) == 1
    assert len(bell(due, chen)) == before + 1
    assert bell(due, due.zhao) == []


def test_an_administrator_sets_the_days(due):
    def policy(session, before, after, who=due.admin):
        telling.set_policy(session, before, after, user=due.fresh(session, who))

    assert refused(due, lambda s: policy(s, [0], [1])).field == "before"
    assert refused(due, lambda s: policy(s, [1], [1], due.li)).code == "forbidden"
    with due.database.transaction() as session:
        policy(session, [], [2])
    assert remind(due, day(11)) == 0
    assert remind(due, day(13)) == 0
    assert remind(due, day(16)) == 1


def test_each_chooses_by_kind_whether_in_the_bell_and_how_by_mail(due):
    with due.database.transaction() as session:
        telling.choose(session, due.fresh(session, due.li), {"due": (False, "at_once")})
        telling.choose(session, due.fresh(session, due.zhao), {"due": (True, "never")})
    assert remind(due, day(11)) == 1
    assert bell(due, due.li) == []
    (mail,) = due.jobs(kind="mail")
    assert mail.payload["to"] == "li@example.org"
    assert "将于 2026-03-12 到期" in mail.payload["text"]
    assert len(bell(due, due.zhao)) == 1
    assert refused(due, lambda s: telling.choose(s, due.fresh(s, due.li), {"due": (True, "hourly")})).field == "due"


def test_a_digest_puts_the_notices_of_a_day_into_one_mail_on_the_next_working_morning(due):
    remind(due, day(11))
    remind(due, day(13))
    with clock.travel(day(13)), due.database.transaction() as session:
        assert telling.digest(session) == 2  # what came on Wednesday was for Thursday morning
    with clock.travel(day(14)), due.database.transaction() as session:
        assert telling.digest(session) == 0  # Saturday
    with clock.travel(day(16)), due.database.transaction() as session:
        assert telling.digest(session, base_url="https://guohe.example") == 2
        assert telling.digest(session) == 0
    mails = [job for job in due.jobs(kind="mail") if job.payload["to"] == "li@example.org"]
    assert [job.payload["subject"] for job in mails] == ["国合平台通知（1 条）"] * 2
    assert "https://guohe.example/inbox" in mails[1].payload["text"]


def announce(office, at: datetime) -> int:
    with clock.travel(at), office.database.transaction() as session:
        return telling.announce(session, office.li.authority_id, base_url="https://guohe.example")


def digest(office, at: datetime) -> list[str]:
    before = {job.id for job in office.jobs(kind="mail")}
    with clock.travel(at), office.database.transaction() as session:
        telling.digest(session, base_url="https://guohe.example")
    return [job.payload["text"] for job in office.jobs(kind="mail") if job.id not in before]


def test_a_new_task_of_a_group_is_told_once_by_default_in_the_digest_of_the_morning(due):
    with due.database.transaction() as session:
        telling.choose(session, due.fresh(session, due.zhao), {"offered": (True, "never")})
    assert announce(due, day(2, 10)) == 1
    assert announce(due, day(2, 11)) == 0
    with due.database.transaction() as session:
        unread = session.query(Notification).filter(Notification.read_at.is_(None)).all()
        assert [one.user_id for one in unread] == [due.zhao.id], "no bell unless wished for"
    (mail,) = digest(due, day(3))
    assert "新任务“受理”待领取" in mail


def test_a_task_that_somebody_took_meanwhile_is_no_news_in_the_morning(due):
    announce(due, day(2, 10))
    with due.database.transaction() as session:
        tasks.claim(session, due.task_id, user=due.fresh(session, due.zhao))
    assert digest(due, day(3)) == []
    with clock.travel(day(5)):
        due.start()
        assert announce(due, day(9)) == 0, "what is old is no news"


def test_a_flood_of_new_tasks_is_named_in_part_and_counted(due):
    with clock.travel(day(2, 10)):
        for _ in range(22):
            due.start()
    assert announce(due, day(2, 11)) == 23
    mails = digest(due, day(3))
    assert len(mails) == 2
    assert all(mail.count("新任务“受理”") == telling.LISTED and "另有 3 项任务待领取。" in mail for mail in mails)


class Inbox:
    """Takes every message."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(envelope.content)
        return "250 OK"


def test_a_mail_server_that_is_down_is_tried_again_and_only_the_last_failure_is_an_incident(due):
    with due.database.transaction() as session:
        task = session.get_one(Task, due.task_id)
        li = due.fresh(session, due.li)
        telling.choose(session, li, {"due": (True, "at_once")})
        telling._remind(session, task, li, -1, "https://guohe.example")
    due.worker = Worker(due.database, replace(due.settings, smtp_url="smtp://127.0.0.1:9"))
    at = clock.now()
    for attempt in range(telling.MAIL_RETRIES - 1):
        with clock.travel(at):
            due.work()
            at = due.jobs(kind="mail")[0].due_at
        assert due.jobs(kind="mail")[0].status == "queued", attempt
        assert due.incidents(due.case) == []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Inbox(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        due.worker = Worker(due.database, replace(due.settings, smtp_url=f"smtp://127.0.0.1:{port}"))
        with clock.travel(at):
            due.work()
        (message,) = controller.handler.messages
    finally:
        controller.stop()
    read = message_from_bytes(message, policy=policy.default)
    assert read["To"].addresses[0].addr_spec == "li@example.org"
    assert f"https://guohe.example/tasks/{due.task_id}" in read.get_content()
    assert due.jobs(kind="mail")[0].status == "done"
    with due.database.transaction() as session:
        telling.tell(
            session,
            due.fresh(session, due.li),
            "case",
            "又一件",
            "another",
            instance=session.get_one(Instance, due.case),
        )
    due.worker = Worker(due.database, replace(due.settings, smtp_url="smtp://127.0.0.1:9"))
    for _ in range(telling.MAIL_RETRIES):
        at += timedelta(hours=2)
        with clock.travel(at):
            due.work()
    (incident,) = due.incidents(due.case)
    assert (incident.cause, "mail" in incident.message_zh) == ("job_failed", True)
