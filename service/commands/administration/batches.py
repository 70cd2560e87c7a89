"""Batches: a repair for many cases. The list is frozen when it is made; every case is a transaction of its own.

Nothing in memory says how far a batch is: an item is done in the transaction that repairs its case, so a killed
worker leaves whole items, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.commands.cases import history
from service.commands.cases.difference import table_of
from service.models import Batch, BatchItem, Incident, Instance, Symptom, Task, User

from . import migrations, repairkinds, repairs

MOST = 10_000
_BLIND = {"synchronize_session": False}


def choose(session: Session, query: Mapping[str, Any], *, user: User) -> list[int]:
    """Return the running cases a query means, of the authorities the user administers. An empty query is refused.

    ``cause`` (of an open incident), ``symptom``, ``process``, ``element`` (of an open task or incident),
    ``status``, ``deployment``.
    """
    known = {"cause", "symptom", "process", "element", "status", "deployment"}
    wanted = {name: value for name, value in query.items() if value not in (None, "")}
    if unknown := sorted(set(wanted) - known):
        raise errors.InvalidInput(f"没有“{unknown[0]}”这个条件。", f"There is no “{unknown[0]}”.", field=unknown[0])
    if not wanted:
        raise errors.InvalidInput(
            "没有条件的批次会涉及全部案件，请至少给出一个条件。",
            "Without a condition it would be every case; give at least one.",
            field="query",
        )
    chosen = select(Instance.id).where(_mine(user))
    if "status" not in wanted:
        chosen = chosen.where(Instance.ended_at.is_(None))
    if status := wanted.get("status"):
        chosen = chosen.where(Instance.status == status)
    if process := wanted.get("process"):
        chosen = chosen.where(Instance.process_id == process)
    if deployment := wanted.get("deployment"):
        chosen = chosen.where(Instance.deployment_id == (int(deployment) if str(deployment).isdigit() else 0))
    if cause := wanted.get("cause"):
        chosen = chosen.where(
            Instance.id.in_(select(Incident.instance_id).where(Incident.resolved_at.is_(None), Incident.cause == cause))
        )
    if symptom := wanted.get("symptom"):
        chosen = chosen.where(Instance.id.in_(select(Symptom.instance_id).where(Symptom.kind == symptom)))
    if element := wanted.get("element"):
        at = select(Task.instance_id).where(Task.status == "open", Task.element_id == element)
        stuck = select(Incident.instance_id).where(Incident.resolved_at.is_(None), Incident.element_id == element)
        chosen = chosen.where(Instance.id.in_(at.union(stuck)))
    return list(session.scalars(chosen.order_by(Instance.id).limit(MOST + 1)))


def _mine(user: User) -> Any:
    mine = {one.organisation.authority_id for one in permissions.held(user) if one.role == permissions.ADMIN}
    return Instance.authority_id.in_(sorted(mine))


def dry_run(
    session: Session, kind: str, parameters: Mapping[str, Any], ids: Sequence[int], *, user: User, limit: int = 200
) -> dict[str, Any]:
    """Say how the first cases would fare; nothing is written."""
    results: list[dict[str, Any]] = []
    for instance_id in ids[:limit]:
        instance = session.get(Instance, instance_id)
        number = instance.number if instance else str(instance_id)
        try:
            zh, en = _look(session, instance_id, kind, parameters, user)
            results.append({"instance": instance_id, "number": number, "ok": True, "zh": zh, "en": en})
        except (errors.ServiceError, engine.EngineError) as error:
            results.append({"instance": instance_id, "number": number, "ok": False, "zh": error.zh, "en": error.en})
    good = sum(one["ok"] for one in results)
    return {"total": len(ids), "looked": len(results), "good": good, "bad": len(results) - good, "items": results}


def _look(session: Session, instance_id: int, kind: str, parameters: Mapping[str, Any], user: User) -> tuple[str, str]:
    if kind == "migrate":
        deployment = repairkinds.number(parameters.get("deployment"), "deployment")
        seen = migrations.outcome(session, instance_id, deployment, parameters.get("names") or {}, user=user)
        if not seen.ok:
            raise errors.Conflict(
                "；".join(one["zh"] for one in seen.obstacles), "; ".join(one["en"] for one in seen.obstacles)
            )
        return (
            "；".join(one["zh"] for one in seen.notes) or "可以迁移",
            "; ".join(one["en"] for one in seen.notes) or "It can move.",
        )
    shown = repairs.preview(session, instance_id, kind, targeted(session, instance_id, kind, parameters), user=user)
    if shown.notes:
        return shown.notes[0]["zh"], shown.notes[0]["en"]
    new = "、".join(one["name"] for one in shown.new)
    return (f"随后等待：{new}" if new else "案件结束" if shown.ended else "不变"), (
        f"It then waits for: {new}" if new else "It ends." if shown.ended else "Nothing changes."
    )


def targeted(session: Session, instance_id: int, kind: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for one case: an element stands for whichever token rests there."""
    found = dict(parameters)
    at = found.pop("at", None)
    if "token" not in repairkinds.kind(kind).asks or "token" in found:
        return found
    token = None
    if kind in ("retry", "retry_with", "offer"):
        query = select(Incident.token).where(
            Incident.instance_id == instance_id, Incident.resolved_at.is_(None), Incident.token.is_not(None)
        )
        token = session.scalar((query.where(Incident.element_id == at) if at else query).limit(1))
    if token is None:
        tasks = select(Task.token).where(Task.instance_id == instance_id, Task.status == "open")
        token = session.scalar((tasks.where(Task.element_id == at) if at else tasks).order_by(Task.id).limit(1))
    if token is None:
        raise errors.Conflict("案件不在这个环节。", "The case is not there.", code="not_there")
    found["token"] = token
    return found


