"""Closed cases, decided again by the tables and gateways of a working copy: how many would have gone differently?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine, errors, permissions
from service.engine.backtest import Again, Past, Replay
from service.models import Event, Instance, User

from . import deployments

CLOSED = ("completed", "terminated")
MOST_CASES = 1000
CHUNK = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision of a closed case that would come out differently, the first on its way that does."""

    instance_id: int
    number: str
    title: str
    process_id: str
    element_id: str
    element_name: str
    again: Again


@dataclass(slots=True)
class Backtest:
    """What came of it. ``cases`` were looked at, ``decided`` of them had a decision that could change;
    ``unknown`` decisions could not be made again."""

    cases: int = 0
    decided: int = 0
    decisions: int = 0
    unknown: int = 0
    more: bool = False
    differences: list[Difference] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, list[Difference]]]:
        """The differences by the step at which they come about, the most frequent first."""
        found: dict[str, list[Difference]] = {}
        for one in self.differences:
            found.setdefault(one.element_name or one.element_id, []).append(one)
        return sorted(found.items(), key=lambda group: -len(group[1]))


def run(session: Session, files: Mapping[str, bytes], *, user: User, limit: int = MOST_CASES) -> Backtest:
    """Make the decisions of the closed cases again, the newest ``limit`` of them.

    Raises BundleRejected where the files could not be deployed: what does not run decides nothing.
    """
    if not permissions.may_deploy(user, user.authority_id):
        raise errors.Forbidden()
    findings = deployments.validate(session, files)
    if any(one.severity == "error" for one in findings):
        raise deployments.BundleRejected(findings)
    new = engine.load_bundle(files)
    found = Backtest()
    replays: dict[int, Replay] = {}
    rows = _closed(session, user.authority_id, list(new.models), limit + 1)
    found.more = len(rows) > limit
    rows = rows[:limit]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        history = _history(session, [instance.id for instance in chunk])
        for instance in chunk:
            if instance.deployment_id not in replays:
                replays[instance.deployment_id] = Replay(deployments.bundle(session, instance.deployment_id), new)
            _case(found, instance, replays[instance.deployment_id], history.get(instance.id, []))
    return found


def _closed(session: Session, authority_id: int, process_ids: Sequence[str], limit: int) -> Sequence[Any]:
    return session.execute(
        select(Instance.id, Instance.number, Instance.title, Instance.deployment_id)
        .where(
            Instance.authority_id == authority_id,
            Instance.status.in_(CLOSED),
            Instance.process_id.in_(process_ids),
        )
        .order_by(Instance.id.desc())
        .limit(limit)
    ).all()


def _history(session: Session, ids: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    query = (
        select(
            Event.instance_id,
            Event.kind,
            Event.process_id,
            Event.element_id,
            Event.element_name,
            Event.at,
            Event.data,
        )
        .where(Event.instance_id.in_(ids), Event.kind.in_(("variables", "decision", "flow")))
        .order_by(Event.instance_id, Event.id)
    )
    for event in session.execute(query):
        found.setdefault(event.instance_id or 0, []).append(event)
    return found


def _case(found: Backtest, instance: Any, replay: Replay, events: Sequence[Any]) -> None:
    found.cases += 1
    decided = False
    for event, past in _pasts(replay, events):
        decided = True
        found.decisions += 1
        again = replay.again(past)
        if again.differs is None:
            found.unknown += 1
        elif again.differs:
            found.differences.append(_difference(instance, replay, event, past, again))
            # After this the case would have gone another way; what it decided there says nothing.
            break
    found.decided += decided


def _pasts(replay: Replay, events: Sequence[Any]) -> Iterator[tuple[Any, Past]]:
    """The decisions of a case that can come out differently, each with what the case knew then."""
    known: dict[str, Any] = {}
    for event in events:
        process_id, element_id, data = event.process_id or "", event.element_id or "", event.data
        if event.kind == "variables":
            for path, value in data.items():
                # Beside the variables of a scope stands the way to it.
                if path != "path" or not isinstance(value, list):
                    _write(known, path, value)
            continue
        kind = "table" if event.kind == "decision" else "gateway"
        if not replay.touches(kind, process_id, element_id):
            continue
        outcome = data.get("result") if kind == "table" else element_id
        read = data.get("read")
        yield (
            event,
            Past(
                "table" if kind == "table" else "gateway",
                process_id,
                element_id,
                outcome,
                event.at,
                dict(known),
                read if isinstance(read, dict) else {},
            ),
        )


def _write(known: dict[str, Any], path: str, value: Any) -> None:
    name, _, rest = path.partition(".")
    if not rest:
        known[name] = value
        return
    inner = known.get(name)
    known[name] = dict(inner) if isinstance(inner, dict) else {}
    _write(known[name], rest, value)


def _difference(instance: Any, replay: Replay, event: Any, past: Past, again: Again) -> Difference:
    node = replay.old.node(past.process_id, past.element_id)
    element_id, name = past.element_id, event.element_name
    if past.kind == "gateway":
        process = replay.old.models[past.process_id]
        node = next(each for _, each in process.walk() if past.element_id in each.outgoing)
        element_id = node.id
    return Difference(
        instance.id,
        instance.number,
        instance.title or "",
        past.process_id,
        element_id,
        node.label if node is not None else name,
        again,
    )


__all__ = ["Backtest", "Difference", "run"]
