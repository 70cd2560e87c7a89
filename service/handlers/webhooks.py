"""Deliver what a webhook is told."""

from __future__ import annotations

from typing import Any

from service import outgoing

from . import case
from .registry import JobContext, topic


@topic("webhook", outside=True)
def deliver(job: JobContext) -> dict[str, Any]:
    """Sign and send one delivery. Tried again, it has the same id; where the address leads is judged at every try."""
    number, salt = int(case.value(job, "webhook")), case.text(job, "salt")
    body = case.text(job, "body").encode()
    secret = outgoing.secret(job.settings.secret_key, number, salt)
    headers = outgoing.headers(secret, case.text(job, "id"), job.now, body)
    outgoing.post(case.text(job, "url"), body, headers, outgoing.networks(job.settings.webhook_networks))
    return {}