def create(
    session: Session,
    kind: str,
    parameters: Mapping[str, Any],
    *,
    user: User,
    reason: str,
    ids: Collection[int] | None = None,
    query: Mapping[str, Any] | None = None,
    canary: int = 0,
    each: Mapping[int, Mapping[str, Any]] | None = None,
) -> Batch:
    """Freeze the list of cases and begin. ``canary``: so many first, then it pauses."""
    repairkinds.kind(kind)
    text = reason.strip()
    if not text:
        raise errors.InvalidInput("请说明理由。", "Say why.", field="reason")
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()
    chosen = sorted(set(ids)) if ids is not None else choose(session, query or {}, user=user)
    if len(chosen) > MOST:
        raise errors.InvalidInput(f"超过 {MOST} 件，请缩小范围。", f"That is more than {MOST} cases.", field="query")
    mine = set(session.scalars(select(Instance.id).where(Instance.id.in_(chosen), _mine(user)))) if chosen else set()
    if not mine:
        raise errors.InvalidInput("没有符合条件的案件。", "No case meets the condition.", field="query")
    now = clock.now()
    batch = Batch(
        authority_id=user.authority_id,
        kind=kind,
        parameters=dict(parameters),
        query=dict(query or {}),
        reason=text,
        status="running",
        total=len(mine),
        canary=max(0, canary),
        created_at=now,
        created_by_id=user.id,
    )
    session.add(batch)
    session.flush()
    session.execute(
        insert(table_of(BatchItem)),
        [
            {
                "batch_id": batch.id,
                "instance_id": instance_id,
                "parameters": dict((each or {}).get(instance_id, {})),
                "status": "pending",
                "zh": "",
                "en": "",
            }
            for instance_id in sorted(mine)
        ],
    )
    _note(session, batch, "batch_started", user, {"total": batch.total, "reason": text, "parameters": dict(parameters)})
    return batch


