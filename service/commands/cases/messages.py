"""Messages: what an instance, a person or a program says, and who was waiting to hear it.

As in Camunda 8: a message reaches every waiting token of its name and key, at most one of each process; one that
nobody waits for is kept until it expires; and it starts a case where a message start event of the latest version
listens – one case for a key at a time. The same ``message_id`` said twice counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from service import clock, engine, errors, forms, permissions, wording
from service.commands.procedures import deployments
from service.engine import feel
from service.models import (
    Correlation,
    Instance,
    ProcessDefinition,
    PublishedMessage,
    Subscription,
    User,
)

from . import instances, jobs
from .projection import Acted

KEPT = timedelta(hours=1)
"""How long a message from outside waits for a listener where its sender says nothing else."""
THROWN_KEPT = timedelta(days=400)
"""A message between cases waits longer than any step of a procedure: losing it would stall the listener."""
PUBLIC = "public"
PUBLIC_A_DAY = 20
"""So many messages from people who are not signed in one case takes in a day; each makes work for somebody."""


def publish(
    session: Session,
    name: str,
    key: str | None,
    variables: Mapping[str, Any],
    *,
    user: User | None = None,
    ttl: timedelta | None = None,
    message_id: str | None = None,
    authority_id: int | None = None,
    from_instance_id: int | None = None,
) -> PublishedMessage:
    """Say something. Who waits for it goes on in this transaction; who comes later hears it until it expires."""
    if user is not None:
        authority_id = authority_id or user.authority_id
        if not permissions.may_publish_message(user, authority_id):
            raise errors.Forbidden()
    if authority_id is None:
        raise ValueError("a message needs an authority or a user")
    message = _say(
        session,
        name=name,
        key=key,
        variables=variables,
        ttl=KEPT if ttl is None else ttl,
        message_id=message_id,
        authority_id=authority_id,
        user=user,
        from_instance_id=from_instance_id,
    )
    correlate(session, message)
    return message


def send(
    session: Session,
    instance_id: int,
    name: str,
    values: Mapping[str, Any],
    *,
    user: User | None,
) -> PublishedMessage:
    """Send a message that the diagram lets people send into a case (its ``sender``, ``form`` and ``condition``).

    ``user`` None stands for the public.
    """
    instance = instances.lock(session, instance_id)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    for subscription in session.scalars(
        select(Subscription).where(Subscription.instance_id == instance.id, Subscription.name == name)
    ):
        if (form_id := _offered(session, instance, subscription, user)) is not False:
            break
    else:
        raise errors.NotFound()
    bundle = deployments.bundle(session, instance.deployment_id)
    schema = None
    if user is None:
        _bear(session, instance)
        schema = forms.without_files(bundle.forms[form_id]) if form_id in bundle.forms else None
    cleaned = instances.accepted(bundle, form_id, values if form_id else {}, user=user, schema=schema)
    message = _say(
        session,
        name=name,
        key=subscription.key,
        variables=cleaned,
        ttl=timedelta(0),
        message_id=None,
        authority_id=instance.authority_id,
        user=user,
        from_instance_id=None,
    )
    _catch(session, message, subscription, instance, user=user)
    return message


def _bear(session: Session, instance: Instance) -> None:
    """Raise TooManyMessages where the public has said as much in a day as somebody can read."""
    said = session.scalar(
        select(func.count())
        .select_from(Correlation)
        .join(PublishedMessage, PublishedMessage.id == Correlation.message_id)
        .where(
            Correlation.instance_id == instance.id,
            Correlation.at > clock.now() - timedelta(days=1),
            PublishedMessage.published_by_id.is_(None),
            PublishedMessage.from_instance_id.is_(None),
        )
    )
    if (said or 0) >= PUBLIC_A_DAY:
        raise errors.TooManyMessages()


class Sendable(NamedTuple):
    """A message somebody may send into a case now: its name, what the diagram calls the event, its form."""

    name: str
    label: str
    form_id: str | None


def sendable(session: Session, instance: Instance, user: User | None) -> list[Sendable]:
    """Return what somebody may send into a case now; ``user`` None stands for the public."""
    bundle = deployments.bundle(session, instance.deployment_id)
    found: dict[str, Sendable] = {}
    for subscription in session.scalars(
        select(Subscription).where(Subscription.instance_id == instance.id).order_by(Subscription.id)
    ):
        form_id = _offered(session, instance, subscription, user)
        if form_id is not False:
            node = bundle.node(subscription.process_id, subscription.element_id)
            label = node.name if node and node.name else subscription.name
            label = wording.text(session, instance.deployment_id, subscription.process_id, label)
            found.setdefault(subscription.name, Sendable(subscription.name, label, form_id))
    return list(found.values())


def offered(session: Session, user: User | None, instance_id: int) -> list[Sendable]:
    """Return what a person may send into a case now; nothing where it has ended or is suspended."""
    instance = session.get(Instance, instance_id)
    if instance is None or instance.ended_at is not None or instance.status == "suspended":
        return []
    return sendable(session, instance, user)


def correlate(session: Session, message: PublishedMessage) -> list[Correlation]:
    """Bring a message to everybody who waits for it and has not had it."""
    now = clock.now()
    reached: list[Correlation] = []
    # In the order of their cases, as everybody locks them.
    for subscription in _listeners(session, message):
        if subscription.instance_id is None:
            found = _start(session, message, subscription)
        else:
            instance = instances.lock(session, subscription.instance_id)
            found = _deliver(session, message, subscription, instance)
        if found is not None:
            reached.append(found)
    if reached and message.correlated_at is None:
        message.correlated_at = now
        session.flush()
    return reached


def run(session: Session, taken: jobs.Taken) -> None:
    """Do a message job: publish what an instance has thrown, or bring what was said to a later listener."""
    thrown, published = taken.payload.get("throw"), taken.payload.get("published")
    if thrown is not None:
        publish(
            session,
            thrown["name"],
            thrown.get("key"),
            thrown.get("variables") or {},
            ttl=THROWN_KEPT,
            message_id=taken.key,
            authority_id=taken.authority_id,
            from_instance_id=taken.instance_id,
        )
    elif published is not None:
        message = session.get(PublishedMessage, published, populate_existing=True)
        if message is not None and message.expires_at > clock.now():
            correlate(session, message)


def bring(session: Session, message_id: int) -> None:
    """Have a worker bring a kept message to those who wait for it, in a transaction of its own."""
    message = session.get_one(PublishedMessage, message_id)
    jobs.add(session, "message", authority_id=message.authority_id, payload={"published": message_id})


def unheard(session: Session, *, limit: int = 100) -> list[int]:
    """Return kept messages somebody waits for all the same.

    A message and its listener may come about in two transactions that did not see each other; the worker's
    round finds such pairs.
    """
    heard = select(Correlation.message_id).where(
        Correlation.message_id == PublishedMessage.id, Correlation.process_id == Subscription.process_id
    )
    return list(
        session.scalars(
            select(PublishedMessage.id)
            .join(
                Subscription,
                (Subscription.authority_id == PublishedMessage.authority_id)
                & (Subscription.name == PublishedMessage.name)
                & (
                    (Subscription.key == PublishedMessage.key)
                    | (Subscription.key.is_(None) & PublishedMessage.key.is_(None))
                ),
            )
            .join(Instance, Instance.id == Subscription.instance_id)
            .where(
                PublishedMessage.expires_at > clock.now(),
                Instance.status.in_(("active", "incident")),
                ~heard.exists(),
            )
            .distinct()
            .limit(limit)
        )
    )


def forget_expired(session: Session, *, before: datetime) -> int:
    """Delete messages that expired before a moment; who heard them stays in the history."""
    done = session.execute(
        delete(PublishedMessage).where(PublishedMessage.expires_at < before),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(done, "rowcount", 0) or 0)


def _say(
    session: Session,
    *,
    name: str,
    key: str | None,
    variables: Mapping[str, Any],
    ttl: timedelta,
    message_id: str | None,
    authority_id: int,
    user: User | None,
    from_instance_id: int | None,
) -> PublishedMessage:
    now = clock.now()
    values = {
        "authority_id": authority_id,
        "name": name,
        "key": key,
        "message_id": message_id,
        "variables": dict(variables),
        "published_at": now,
        "published_by_id": user.id if user else None,
        "from_instance_id": from_instance_id,
        "expires_at": now + ttl,
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    said = session.scalar(
        insert(PublishedMessage).values(values).on_conflict_do_nothing().returning(PublishedMessage.id)
    )
    if said is None:  # said before: it counts once
        return session.scalars(
            select(PublishedMessage).where(
                PublishedMessage.authority_id == authority_id,
                PublishedMessage.name == name,
                PublishedMessage.message_id == message_id,
            )
        ).one()
    return session.get_one(PublishedMessage, said)


def _listeners(session: Session, message: PublishedMessage) -> list[Subscription]:
    """The first token of each process that waits for a message, and the processes it starts."""
    key = Subscription.key.is_(None) if message.key is None else Subscription.key == message.key
    heard = select(Correlation.process_id).where(Correlation.message_id == message.id)
    first: dict[str, Subscription] = {}
    for subscription in session.scalars(
        select(Subscription)
        .outerjoin(Instance, Instance.id == Subscription.instance_id)
        .where(
            Subscription.authority_id == message.authority_id,
            Subscription.name == message.name,
            or_(
                Subscription.definition_id.is_not(None),
                key & Instance.status.in_(("active", "incident")),
            ),
            Subscription.process_id.not_in(heard),
        )
        .order_by(Subscription.instance_id.is_(None), Subscription.id)
    ):
        first.setdefault(subscription.process_id, subscription)
    return sorted(first.values(), key=lambda one: (one.instance_id is None, one.instance_id or 0))


def _deliver(
    session: Session, message: PublishedMessage, subscription: Subscription, instance: Instance
) -> Correlation | None:
    """Bring a message to a token, unless it stopped waiting or heard it while we waited for the lock."""
    still = session.scalar(select(func.count()).where(Subscription.id == subscription.id))
    if not still or _heard(session, message, subscription.process_id) or instance.ended_at is not None:
        return None
    if instance.status == "suspended":
        return None
    return _catch(session, message, subscription, instance, user=None)


def _catch(
    session: Session,
    message: PublishedMessage,
    subscription: Subscription,
    instance: Instance,
    *,
    user: User | None,
) -> Correlation:
    now, token = clock.now(), subscription.token
    assert token is not None
    correlation = Correlation(
        message_id=message.id, process_id=subscription.process_id, instance_id=instance.id, token=token, at=now
    )
    session.add(correlation)
    session.flush()
    received = instances.fact(
        "received",
        subscription.process_id,
        subscription.element_id,
        data={"name": message.name, "key": message.key, "message": message.id},
        token=token,
    )
    instances.advance(
        session,
        instance,
        lambda run: engine.catch(run, token, _told(message), now=now),
        acted=Acted(user=user, subscription_id=subscription.id, facts=[received]),
    )
    if message.correlated_at is None:
        message.correlated_at = now
    return correlation


def _told(message: PublishedMessage) -> dict[str, Any]:
    """What a message may tell a case: everything but what the system itself keeps."""
    return {name: value for name, value in message.variables.items() if name not in instances.RESERVED}


def _start(session: Session, message: PublishedMessage, subscription: Subscription) -> Correlation | None:
    """Start a case – unless one that this key had started before still runs; its end makes room for the next."""
    definition = session.get_one(ProcessDefinition, subscription.definition_id)
    # One at a time for a definition: two messages of one key must not both find no running case.
    session.execute(
        select(ProcessDefinition.id).where(ProcessDefinition.id == definition.id).with_for_update(key_share=True)
    )
    if _heard(session, message, definition.process_id) or _running(session, message, definition.process_id):
        return None
    instance = instances.begin(
        session,
        definition,
        _told(message),
        start_event=subscription.element_id,
        parent_id=message.from_instance_id,
        parties=instances.named_parties(session, message.variables.get("parties"), definition.authority_id),
        profile=_profile(message),
    )
    correlation = Correlation(
        message_id=message.id,
        process_id=definition.process_id,
        instance_id=instance.id,
        token=None,
        at=clock.now(),
    )
    session.add(correlation)
    session.flush()
    return correlation


def _profile(message: PublishedMessage) -> str | None:
    profile = message.variables.get("profile")
    return profile if profile in ("strict", "practice") else None


def _heard(session: Session, message: PublishedMessage, process_id: str) -> bool:
    return session.get(Correlation, (message.id, process_id)) is not None


def _running(session: Session, message: PublishedMessage, process_id: str) -> bool:
    if message.key is None:
        return False
    earlier = aliased(PublishedMessage)
    return (
        session.scalar(
            select(Instance.id)
            .join(Correlation, Correlation.instance_id == Instance.id)
            .join(earlier, earlier.id == Correlation.message_id)
            .where(
                Correlation.process_id == process_id,
                Correlation.token.is_(None),
                earlier.authority_id == message.authority_id,
                earlier.name == message.name,
                earlier.key == message.key,
                Instance.ended_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def _offered(session: Session, instance: Instance, subscription: Subscription, user: User | None) -> Any:
    """The form of a message that somebody may send (None: it has none), or False where they may not."""
    bundle = deployments.bundle(session, instance.deployment_id)
    node = bundle.node(subscription.process_id, subscription.element_id)
    if node is None or "sender" not in node.properties:
        return False
    senders = {code.strip() for code in node.properties["sender"].split(",")}
    if PUBLIC not in senders and not (user is not None and _speaks(user, instance, senders)):
        return False
    condition = node.properties.get("condition", "").strip().removeprefix("=")
    if condition and not _holds(session, instance, subscription, condition):
        return False
    return node.properties.get("form") or None


def _speaks(user: User, instance: Instance, senders: set[str]) -> bool:
    """True where the user holds one of the roles for this very case."""
    parties = {(one.organisation_id, one.party) for one in instance.parties}
    return any(
        membership.role in senders
        and (
            (membership.organisation_id, membership.party) in parties
            or (
                membership.organisation.code == membership.party
                and membership.organisation.authority_id == instance.authority_id
            )
        )
        for membership in permissions.held(user)
    )


def _holds(session: Session, instance: Instance, subscription: Subscription, condition: str) -> bool:
    seen = engine.visible(instances.load(session, instance), subscription.token)
    try:
        names = feel.names(condition)
        return feel.evaluate(condition, {n: seen[n] for n in names if n in seen}, now=clock.now()) is True
    except feel.FeelError:
        return False
