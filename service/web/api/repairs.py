"""Repairs and batches: look first, then do; undo. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from service import errors, permissions
from service.commands.administration import batches, repairs
from service.models import Batch, Repair, User

from . import schemas
from .routes import Call, api

KIND = Literal[
    "retry", "retry_with", "reassign", "release", "offer", "extend", "move", "back", "skip", "message", "fire",
    "variables", "suspend", "resume", "restore", "terminate", "restart", "resend", "migrate",
]  # fmt: skip


class RepairPlan(schemas.Document):
    """A repair: its kind and what it needs – ``token``, ``element``, ``variables``, ``due``, ``assignee``, …"""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "skip", "parameters": {"token": 3}}]})

    kind: KIND
    parameters: schemas.Variables = Field(default_factory=dict)


class RepairOrder(RepairPlan):
    """A repair to be done, with the reason and the version its preview was made of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "skip", "parameters": {"token": 3}, "reason": "岗位空缺，经部门同意", "version": 7}]
        }
    )

    reason: schemas.LongText
    version: schemas.Id | None = None


class RepairPreview(schemas.Document):
    """What a repair would do: where the tokens rest before and after. Nothing was written or sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "skip",
                    "instance_version": 7,
                    "before": [{"token": 3, "kind": "task", "element": "check", "name": "受理审查"}],
                    "after": [{"token": 4, "kind": "task", "element": "sign", "name": "签署"}],
                    "variables": [],
                    "messages": [],
                    "notes": [],
                    "ended": False,
                    "state": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "needs_approval": False,
                }
            ]
        }
    )

    kind: str
    instance_version: int
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    variables: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    ended: bool
    state: str
    needs_approval: bool


class RepairState(schemas.Document):
    """A repair as it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 12,
                    "instance_id": 7,
                    "kind": "skip",
                    "status": "done",
                    "reason": "岗位空缺",
                    "asked_at": "2026-03-02T09:00:00.000+08:00",
                }
            ]
        }
    )

    id: int
    instance_id: int
    kind: str
    status: Literal["proposed", "done", "rejected", "undone"]
    reason: str
    asked_at: schemas.Moment

    @classmethod
    def of(cls, row: Repair) -> RepairState:
        """From its row."""
        asked: datetime = row.asked_at
        return cls(
            id=row.id,
            instance_id=row.instance_id,
            kind=row.kind,
            status=row.status,
            reason=row.reason,
            asked_at=asked,
        )


class RepairDecision(schemas.Document):
    """Why a repair is agreed to, turned down or undone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "同意"}]})

    reason: schemas.LongText


class BatchOrder(schemas.Document):
    """A repair for many cases: chosen by their ids, or by a query (cause, symptom, process, element, status)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "retry",
                    "parameters": {},
                    "query": {"cause": "job_failed"},
                    "reason": "接口已恢复",
                    "canary": 5,
                }
            ]
        }
    )

    kind: KIND
    parameters: schemas.Variables = Field(default_factory=dict)
    ids: list[schemas.Id] | None = Field(default=None, max_length=batches.MOST)
    query: dict[str, schemas.Text] = Field(default_factory=dict)
    reason: schemas.LongText
    canary: int = Field(default=0, ge=0, le=batches.MOST)


