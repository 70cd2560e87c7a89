"""Starting a case once, however often a program asks: networks lose answers, and what is filed twice is two cases."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy.orm import Session

from service import clock, errors
from service.models import Correlation, Instance, User

from . import instances, messages

REMEMBERED = timedelta(days=1)


def start(
    session: Session,
    process_id: str,
    variables: Mapping[str, Any],
    *,
    user: User,
    key: str,
    organisation: str | None = None,
) -> tuple[Instance, bool]:
    """Start a case, or return the one that this user started under the same key within a day; say whether it is new."""
    asked = orjson.dumps([variables, organisation], option=orjson.OPT_SORT_KEYS)
    said = messages.publish(
        session,
        f"guohe:start:{process_id}",
        None,
        {"asked": hashlib.sha256(asked).hexdigest()},
        ttl=REMEMBERED,
        message_id=f"{user.id}:{key}",
        authority_id=user.authority_id,
    )
    before = session.get(Correlation, (said.id, process_id))
    if before is None:
        started = instances.start(session, process_id, variables, user=user, organisation=organisation)
        session.add(
            Correlation(message_id=said.id, process_id=process_id, instance_id=started.id, token=None, at=clock.now())
        )
        session.flush()
        return started, True
    if said.variables != {"asked": hashlib.sha256(asked).hexdigest()}:
        raise errors.Conflict(
            "此 Idempotency-Key 已用于另一份内容不同的申请。",
            "This Idempotency-Key was used to start a case with other content.",
            code="key_used",
            field="Idempotency-Key",
            when=said.published_at,
        )
    return session.get_one(Instance, before.instance_id), False
