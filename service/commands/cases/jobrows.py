"""What a job's row says: of a token that waits, of a message, of a start event's timer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service import engine
from service.engine import feel
from service.engine.timers import parse_cycle, parse_date, parse_duration
from service.models import Instance, ProcessDefinition


def for_wait(instance: Instance, wait: engine.JobWait | engine.TimerWait, *, now: datetime) -> dict[str, Any]:
    """The row of a service task or a timer that a token has come to."""
    row = queued(
        instance.authority_id,
        now,
        instance_id=instance.id,
        token=wait.token,
        element_id=wait.element_id,
        process_id=wait.process_id,
    )
    if isinstance(wait, engine.TimerWait):
        return {**row, "kind": "timer", "due_at": wait.due}
    return {
        **row,
        "kind": "service",
        "topic": wait.topic,
        "retries": max(wait.retries, 1),
        "payload": {"headers": dict(wait.headers)},
    }


def for_message(instance: Instance, thrown: engine.Happened, *, now: datetime) -> dict[str, Any]:
    """The row that publishes a message an instance has thrown, after the throwing step is safe."""
    return {
        **queued(
            instance.authority_id,
            now,
            instance_id=instance.id,
            element_id=thrown.element_id,
            process_id=thrown.process_id,
        ),
        "kind": "message",
        "payload": {"throw": dict(thrown.data)},
    }


def for_published(instance: Instance, message_id: int, now: datetime) -> dict[str, Any]:
    """The row that brings a message to listeners that came after it."""
    return {
        **queued(instance.authority_id, now, instance_id=instance.id),
        "kind": "message",
        "payload": {"published": message_id},
    }


def queued(authority_id: int, now: datetime, **columns: Any) -> dict[str, Any]:
    """A row that is due at once and belongs to nothing, but for what ``columns`` say."""
    return {
        "authority_id": authority_id,
        "instance_id": None,
        "definition_id": None,
        "token": None,
        "element_id": None,
        "process_id": None,
        "topic": "",
        "status": "queued",
        "due_at": now,
        "attempts": 0,
        "retries": 3,
        "payload": {},
        "created_at": now,
        **columns,
    }


def start_timer(definition: ProcessDefinition, start: Mapping[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    """The row that starts a case when the timer of a start event is due; none where that time is past."""
    kind, expression = start["timer"]
    due, payload = _first(kind, expression, now)
    if due is None:
        return []
    return [_start(definition, start["element_id"], due, payload, now)]


def next_start(
    definition: ProcessDefinition, payload: Mapping[str, Any], due_at: datetime, *, now: datetime
) -> list[dict[str, Any]]:
    """The next round of a start event's cycle, counted from when the last was due and not from a late worker."""
    cycle, left = payload.get("cycle"), payload.get("left")
    if cycle is None or left == 1:
        return []
    due = parse_cycle(cycle).every.after(due_at)
    following = {"cycle": cycle, "left": None if left is None else left - 1}
    return [_start(definition, payload["element_id"], due, following, now)]


def _first(kind: str, expression: str, now: datetime) -> tuple[datetime | None, dict[str, Any]]:
    value = expression
    if expression.lstrip().startswith("="):
        value = str(feel.evaluate(expression.strip()[1:], {}, now=now))
    if kind == "date":
        due = parse_date(value)
        return (due if due >= now else None), {}
    if kind == "duration":
        return parse_duration(value).after(now), {}
    cycle = parse_cycle(value)
    due, left = cycle.start or cycle.every.after(now), cycle.times
    while due < now and left != 1:
        due, left = cycle.every.after(due), None if left is None else left - 1
    return (due if due >= now else None), {"cycle": value, "left": left}


def _start(
    definition: ProcessDefinition, element_id: str, due: datetime, payload: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    return queued(
        definition.authority_id,
        now,
        definition_id=definition.id,
        process_id=definition.process_id,
        kind="start",
        due_at=due,
        payload={**payload, "element_id": element_id},
    )