class BatchState(schemas.Document):
    """A batch and how far it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 3,
                    "kind": "retry",
                    "status": "running",
                    "total": 40,
                    "pending": 30,
                    "done": 9,
                    "failed": 1,
                    "skipped": 0,
                }
            ]
        }
    )

    id: int
    kind: str
    status: Literal["running", "paused", "cancelled", "done"]
    total: int
    pending: int
    done: int
    failed: int
    skipped: int

    @classmethod
    def of(cls, session: Session, row: Batch) -> BatchState:
        """From its row and its items."""
        return cls(id=row.id, kind=row.kind, status=row.status, total=row.total, **batches.progress(session, row.id))


@api.post(
    "/process-instances/{instance_id}/repairs/preview", zh="预演修复", write=False, tag="repairs", problems=(409,)
)
def preview(call: Call, instance_id: int, body: RepairPlan) -> RepairPreview:
    """Say what a repair would do. Writes nothing, sends nothing."""
    with call.reading() as (session, user):
        _administrator(user)
        seen = repairs.preview(session, instance_id, body.kind, body.parameters, user=user).plain()
        return RepairPreview(instance_version=seen.pop("version"), **seen)


@api.post("/process-instances/{instance_id}/repairs", zh="执行修复", tag="repairs", problems=(409,))
def perform(call: Call, instance_id: int, body: RepairOrder) -> RepairState:
    """Do a repair, or propose it where somebody else has to agree."""
    with call.writing() as (session, user):
        _administrator(user)
        done = repairs.perform(
            session, instance_id, body.kind, body.parameters, user=user, reason=body.reason, version=body.version
        )
        return RepairState.of(done)


@api.post("/repairs/{repair_id}/approve", zh="批准修复", problems=(409,))
def approve(call: Call, repair_id: int, body: RepairDecision) -> RepairState:
    """Agree to a proposed repair and do it. Not for whoever proposed it."""
    with call.writing() as (session, user):
        _administrator(user)
        return RepairState.of(repairs.approve(session, repair_id, user=user, note=body.reason))


@api.post("/repairs/{repair_id}/reject", zh="否决修复", problems=(409,))
def reject(call: Call, repair_id: int, body: RepairDecision) -> RepairState:
    """Turn a proposed repair down."""
    with call.writing() as (session, user):
        _administrator(user)
        return RepairState.of(repairs.reject(session, repair_id, user=user, note=body.reason))


@api.post("/repairs/{repair_id}/undo", zh="撤销修复", problems=(409,))
def undo(call: Call, repair_id: int, body: RepairDecision) -> RepairState:
    """Bring back what was before, while nothing else has happened to the case."""
    with call.writing() as (session, user):
        _administrator(user)
        return RepairState.of(repairs.undo(session, repair_id, user=user, reason=body.reason))


@api.post("/batches", zh="新建批次")
def create(call: Call, body: BatchOrder) -> BatchState:
    """Freeze the list of cases and begin; workers do one case after the other."""
    with call.writing() as (session, user):
        _administrator(user)
        made = batches.create(
            session,
            body.kind,
            body.parameters,
            user=user,
            reason=body.reason,
            ids=body.ids,
            query=body.query,
            canary=body.canary,
        )
        return BatchState.of(session, made)


@api.get("/batches/{batch_id}", zh="查看批次")
def get(call: Call, batch_id: int) -> BatchState:
    """How far a batch is."""
    with call.reading() as (session, user):
        found = session.get(Batch, batch_id)
        if found is None or not permissions.may_administer(user, found.authority_id):
            raise errors.NotFound()
        return BatchState.of(session, found)


@api.post("/batches/{batch_id}/pause", zh="暂停批次", problems=(409,))
def pause(call: Call, batch_id: int, body: schemas.Nothing) -> BatchState:
    """Let no further case begin."""
    with call.writing() as (session, user):
        return BatchState.of(session, batches.pause(session, batch_id, user=user))


@api.post("/batches/{batch_id}/resume", zh="继续批次", problems=(409,))
def resume(call: Call, batch_id: int, body: schemas.Nothing) -> BatchState:
    """Go on with a paused batch."""
    with call.writing() as (session, user):
        return BatchState.of(session, batches.go_on(session, batch_id, user=user))


@api.post("/batches/{batch_id}/cancel", zh="取消批次", problems=(409,))
def cancel(call: Call, batch_id: int, body: schemas.Nothing) -> BatchState:
    """Give up what has not been done."""
    with call.writing() as (session, user):
        return BatchState.of(session, batches.cancel(session, batch_id, user=user))


@api.post("/batches/{batch_id}/retry", zh="重试批次", problems=(409,))
def retry(call: Call, batch_id: int, body: schemas.Nothing) -> BatchState:
    """Try the failed cases again."""
    with call.writing() as (session, user):
        return BatchState.of(session, batches.retry(session, batch_id, user=user))


def _administrator(user: User) -> None:
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()
