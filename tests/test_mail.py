"""Mail goes out once per job: by a real SMTP server, or into the mailbox folder."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from service import mail

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


class Inbox:
    """What the server of the test took; it refuses the addresses in ``refuses``."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuses: set[str] = set()

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refuses:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp_url(inbox: Inbox) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def message(**changes: str) -> EmailMessage:
    values = {
        "to": "li@example.org",
        "subject": "待办提醒",
        "text": "请审核申报材料。\n",
        "key": "job-7",
        "name": "李审核",
    }
    return mail.compose(**{**values, **changes}, at=NOW)


def test_a_chinese_message_arrives_readable(smtp_url: str, inbox: Inbox, tmp_path: Path) -> None:
    mail.send(message(), smtp_url=smtp_url, mailbox=tmp_path)

    (received,) = inbox.messages
    assert received["Subject"] == "待办提醒"
    assert received["To"] == "李审核 <li@example.org>"
    assert received.get_content().strip() == "请审核申报材料。"
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_runs_twice_sends_the_same_message_id(smtp_url: str, inbox: Inbox, tmp_path: Path) -> None:
    for _ in range(2):
        mail.send(message(), smtp_url=smtp_url, mailbox=tmp_path)
    mail.send(message(key="job-8"), smtp_url=smtp_url, mailbox=tmp_path)

    ids = [received["Message-ID"] for received in inbox.messages]
    assert ids[0] == ids[1] != ids[2]


def test_without_a_server_the_message_becomes_one_file(tmp_path: Path) -> None:
    for _ in range(2):
        mail.send(message(), smtp_url=None, mailbox=tmp_path / "mailbox")

    (file,) = (tmp_path / "mailbox").iterdir()
    received = message_from_bytes(file.read_bytes(), policy=default)
    assert file.suffix == ".eml"
    assert received["Subject"] == "待办提醒"
    assert received["Date"].datetime == NOW


def test_line_breaks_in_a_subject_or_name_add_no_header(smtp_url: str, inbox: Inbox, tmp_path: Path) -> None:
    mail.send(message(subject="通知\r\nBcc: all@example.org", name="李\n审核"), smtp_url=smtp_url, mailbox=tmp_path)

    (received,) = inbox.messages
    assert received["Bcc"] is None
    assert received["Subject"] == "通知 Bcc: all@example.org"


def test_a_refused_recipient_is_an_error_that_says_so(smtp_url: str, inbox: Inbox, tmp_path: Path) -> None:
    inbox.refuses.add("li@example.org")
    with pytest.raises(mail.MailRefused, match="no such user"):
        mail.send(message(), smtp_url=smtp_url, mailbox=tmp_path)


@pytest.mark.parametrize("url", ["localhost:25", "http://127.0.0.1", "smtp://"])
def test_a_wrong_smtp_url_says_what_it_should_look_like(url: str, tmp_path: Path) -> None:
    with pytest.raises(mail.MailRefused, match="SMTP_URL must look like"):
        mail.send(message(), smtp_url=url, mailbox=tmp_path)


def test_an_absent_server_is_an_error_and_not_a_lost_message(tmp_path: Path) -> None:
    with pytest.raises(mail.MailRefused, match="did not take the message"):
        mail.send(message(), smtp_url="smtp://127.0.0.1:9", mailbox=tmp_path)
