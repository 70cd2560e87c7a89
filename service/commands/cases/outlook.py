"""What lies ahead of a case, read from its own diagrams: the next steps, and how far along it is."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, wording
from service.commands.procedures import deployments
from service.engine.model import Node, Process, Scope
from service.models import Instance, StepNorm, Task

STAGES = ("userTask", "manualTask", "callActivity", "subProcess")
MOST_NEXT = 8
LEAST_KNOWN = 3
"""So many cases must have passed a step before its usual time says anything."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where a task may lead. ``kind``: task | part | wait | end | back (into the diagram
    that called this one); ``ways`` are the names of the flows that lead there."""

    kind: str
    element_id: str
    name: str
    lane: str | None
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """How far a case is: the ``number``-th of ``total`` steps, what it is called, when it may be over."""

    number: int
    total: int
    name: str
    expected: datetime | None
    passed: tuple[str, ...]
    ahead: tuple[str, ...]


def next_steps(session: Session, task: Task) -> list[NextStep]:
    """The steps that can follow a task, in the order of the diagram; automatic ones are passed through."""
    bundle = deployments.bundle(session, task.instance.deployment_id)
    process = bundle.models.get(task.process_id)
    place = _place(process, task.element_id) if process else None
    if process is None or place is None:
        return []
    found: dict[str, NextStep] = {}
    for step in _ahead(place[0], place[1], (), set()):
        found.setdefault(step.element_id, step)
    called = task.process_id != task.instance.process_id
    steps = [replace(one, kind="back") if called and one.kind == "end" else one for one in found.values()][:MOST_NEXT]

    def say(text: str) -> str:
        return wording.text(session, task.instance.deployment_id, task.process_id, text)

    return [
        replace(one, name=say(one.name), lane=say(one.lane) if one.lane else None, ways=tuple(map(say, one.ways)))
        for one in steps
    ]


def course(session: Session, instance: Instance, states: dict[str, str]) -> Course | None:
    """How far a case is on the way to its farthest end; None where the diagram has no steps for people.

    ``states`` is where its own diagram stands: element id -> active | done | …
    """
    bundle = deployments.bundle(session, instance.deployment_id)
    process = bundle.models.get(instance.process_id)
    stages = main_line(bundle, process, states) if process is not None else []
    if not stages:
        return None
    ids = [one.id for one in stages]
    active = [place for place, one in enumerate(ids) if states.get(one) in ("active", "incident")]
    done = [place for place, one in enumerate(ids) if states.get(one) == "done"]
    at = min(active) if active else min(max(done, default=-1) + 1, len(ids) - 1)
    expected = _expected(session, bundle, instance, stages[at:]) if instance.ended_at is None else None
    names = [wording.text(session, instance.deployment_id, instance.process_id, one.label) for one in stages]
    return Course(at + 1, len(ids), names[at], expected, tuple(names[:at]), tuple(names[at + 1 :]))


def main_line(bundle: engine.Bundle, process: Process, gone: Container[str] = ()) -> list[Node]:
    """The steps on the shortest way to the end that is farthest from the start; of ways as short, the one that is gone.

    ``gone`` are the elements that the case has come through.
    """
    starts = process.start_events()
    if not starts:
        return []
    cost: dict[str, tuple[int, int]] = {starts[0].id: (0, 0)}
    came: dict[str, str] = {}
    queue = [((0, 0), 0, starts[0].id)]
    count = 0
    while queue:
        far, _, node_id = heapq.heappop(queue)
        if far > cost[node_id]:
            continue
        for flow_id in process.nodes[node_id].outgoing:
            target = process.nodes[process.flows[flow_id].target]
            further = far[0] + _is_stage(bundle, target), far[1] + (target.id not in gone)
            if target.id not in cost or further < cost[target.id]:
                cost[target.id], came[target.id] = further, node_id
                count += 1
                heapq.heappush(queue, (further, count, target.id))
    ends = [one for one in process.nodes.values() if one.kind == "endEvent" and one.id in cost]
    if not ends:
        return []
    at: str | None = max(ends, key=lambda one: cost[one.id][0]).id
    line: list[Node] = []
    while at is not None:
        node = process.nodes[at]
        if _is_stage(bundle, node):
            line.append(node)
        at = came.get(at)
    return line[::-1]


def _is_stage(bundle: engine.Bundle, node: Node) -> bool:
    """A step that people do, or a part of the diagram with such steps in it."""
    if node.kind == "callActivity":
        called = bundle.models.get(node.called_process or "")
        return called is not None and any(one.kind == "userTask" for _, one in called.walk())
    if node.kind == "subProcess":
        return node.scope is not None and any(one.kind == "userTask" for _, one in node.scope.walk())
    return node.kind in STAGES


def _expected(session: Session, bundle: engine.Bundle, instance: Instance, stages: Sequence[Node]) -> datetime | None:
    """When the case may be over: the usual times of what is left, where each of its steps is known well enough."""
    wanted = [pair for one in stages for pair in _steps(bundle, instance.process_id, one)]
    norms = {
        (row.process_id, row.element_id): row
        for row in session.scalars(
            select(StepNorm).where(
                StepNorm.authority_id == instance.authority_id,
                StepNorm.process_id.in_({process for process, _ in wanted}),
            )
        )
    }
    known = [norms[pair] for pair in wanted if pair in norms and norms[pair].count >= LEAST_KNOWN]
    first = _steps(bundle, instance.process_id, stages[0])
    if not any(pair in norms and norms[pair].count >= LEAST_KNOWN for pair in first):
        return None
    return clock.now() + timedelta(seconds=sum(one.median for one in known))


def _steps(bundle: engine.Bundle, process_id: str, node: Node) -> list[tuple[str, str]]:
    if node.kind == "callActivity":
        called = bundle.models.get(node.called_process or "")
        return [(called.id, one.id) for one in main_line(bundle, called)] if called is not None else []
    if node.scope is not None:
        return [(process_id, one.id) for _, one in node.scope.walk() if one.kind == "userTask"]
    return [(process_id, node.id)]


_Level = tuple[Scope, Node | None]
"""A scope, and the node of the scope around it that it belongs to."""


def _place(process: Process, element_id: str) -> tuple[list[_Level], Node] | None:
    """The scopes around an element, from the outside in, and the element."""

    def search(scope: Scope, levels: list[_Level]) -> tuple[list[_Level], Node] | None:
        for node in scope.nodes.values():
            if node.id == element_id:
                return levels, node
            if node.scope is not None:
                found = search(node.scope, [*levels, (node.scope, node)])
                if found is not None:
                    return found
        return None

    return search(process, [(process, None)])


def _ahead(levels: Sequence[_Level], node: Node, ways: tuple[str, ...], seen: set[str]) -> Iterator[NextStep]:
    scope = levels[-1][0]
    for flow_id in node.outgoing:
        flow = scope.flows[flow_id]
        target = scope.nodes[flow.target]
        if target.id in seen:
            continue
        seen = {*seen, target.id}
        named = (*ways, flow.name) if flow.name else ways
        if target.kind in STAGES:
            kind = "task" if target.kind in ("userTask", "manualTask") else "part"
            yield NextStep(kind, target.id, target.label, target.lane, named)
        elif target.kind in ("intermediateCatchEvent", "receiveTask"):
            yield NextStep("wait", target.id, target.label, target.lane, named)
        elif target.kind == "endEvent":
            yield from _after_end(levels, target, named, seen)
        else:
            yield from _ahead(levels, target, named, seen)


def _after_end(levels: Sequence[_Level], end: Node, ways: tuple[str, ...], seen: set[str]) -> Iterator[NextStep]:
    """Behind the end of a sub-process the scope around it goes on; what an error or a termination does is said."""
    kind = end.event.kind if end.event is not None else "none"
    around = levels[-1][1]
    if around is not None and around.triggered_by_event:
        yield NextStep("back", end.id, end.label, end.lane, ways)
    elif kind == "none" and around is not None:
        yield from _ahead(levels[:-1], around, ways, seen)
    else:
        yield NextStep("end", end.id, end.label, end.lane, ways)
