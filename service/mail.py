"""Send mail: by the server that ``SMTP_URL`` names, or – without one – as ``.eml`` files into the mailbox folder.

A message's id comes from the key of the job that sends it. A job that runs twice overwrites its own file, or sends a
second copy that carries the same ``Message-ID`` and that mail systems therefore show once.
"""

from __future__ import annotations

import hashlib
import os
import re
import smtplib
import ssl
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

DOMAIN = "guohe.invalid"
"""Right side of message ids and of the default sender: a name that can never be anybody's (RFC 6761)."""

SENDER = f"no-reply@{DOMAIN}"
NAMES = ("国合基地管理系统", "Guohe, bases for international S&T cooperation")
"""Who sends, in Chinese and in English."""
TIMEOUT = 20


class MailRefused(Exception):
    """The mail server did not take the message, or could not be reached; the sentence says what to check."""


def compose(
    *,
    to: str,
    subject: str,
    text: str,
    key: str,
    at: datetime,
    name: str = "",
    sender: str = SENDER,
    english: bool = False,
) -> EmailMessage:
    """A plain-text message to one person. Line breaks never get into a header."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(subject)
    message["From"] = Address(NAMES[english], addr_spec=sender)
    message["To"] = Address(_one_line(name), addr_spec=_one_line(to))
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(key)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="base64")
    return message


def message_id(key: str) -> str:
    """The id of the message that the job of this key sends, always the same."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{DOMAIN}>"


def send(message: EmailMessage, *, smtp_url: str | None, mailbox: Path) -> None:
    """Hand the message to the mail server, or put it into the mailbox folder where no server is set."""
    if smtp_url:
        _submit(message, smtp_url)
    else:
        _file(message, mailbox)


def _submit(message: EmailMessage, url: str) -> None:
    """``smtp://[user:password@]host[:port][?starttls=1]`` or ``smtps://…``."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise MailRefused("SMTP_URL must look like smtp://user:password@host:port or smtps://host.")
    options = parse_qs(parts.query)
    try:
        with _connect(parts.scheme, parts.hostname, parts.port) as server:
            if parts.scheme == "smtp" and options.get("starttls", ["0"])[0] not in ("", "0", "false"):
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise MailRefused(f"The mail server {parts.hostname} did not take the message: {error}") from error


def _connect(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
    return smtplib.SMTP(host, port or 25, timeout=TIMEOUT)


def _file(message: EmailMessage, mailbox: Path) -> None:
    """One file per message id, complete or not there at all."""
    mailbox.mkdir(parents=True, exist_ok=True)
    target = mailbox / f"{str(message['Message-ID']).strip('<>').split('@')[0]}.eml"
    new = target.with_suffix(f".{os.getpid()}.new")
    new.write_bytes(message.as_bytes())
    os.replace(new, target)


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()
