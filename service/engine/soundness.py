"""Does the diagram always come to its end? The token game is played through on every reachable marking.

Conditions are left open: each way a gateway may choose is tried. So a deadlock found here needs only the right
data to happen, and the path says which way leads there. Bounded: beyond MAX_MARKINGS nothing is claimed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from .model import Node, Scope

MAX_MARKINGS = 20_000
MAX_ON_FLOW = 3

# A marking: how many tokens stand on each place. A place is a sequence flow, or "node:<id>" where one rests.
Marking = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """kind: deadlock (``element_id`` waits for ever) | unbounded (tokens pile up there). ``path`` are node ids."""

    kind: str
    element_id: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. ``complete`` is False where the diagram was too large to be played through."""

    flaws: tuple[Flaw, ...]
    markings: int
    complete: bool


def explore(scope: Scope) -> Verdict:
    """Play one scope through. Sub-processes inside count as one step; explore them on their own."""
    first: Marking = (("start", 1),)
    aside = _aside(scope)
    came: dict[Marking, tuple[Marking, str] | None] = {first: None}
    queue, flaws, complete = deque([first]), dict[tuple[str, str], Flaw](), True
    while queue:
        marking = queue.popleft()
        moved = False
        for node_id, following in _steps(scope, marking):
            moved = True
            following = tuple((place, 1 if place in aside else n) for place, n in following)
            crowded = next((place for place, n in following if n > MAX_ON_FLOW), None)
            if crowded is not None:
                at = scope.flows[crowded].target if crowded in scope.flows else node_id
                flaws.setdefault(("unbounded", at), Flaw("unbounded", at, (*_path(came, marking), node_id)))
                continue
            if following in came:
                continue
            if len(came) >= MAX_MARKINGS:
                complete = False
                continue
            came[following] = (marking, node_id)
            queue.append(following)
        if not moved and marking:
            for place, _ in marking:
                at = scope.flows[place].target
                flaws.setdefault(("deadlock", at), Flaw("deadlock", at, _path(came, marking)))
    return Verdict(tuple(flaws.values()), len(came), complete)


def _path(came: dict[Marking, tuple[Marking, str] | None], marking: Marking) -> tuple[str, ...]:
    path: list[str] = []
    step = came[marking]
    while step is not None:
        marking, node_id = step
        path.append(node_id)
        step = came[marking]
    return tuple(reversed(path))


def _steps(scope: Scope, marking: Marking) -> Iterator[tuple[str, Marking]]:
    """Every node that can act, with the marking it leaves."""
    have = dict(marking)
    if "start" in have:
        for start in scope.start_events():
            yield start.id, _after(have, ["start"], start.outgoing)
        return
    for node in scope.nodes.values():
        filled = [f for f in node.incoming if have.get(f)]
        if not filled or node.kind == "startEvent":
            continue
        if node.event is not None and node.kind == "endEvent" and node.event.kind in ("terminate", "error"):
            yield node.id, ()
        elif node.kind == "parallelGateway":
            if len(filled) == len(node.incoming):
                yield node.id, _after(have, node.incoming, node.outgoing)
        elif node.kind == "inclusiveGateway":
            if len(node.incoming) < 2 or not _more_may_come(scope, node, have, filled):
                for taken in _some(node.outgoing):
                    yield node.id, _after(have, filled, taken)
        else:
            for flow_id in filled:
                for taken in _ways_out(scope, node):
                    yield node.id, _after(have, [flow_id], taken)


def _aside(scope: Scope) -> set[str]:
    """Flows that only non-interrupting boundary events lead to. Reminders may pile up there; that is no flaw."""
    main: set[str] = set()
    queue = [n.id for n in scope.start_events()]
    while queue:
        node_id = queue.pop()
        if node_id in main:
            continue
        main.add(node_id)
        queue += [scope.flows[f].target for f in scope.nodes[node_id].outgoing]
        queue += [n.id for n in scope.boundary_events(node_id) if n.interrupting]
    return {f.id for f in scope.flows.values() if f.source not in main}


def _ways_out(scope: Scope, node: Node) -> Iterator[list[str]]:
    if node.kind in ("exclusiveGateway", "eventBasedGateway"):
        yield from ([f] for f in node.outgoing) if node.outgoing else [[]]
        return
    conditional = [f for f in node.outgoing if scope.flows[f].condition is not None or f == node.default]
    plain = [f for f in node.outgoing if f not in conditional]
    if conditional:
        yield from (plain + some for some in _some(conditional))
        if plain:
            yield plain
    else:
        yield plain
    for event in scope.boundary_events(node.id):
        if event.interrupting:
            yield event.outgoing
        else:
            yield plain + event.outgoing


def _some(flow_ids: list[str]) -> Iterator[list[str]]:
    if not flow_ids:
        yield []
    for size in range(1, len(flow_ids) + 1):
        yield from (list(c) for c in combinations(flow_ids, size))


def _more_may_come(scope: Scope, gateway: Node, have: dict[str, int], filled: list[str]) -> bool:
    """BPMN 2.0.2, 13.4.3: a token elsewhere can reach an empty incoming flow and none of the filled ones."""
    reach = {f: _upstream(scope, gateway, f) for f in gateway.incoming}
    for place in have:
        if place in gateway.incoming:
            continue
        at = scope.flows[place].target
        if any(at in reach[f] for f in gateway.incoming if f not in filled) and not any(at in reach[f] for f in filled):
            return True
    return False


def _upstream(scope: Scope, gateway: Node, flow_id: str) -> set[str]:
    found: set[str] = set()
    queue = [scope.flows[flow_id].source]
    while queue:
        node_id = queue.pop()
        if node_id == gateway.id or node_id in found:
            continue
        found.add(node_id)
        node = scope.nodes[node_id]
        queue += [scope.flows[f].source for f in node.incoming]
        if node.attached_to:
            queue.append(node.attached_to)
    return found


def _after(have: dict[str, int], take: list[str], put: list[str]) -> Marking:
    left = dict(have)
    for place in take:
        left[place] -= 1
        if not left[place]:
            del left[place]
    for place in put:
        left[place] = left.get(place, 0) + 1
    return tuple(sorted(left.items()))
