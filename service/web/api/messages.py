"""Messages from outside: programs tell cases what they wait for."""

from __future__ import annotations

from datetime import timedelta

from service import errors
from service.commands.cases import messages

from . import schemas
from .problems import InvalidFields
from .reading import idempotency_key
from .routes import Call, api
from .schemas import FieldProblem


@api.post(
    "/messages",
    zh="发布消息",
    problems=(409,),
    key=True,
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
    key = idempotency_key()
    if key is None:
        return body.message_id
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
