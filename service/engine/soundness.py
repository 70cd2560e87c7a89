"""Does the diagram always come to its end? The token game is played through on every reachable marking.

Conditions are left open: each way a gateway may choose is tried. So a deadlock found here needs only the right
data to happen, and the path says which way leads there. Bounded: beyond MAX_MARKINGS nothing is claimed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from .model import Node, Scope

MAX_MARKINGS = 20_000
MAX_ON_FLOW = 8
SECONDS = 1.0

# A marking: how many tokens stand on each place. A place is a sequence flow, or "start" before anything happened.
Marking = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that can go wrong, with the shortest way that leads there (node ids).

    kind: deadlock (``element_id`` waits for ever) | unbounded (tokens pile up there) | livelock (there is no way
    to an end any more) | lost (``element_id`` ends everything while other branches are still at work).
    """

    kind: str
    element_id: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. ``complete`` is False where the diagram was too large to be played through."""

    flaws: tuple[Flaw, ...]
    markings: int
    complete: bool

    @property
    def sound(self) -> bool:
        """True where it can always come to an end, whichever way it goes. Being cut short is no flaw."""
        return self.complete and all(flaw.kind == "lost" for flaw in self.flaws)


def explore(scope: Scope, seconds: float = SECONDS) -> Verdict:
    """Play one scope through. Sub-processes inside count as one step; explore them on their own."""
    return _Game(scope, time.monotonic() + seconds).play()


class _Game:
    """The token game on one scope."""

    def __init__(self, scope: Scope, until: float) -> None:
        self.scope, self.until = scope, until
        self.aside = _aside(scope)
        # Where a step only needs tokens, never their absence, a marking that covers an earlier one repeats for ever.
        self.monotone = not any(n.kind == "inclusiveGateway" and len(n.incoming) > 1 for n in scope.nodes.values())
        self.came: dict[Marking, tuple[Marking, str] | None] = {}
        self.before: dict[Marking, list[Marking]] = {}
        self.stops: list[Marking] = []
        self.flaws: dict[tuple[str, str], Flaw] = {}
        self.complete, self.hopeless = True, False

    def play(self) -> Verdict:
        first: Marking = (("start", 1),)
        self.came[first] = None
        queue = deque([first])
        late = False
        while queue and not self.hopeless and not late:
            marking = queue.popleft()
            moved = False
            for node_id, following in _steps(self.scope, marking):
                moved = True
                if time.monotonic() > self.until:
                    self.complete, late = False, True
                    break
                if not following and len(marking) > 1:
                    self._lost(marking, node_id)
                self._arrive(marking, node_id, following, queue)
            if not moved:
                self.stops.append(marking)
                self._stuck(marking)
        if self.complete and not self.hopeless:
            self._endless()
        return Verdict(tuple(self.flaws.values()), len(self.came), self.complete)

    def _arrive(self, marking: Marking, node_id: str, following: Marking, queue: deque[Marking]) -> None:
        following = tuple((place, 1 if place in self.aside else n) for place, n in following)
        if following in self.came:
            self.before.setdefault(following, []).append(marking)
            return
        crowded = self._crowded(marking, following)
        if crowded is not None:
            at = self.scope.flows[crowded].target if crowded in self.scope.flows else node_id
            path = (*_path(self.came, marking), node_id)
            self.flaws.setdefault(("unbounded", at), Flaw("unbounded", at, path))
            # It piles up further from here; that is said, and whether it could also end is not asked.
            self.stops.append(marking)
            # Without the covering rule nothing bounds the rest of the search.
            self.hopeless = not self.monotone
            return
        if len(self.came) >= MAX_MARKINGS:
            self.complete = False
            return
        self.came[following] = (marking, node_id)
        self.before.setdefault(following, []).append(marking)
        queue.append(following)

    def _crowded(self, marking: Marking, following: Marking) -> str | None:
        """The place at which tokens pile up without end, if they do."""
        if not self.monotone:
            return next((place for place, n in following if n > MAX_ON_FLOW), None)
        have = dict(following)
        total = sum(have.values())
        earlier: Marking | None = marking
        while earlier is not None:
            smaller = len(earlier) <= len(following) and sum(n for _, n in earlier) < total
            if smaller and all(have.get(place, 0) >= n for place, n in earlier):
                less = dict(earlier)
                more = [place for place, n in following if n > less.get(place, 0) and place not in self.aside]
                if more and "start" not in less:
                    # The one that holds several says it best.
                    return max(more, key=lambda place: have[place])
            came = self.came[earlier]
            earlier = None if came is None else came[0]
        return None

    def _stuck(self, marking: Marking) -> None:
        for place, _ in marking:
            at = self.scope.flows[place].target
            self.flaws.setdefault(("deadlock", at), Flaw("deadlock", at, _path(self.came, marking)))

    def _lost(self, marking: Marking, node_id: str) -> None:
        self.flaws.setdefault(("lost", node_id), Flaw("lost", node_id, (*_path(self.came, marking), node_id)))

    def _endless(self) -> None:
        """Markings from which there is no way to an end, nor to anything else that was said already."""
        if any(node.interrupting for node in self._exits()):
            return
        good, queue = set(self.stops), list(self.stops)
        while queue:
            for earlier in self.before.get(queue.pop(), ()):
                if earlier not in good:
                    good.add(earlier)
                    queue.append(earlier)
        hopeless = [marking for marking in self.came if marking not in good]  # in the order of their distance
        if hopeless:
            path = _path(self.came, self._round(hopeless))
            at = path[-1] if path else self.scope.start_events()[0].id
            self.flaws.setdefault(("livelock", at), Flaw("livelock", at, path))

    def _round(self, hopeless: list[Marking]) -> Marking:
        """The first marking from which a step leads back to one on the way to it: the way shows the whole loop.

        A loop that is entered at two places may have none; then the furthest, to which a way leads in any case.
        """
        after: dict[Marking, list[Marking]] = {}
        for marking in hopeless:
            for earlier in self.before.get(marking, ()):
                after.setdefault(earlier, []).append(marking)
        for marking in hopeless:
            on_the_way, step = {marking}, self.came[marking]
            while step is not None:
                on_the_way.add(step[0])
                step = self.came[step[0]]
            if any(following in on_the_way for following in after.get(marking, ())):
                return marking
        return hopeless[-1]

    def _exits(self) -> Iterator[Node]:
        """What may end the scope from outside the flow: event sub-processes that interrupt it."""
        for node in self.scope.event_subprocesses():
            if node.scope is not None:
                yield from node.scope.start_events()


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
