"""What an administrator may want to look at: steps that take longer than they usually do, and cases nobody minds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, aliased

from service import clock
from service.commands.cases.difference import table_of
from service.models import (
    CockpitPolicy,
    Instance,
    StepNorm,
    Symptom,
    Task,
)

from .liveness import RUNNING

ENOUGH = 20
"""So many tasks of a step have to be done before "usually" means anything."""
_BLIND = {"synchronize_session": False}


def learn(session: Session) -> int:
    """Learn how long steps take from the tasks handed in during the last year; how many steps are known."""
    now = clock.now()
    postgres = session.get_bind().dialect.name == "postgresql"
    seconds = (
        func.extract("epoch", Task.completed_at - Task.created_at)
        if postgres
        else (func.julianday(Task.completed_at) - func.julianday(Task.created_at)) * 86400
    )
    done = (
        select(Task.authority_id, Task.process_id, Task.element_id, seconds.label("seconds"))
        .where(Task.status == "completed", Task.completed_at > now - timedelta(days=365))
        .subquery()
    )
    group = (done.c.authority_id, done.c.process_id, done.c.element_id)
    ranked = select(
        *group,
        done.c.seconds,
        func.row_number().over(partition_by=group, order_by=done.c.seconds).label("rank"),
        func.count().over(partition_by=group).label("n"),
    ).subquery()
    half, most = (ranked.c.n + 1) / 2, (ranked.c.n * 19 + 19) / 20
    rows = session.execute(
        select(
            ranked.c.authority_id,
            ranked.c.process_id,
            ranked.c.element_id,
            func.max(ranked.c.n),
            func.max(ranked.c.seconds).filter(ranked.c.rank <= half),
            func.max(ranked.c.seconds).filter(ranked.c.rank <= most),
        )
        .where(ranked.c.n >= ENOUGH)
        .group_by(ranked.c.authority_id, ranked.c.process_id, ranked.c.element_id)
    ).all()
    session.execute(delete(StepNorm), execution_options=_BLIND)
    if rows:
        session.execute(
            insert(table_of(StepNorm)),
            [
                {
                    "authority_id": row[0],
                    "process_id": row[1],
                    "element_id": row[2],
                    "count": row[3],
                    "median": float(row[4] or 0),
                    "p95": float(row[5] or 0),
                    "learned_at": now,
                }
                for row in rows
            ],
        )
    return len(rows)


def diagnose(session: Session) -> int:
    """Note what is overdue, slow, untouched, an orphan or bound to be late; how many notes there are now."""
    now = clock.now()
    wanted: dict[tuple[str, int, int | None], dict[str, Any]] = {}
    for rows in (_overdue(session, now), _slow(session, now), _untouched(session, now), _orphans(session)):
        for row in rows:
            wanted[(row["kind"], row["instance_id"], row["task_id"])] = row
    standing = {
        (kind, instance_id, task_id): row_id
        for row_id, kind, instance_id, task_id in session.execute(
            select(Symptom.id, Symptom.kind, Symptom.instance_id, Symptom.task_id).where(Symptom.kind != "looping")
        )
    }
    over = [row_id for key, row_id in standing.items() if key not in wanted]
    for start in range(0, len(over), 500):
        session.execute(delete(Symptom).where(Symptom.id.in_(over[start : start + 500])), execution_options=_BLIND)
    new = [row for key, row in wanted.items() if key not in standing]
    if new:
        session.execute(insert(table_of(Symptom)), new)
    gone = select(Instance.id).where(Instance.status.not_in(RUNNING))
    session.execute(
        delete(Symptom).where(Symptom.kind == "looping", Symptom.instance_id.in_(gone)), execution_options=_BLIND
    )
    return len(wanted)


def _open_tasks() -> Any:
    return (
        select(
            Task.id,
            Task.authority_id,
            Task.instance_id,
            Task.process_id,
            Task.element_id,
            Task.name,
            Task.created_at,
            Task.due_at,
        )
        .join(Instance, Instance.id == Task.instance_id)
        .where(Task.status == "open", Instance.status.in_(RUNNING))
    )


def _of_task(kind: str, row: Any, since: datetime, **data: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "authority_id": row.authority_id,
        "instance_id": row.instance_id,
        "task_id": row.id,
        "process_id": row.process_id,
        "element_id": row.element_id,
        "element_name": row.name,
        "since": since,
        "data": data,
    }


def _overdue(session: Session, now: datetime) -> list[dict[str, Any]]:
    rows = session.execute(_open_tasks().where(Task.due_at < now))
    return [_of_task("overdue", row, row.due_at) for row in rows]


def _slow(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Older than nineteen in twenty of its kind – or sure to miss its deadline at the usual pace."""
    norm = StepNorm
    same = (
        (norm.authority_id == Task.authority_id)
        & (norm.process_id == Task.process_id)
        & (norm.element_id == Task.element_id)
    )
    rows = session.execute(_open_tasks().add_columns(norm.median, norm.p95).join(norm, same)).all()
    found = []
    for row in rows:
        age = (now - row.created_at).total_seconds()
        if age > row.p95:
            since = row.created_at + timedelta(seconds=row.p95)
            found.append(_of_task("slow", row, since, p95=row.p95, median=row.median))
        elif row.due_at is not None and row.due_at > now:
            left = (row.due_at - now).total_seconds()
            if left < row.median - age:
                found.append(_of_task("forecast", row, row.due_at, median=row.median))
    return found


def _untouched(session: Session, now: datetime) -> list[dict[str, Any]]:
    days = dict(session.execute(select(CockpitPolicy.authority_id, CockpitPolicy.untouched_days)).all())
    least = min([30, *days.values()])
    rows = session.execute(
        select(Instance.id, Instance.authority_id, Instance.process_id, Instance.updated_at).where(
            Instance.status.in_(RUNNING), Instance.updated_at < now - timedelta(days=least)
        )
    )
    return [
        _of_case("untouched", row, row.updated_at)
        for row in rows
        if row.updated_at < now - timedelta(days=days.get(row.authority_id, 30))
    ]


def _orphans(session: Session) -> list[dict[str, Any]]:
    """Cases another case began that is over and waits for nothing of them any more."""
    parent = aliased(Instance)
    rows = session.execute(
        select(
            Instance.id, Instance.authority_id, Instance.process_id, parent.ended_at.label("updated_at"), parent.number
        )
        .join(parent, parent.id == Instance.parent_instance_id)
        .where(Instance.status.in_(RUNNING), parent.status == "terminated")
    )
    return [_of_case("orphan", row, row.updated_at, parent=row.number) for row in rows]


def _of_case(kind: str, row: Any, since: datetime, **data: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "authority_id": row.authority_id,
        "instance_id": row.id,
        "task_id": None,
        "process_id": row.process_id,
        "element_id": None,
        "element_name": "",
        "since": since,
        "data": data,
    }