def step(session: Session) -> bool:
    """Do the next item of a running batch; False where there is none."""
    found = session.execute(
        select(BatchItem, Batch)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .where(Batch.status == "running", BatchItem.status == "pending")
        .order_by(BatchItem.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=BatchItem)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return False
    item, batch = found
    try:
        with session.begin_nested():
            _do(session, batch, item)
    except (errors.ServiceError, engine.EngineError) as error:
        item.status, item.zh, item.en, item.at = "failed", error.zh, error.en, clock.now()
    session.flush()
    _advance(session, batch)
    return True


def _do(session: Session, batch: Batch, item: BatchItem) -> None:
    user = session.get_one(User, batch.created_by_id)
    parameters = {**batch.parameters, **item.parameters}
    if batch.kind == "migrate":
        repair = migrations.migrate(
            session,
            item.instance_id,
            repairkinds.number(parameters.get("deployment"), "deployment"),
            parameters.get("names") or {},
            user=user,
            reason=batch.reason,
            batch_id=batch.id,
        )
    elif batch.kind == "undo":
        undone = repairkinds.number(parameters.get("repair"), "repair")
        repair = repairs.undo(session, undone, user=user, reason=batch.reason)
    else:
        repair = repairs.perform(
            session,
            item.instance_id,
            batch.kind,
            targeted(session, item.instance_id, batch.kind, parameters),
            user=user,
            reason=batch.reason,
            batch_id=batch.id,
        )
    item.repair_id, item.status, item.at = repair.id, "done", clock.now()
    if repair.status == "proposed":
        item.zh, item.en = "已提交，等待另一人批准", "Waits for somebody to agree"


def _advance(session: Session, batch: Batch) -> None:
    """End the batch after its last item, and stop it after its canaries. Counts only where something depends on it."""
    waiting = select(BatchItem.id).where(BatchItem.batch_id == batch.id, BatchItem.status == "pending").limit(1)
    if session.scalar(waiting) is None:
        batch.status, batch.finished_at = "done", clock.now()
        _note(session, batch, "batch_finished", None, dict(progress(session, batch.id)))
    elif batch.canary:
        counts = progress(session, batch.id)
        if counts["done"] + counts["failed"] + counts["skipped"] >= batch.canary:
            batch.status, batch.canary = "paused", 0
            _note(session, batch, "batch_paused", None, {"because": "canary", **counts})
    session.flush()


def progress(session: Session, batch_id: int) -> dict[str, int]:
    """How many items stand where."""
    rows = session.execute(
        select(BatchItem.status, func.count()).where(BatchItem.batch_id == batch_id).group_by(BatchItem.status)
    )
    return {"pending": 0, "done": 0, "failed": 0, "skipped": 0, **{row[0]: row[1] for row in rows}}


def pause(session: Session, batch_id: int, *, user: User) -> Batch:
    """Let no further item begin."""
    batch = _owned(session, batch_id, user)
    if batch.status != "running":
        raise errors.Conflict("批次没有在执行。", "The batch is not running.", code="batch_not_running")
    batch.status = "paused"
    _note(session, batch, "batch_paused", user, {})
    return batch


def go_on(session: Session, batch_id: int, *, user: User) -> Batch:
    """Go on with a paused batch."""
    batch = _owned(session, batch_id, user)
    if batch.status != "paused":
        raise errors.Conflict("批次没有暂停。", "The batch is not paused.", code="batch_not_paused")
    batch.status = "running"
    _note(session, batch, "batch_resumed", user, {})
    return batch


def cancel(session: Session, batch_id: int, *, user: User) -> Batch:
    """Give up what has not been done; what has been stays."""
    batch = _owned(session, batch_id, user)
    if batch.status not in ("running", "paused"):
        raise errors.Conflict("批次已经结束。", "The batch is over.", code="batch_over")
    batch.status, batch.finished_at = "cancelled", clock.now()
    session.execute(
        update(BatchItem).where(BatchItem.batch_id == batch.id, BatchItem.status == "pending").values(status="skipped"),
        execution_options=_BLIND,
    )
    _note(session, batch, "batch_cancelled", user, {})
    return batch


def retry(session: Session, batch_id: int, *, user: User) -> Batch:
    """Try the failed items again."""
    batch = _owned(session, batch_id, user)
    again = session.execute(
        update(BatchItem)
        .where(BatchItem.batch_id == batch.id, BatchItem.status == "failed")
        .values(status="pending", zh="", en="", at=None),
        execution_options=_BLIND,
    )
    if not getattr(again, "rowcount", 0):
        raise errors.Conflict("没有失败的项目。", "No item has failed.", code="nothing_failed")
    batch.status, batch.finished_at = "running", None
    _note(session, batch, "batch_retried", user, {"items": getattr(again, "rowcount", 0)})
    return batch


def revert(session: Session, batch_id: int, *, user: User, reason: str) -> Batch:
    """Undo every repair of a batch whose case has not moved since, as a batch of its own."""
    _owned(session, batch_id, user)
    done = session.execute(
        select(BatchItem.instance_id, BatchItem.repair_id).where(
            BatchItem.batch_id == batch_id, BatchItem.status == "done", BatchItem.repair_id.is_not(None)
        )
    ).all()
    each = {row[0]: {"repair": row[1]} for row in done}
    return create(session, "undo", {}, user=user, reason=reason, ids=list(each), each=each)


def _owned(session: Session, batch_id: int, user: User) -> Batch:
    batch = session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None or not permissions.may_administer(user, batch.authority_id):
        raise errors.NotFound()
    return batch


def _note(session: Session, batch: Batch, kind: str, user: User | None, data: dict[str, Any]) -> None:
    data = {"batch": batch.id, "repair_kind": batch.kind, **data}
    history.note_authority(session, batch.authority_id, kind, user, data)
