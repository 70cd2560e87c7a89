"""What is forgotten, and when: cases over for long lose what is personal in them and keep what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.commands.cases import history, instances, search
from service.models import (
    CockpitPolicy,
    Draft,
    Event,
    Instance,
    PublishedMessage,
    Repair,
    Task,
    User,
)

from . import audit

_BLIND = {"synchronize_session": False}
KEPT = frozenset({"caseNumber", "profile", "parties"})
"""Variables that are not about people."""


def anonymise_due(session: Session, *, limit: int = 50) -> int:
    """Anonymise cases whose time is over by the rule of their authority; how many."""
    now, done = clock.now(), 0
    for policy in session.scalars(select(CockpitPolicy).where(CockpitPolicy.retention_days.is_not(None))):
        before = now - timedelta(days=policy.retention_days or 0)
        known = select(Event.instance_id).where(Event.kind == "anonymised", Event.instance_id.is_not(None))
        due = session.scalars(
            select(Instance.id)
            .where(
                Instance.authority_id == policy.authority_id,
                Instance.ended_at < before,
                Instance.id.not_in(known),
            )
            .order_by(Instance.id)
            .limit(limit)
        ).all()
        for instance_id in due:
            forget(session, instance_id, user=None, reason=f"> {policy.retention_days} d")
            done += 1
    return done


def forget(session: Session, instance_id: int, *, user: User | None, reason: str) -> None:
    """Take what people typed out of an ended case: variables, forms, drafts, messages, names in its title."""
    instance = instances.lock(session, instance_id)
    if user is not None and not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    if instance.ended_at is None:
        raise errors.Conflict("案件尚未结束，不能匿名化。", "The case is not over.", code="case_open")
    run = instances.load(session, instance)
    data = run.instance.data
    for name in [name for name in data if name not in KEPT]:
        del data[name]
    instance.state = engine.dump(run)
    instance.title = instance.definition.name
    session.execute(
        update(Task).where(Task.instance_id == instance.id).values(submitted=None, properties={}),
        execution_options=_BLIND,
    )
    search.forget(session, instance.id)
    session.execute(
        delete(Draft).where(Draft.task_id.in_(select(Task.id).where(Task.instance_id == instance.id))),
        execution_options=_BLIND,
    )
    session.execute(
        update(PublishedMessage).where(PublishedMessage.from_instance_id == instance.id).values(variables={}),
        execution_options=_BLIND,
    )
    session.execute(
        update(Repair).where(Repair.instance_id == instance.id).values(former=None, rows={}, preview={}, parameters={}),
        execution_options=_BLIND,
    )
    audit.seal(session)
    for event in session.scalars(select(Event).where(Event.instance_id == instance.id)):
        event.data = {name: value for name, value in event.data.items() if name in _HARMLESS}
    audit.erase(session, instance.id)
    history.note(session, instance, "anonymised", user, {"reason": reason})


_HARMLESS = frozenset({"path", "cause", "code", "zh", "en", "name", "end_event", "cancelled", "topic", "number"})


def policy(session: Session, *, user: User) -> CockpitPolicy:
    """What the user's authority asks of its administrators; the usual where it has said nothing."""
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()
    found = session.get(CockpitPolicy, user.authority_id)
    if found is None:
        found = CockpitPolicy(
            authority_id=user.authority_id,
            second_approver=[],
            untouched_days=30,
            loops=8,
            overload=30,
            changed_at=clock.now(),
        )
    return found


def set_policy(
    session: Session, *, user: User, second_approver: Iterable[str] | None = None, **facts: Any
) -> CockpitPolicy:
    """Change what an authority asks of its administrators."""
    found = policy(session, user=user)
    names = ("untouched_days", "loops", "overload", "retention_days", "second_approver")
    before = {name: getattr(found, name) for name in names}
    if second_approver is not None:
        found.second_approver = sorted(set(second_approver))
    for name, value in facts.items():
        least = 1 if name != "retention_days" else 0
        if value is not None and (not isinstance(value, int) or not least <= value <= 36500):
            raise errors.InvalidInput("数值超出范围。", "The number is out of range.", field=name)
        setattr(found, name, value)
    found.changed_at, found.changed_by_id = clock.now(), user.id
    session.add(found)
    after = {name: getattr(found, name) for name in names}
    history.note_authority(session, user.authority_id, "policy_changed", user, {"before": before, "after": after})
    return found
