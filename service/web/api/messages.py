"""Messages from outside: programs tell cases what they wait for."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import request

from service import errors
from service.commands import messages

from . import schemas
from .problems import InvalidFields
from .routes import Call, api
from .schemas import FieldProblem

KEY = re.compile(r'(?P<quote>"?)([A-Za-z0-9._:-]{1,200})(?P=quote)', re.ASCII)
"""An idempotency key, as a plain word or as the quoted one of the HTTP draft."""


@api.post(
    "/messages",
    zh="发布消息",
    problems=(409,),
)
def publish(call: Call, body: schemas.Message) -> schemas.PublishedMessage:
    """Say something. Who waits for it goes on at once; who comes later hears it until it expires.

    With a `message_id` (or the header `Idempotency-Key`) it can be sent again without harm: it counts once, and the
    answer is the same. The same id with other content is refused.
    """
    message_id = _own_name(body)
    with call.writing() as (session, user):
        said = messages.publish(
            session,
            body.name,
            body.key,
            body.variables,
            user=user,
            ttl=timedelta(seconds=body.ttl),
            message_id=message_id,
        )
        if (said.key, said.variables) != (body.key, body.variables):
            raise errors.Conflict(
                "此 message_id 已用于另一条内容不同的消息。",
                "This message_id was used for a message with other content.",
                code="message_id_used",
                field="message_id",
                when=said.published_at,
            )
        return schemas.PublishedMessage.of(said)


def _own_name(body: schemas.Message) -> str | None:
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return body.message_id
    match = KEY.fullmatch(header.strip())
    if match is None:
        raise InvalidFields(
            [
                FieldProblem(
                    field="Idempotency-Key",
                    zh="应为 1 至 200 个字母、数字或 . _ : -。",
                    en="It should be 1 to 200 letters, digits or . _ : -.",
                )
            ]
        )
    key = match[2]
    if body.message_id not in (None, key):
        raise InvalidFields(
            [
                FieldProblem(
                    field="message_id",
                    zh="与请求头 Idempotency-Key 不一致。",
                    en="It differs from the header Idempotency-Key.",
                )
            ]
        )
    return key
