"""What an administrator does to a case that cannot go on, or must not.

Every repair can be *previewed*: the same verb runs on the decoded case and the outcome is thrown away, so nothing is
written and nothing is sent. *Doing* it asks for a reason, refuses a case that has moved since, keeps a snapshot and
goes into the audit chain at once. An *undo* brings state and rows back while nothing else has happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.commands.cases import history, instances, projection, search, snapshots
from service.commands.cases.projection import Acted
from service.commands.procedures import deployments
from service.models import Instance, Job, Repair, User

from . import audit, previews, repairkinds, repairrows
from .previews import Preview, fingerprint, preview
from .repairkinds import KINDS, Moved, Unreadable

LONGEST_REASON = 2000


def perform(
    session: Session,
    instance_id: int,
    kind: str,
    parameters: Mapping[str, Any],
    *,
    user: User,
    reason: str,
    version: int | None = None,
    batch_id: int | None = None,
) -> Repair:
    """Do a repair, or propose it where somebody else has to agree. ``version`` is that of the preview."""
    reason = _reason(reason)
    parameters = repairkinds.checked(kind, parameters)
    instance = lock(session, instance_id, user)
    repairkinds.possible(instance, kind)
    if version is not None and version != instance.version:
        raise Moved()
    # The case is locked: the step that is looked at here is the one that is done.
    shown, step = previews.look(session, instance, kind, parameters)
    now = clock.now()
    repair = Repair(
        authority_id=instance.authority_id,
        instance_id=instance.id,
        batch_id=batch_id,
        kind=kind,
        parameters=_plain(parameters),
        reason=reason,
        status="proposed",
        preview=shown.plain(),
        expected_version=instance.version,
        asked_at=now,
        asked_by_id=user.id,
    )
    if not shown.needs_approval:
        repair.former, repair.rows = instance.state, snapshots.take(session, instance)
    session.add(repair)
    session.flush()
    if shown.needs_approval:
        history.note(session, instance, "repair_proposed", user, {"repair": repair.id, "kind": kind, "reason": reason})
        audit.seal(session)
        return repair
    _do(session, repair, instance, user=user, step=step)
    return repair


def approve(session: Session, repair_id: int, *, user: User, note: str = "") -> Repair:
    """Agree to a proposed repair and do it. Not for whoever proposed it."""
    repair, instance = _proposed(session, repair_id, user)
    if repair.asked_by_id == user.id:
        raise errors.Forbidden("不能批准自己提出的修复。", "You cannot agree to your own repair.", code="own_repair")
    if repair.expected_version != instance.version:
        raise Moved()
    repair.decided_at, repair.decided_by_id, repair.decision_note = clock.now(), user.id, note
    repair.former, repair.rows = instance.state, snapshots.take(session, instance)
    _do(session, repair, instance, user=user)
    return repair


def reject(session: Session, repair_id: int, *, user: User, note: str = "") -> Repair:
    """Turn a proposed repair down, or withdraw one's own."""
    repair, instance = _proposed(session, repair_id, user)
    repair.status = "rejected"
    repair.decided_at, repair.decided_by_id, repair.decision_note = clock.now(), user.id, note
    history.note(session, instance, "repair_rejected", user, {"repair": repair.id, "kind": repair.kind, "reason": note})
    audit.seal(session)
    return repair


def undo(session: Session, repair_id: int, *, user: User, reason: str) -> Repair:
    """Bring back the state and the rows from before a repair. Only while nothing else has happened to the case."""
    reason = _reason(reason)
    repair = session.get(Repair, repair_id)
    if repair is None or not permissions.may_administer(user, repair.authority_id):
        raise errors.NotFound()
    instance = lock(session, repair.instance_id, user)
    session.refresh(repair)
    if repair.status != "done" or repair.former is None:
        raise errors.Conflict("这项修复不能撤销。", "This repair cannot be undone.", code="not_undoable")
    if instance.version != repair.version:
        raise Moved("修复之后案件又有变化，不能撤销。", "The case has moved since; the repair cannot be undone.")
    _nothing_sent(session, repair, instance)
    now, repaired = clock.now(), fingerprint(instance.state)
    ended_at = repair.rows["instance"]["ended_at"]
    snapshots.bring_back(session, instance, repair.rows, now)
    fact = _fact("undone", instance, {"repair": repair.id, "kind": repair.kind, "reason": reason})
    status = instance.status
    run = _readable(session, instance, repair.former)
    if run is None:
        history.note(session, instance, fact.kind, user, fact.data)
    else:
        step = engine.Step(run, run.waits(), [])
        projection.save(session, instance, step, acted=Acted(user=user, facts=[fact]), now=now)
    instance.state = repair.former  # the very bytes
    instance.status = status
    instance.ended_at = datetime.fromisoformat(ended_at) if ended_at else None
    instance.end_event = repair.rows["instance"]["end_event"]
    repair.status, repair.undone_at, repair.undone_by_id = "undone", now, user.id
    session.flush()
    if run is not None:
        search.anew(session, instance, run.instance.data)
    repairrows.wake(session, instance)
    _before_after(session, instance, user, "repair_undone", repair, repaired, reason)
    return repair


def _readable(session: Session, instance: Instance, state: bytes) -> engine.Run | None:
    """The state, or None where it is the damaged one that a repair had put right."""
    try:
        return engine.load(deployments.bundle(session, instance.deployment_id), state)
    except engine.EngineError:
        return None


def _nothing_sent(session: Session, repair: Repair, instance: Instance) -> None:
    """What the repair has sent cannot be taken back; what has not left yet is."""
    sent = session.scalars(
        select(Job).where(
            Job.instance_id == instance.id,
            Job.token.is_(None),
            Job.kind.in_(("message", "mail")),
            Job.created_at >= (repair.decided_at or repair.asked_at),
        )
    ).all()
    if any(job.status in ("done", "running") for job in sent):
        raise errors.Conflict(
            "修复已向外发出消息或邮件，不能撤销。", "The repair has sent something; it cannot be undone.", code="sent"
        )
    for job in sent:
        if job.status == "queued":
            job.status, job.finished_at = "cancelled", clock.now()
    session.flush()


def _do(session: Session, repair: Repair, instance: Instance, *, user: User, step: engine.Step | None = None) -> None:
    kind, parameters, now = repair.kind, repair.parameters, clock.now()
    before = fingerprint(instance.state)
    fact = _fact(kind, instance, {"repair": repair.id, "reason": repair.reason, "parameters": parameters})
    if KINDS[kind].steps and step is None:
        step = previews.look(session, instance, kind, parameters)[1]
    if KINDS[kind].steps and step is None:
        repair.former = None  # nothing that an undo could read
        repairrows.end_unread(session, instance)
        history.note(session, instance, fact.kind, user, dict(fact.data))
    elif step is not None:
        repairrows.save(session, instance, kind, parameters, user, fact, step, now)
    else:
        repairrows.change(session, instance, kind, parameters, user)
        history.note(session, instance, fact.kind, user, dict(fact.data))
    session.flush()
    repair.status, repair.version = "done", instance.version
    _before_after(session, instance, user, "repaired", repair, before, repair.reason)


def _before_after(
    session: Session, instance: Instance, user: User, kind: str, repair: Repair, before: str, reason: str
) -> None:
    """One line for the log: who, why, from which state to which – sealed at once."""
    shown = repair.preview
    data = {
        "repair": repair.id,
        "kind": repair.kind,
        "parameters": repair.parameters,
        "reason": reason,
        "proposed_by": repair.asked_by_id,
        "before": {"state": before, "waits": shown.get("before"), "version": repair.expected_version},
        "after": {"state": fingerprint(instance.state), "waits": shown.get("after"), "version": instance.version},
    }
    history.note(session, instance, kind, user, data)
    if repair.batch_id is None:  # the worker that works a batch off seals every few seconds anyway
        audit.seal(session)


def _proposed(session: Session, repair_id: int, user: User) -> tuple[Repair, Instance]:
    repair = session.get(Repair, repair_id)
    if repair is None or not permissions.may_administer(user, repair.authority_id):
        raise errors.NotFound()
    instance = lock(session, repair.instance_id, user)
    session.refresh(repair)
    if repair.status != "proposed":
        raise errors.Conflict("这项修复已经处理。", "This repair is already decided.", code="repair_decided")
    return repair, instance


def _reason(reason: str) -> str:
    text = (reason or "").replace("\x00", "").strip()
    if not text:
        raise errors.InvalidInput("请说明理由。", "Say why.", field="reason")
    if len(text) > LONGEST_REASON:
        raise errors.InvalidInput("理由过长。", "The reason is too long.", field="reason")
    return text


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in parameters.items()}


def _fact(kind: str, instance: Instance, data: Mapping[str, Any]) -> engine.Happened:
    kinds = {"suspend": "suspended", "resume": "resumed", "terminate": "terminated", "retry": "retried"}
    return instances.fact(kinds.get(kind, f"repair_{kind}"), instance.process_id, instance.process_id, data=data)


def lock(session: Session, instance_id: int, user: User) -> Instance:
    """Take a case for this transaction, for one of its administrators; for others there is none."""
    instance = instances.lock(session, instance_id)
    if not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    return instance


# Short ways


def suspend(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """Stop a case for a while: nobody can work on it, and its timers and jobs wait."""
    return perform(session, instance_id, "suspend", {}, user=user, reason=reason or "暂停").instance


def resume(session: Session, instance_id: int, *, user: User, reason: str = "") -> Instance:
    """Let a suspended case go on; what became due meanwhile happens now."""
    return perform(session, instance_id, "resume", {}, user=user, reason=reason or "恢复").instance


def terminate(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """End a case for good."""
    return perform(session, instance_id, "terminate", {}, user=user, reason=reason or "终止").instance


__all__ = [
    "LONGEST_REASON",
    "Moved",
    "Preview",
    "Unreadable",
    "approve",
    "fingerprint",
    "lock",
    "perform",
    "preview",
    "reject",
    "resume",
    "suspend",
    "terminate",
    "undo",
]
