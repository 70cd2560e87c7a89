"""Ways for flows: a search over the lines of the grid that never enters a cell with a node in it.

The lines are the centres of rows and columns and the channels between them. A channel takes any number of flows side
by side; a centre line takes one, unless flows that end at the same node run together there.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Point = tuple[int, int]
"""(horizontal line, vertical line)"""

State = tuple[Point, str, str]
"""Where a search stands, which way it goes, and which way it went before the last turn."""

STEP = {"R": (0, 1), "L": (0, -1), "D": (1, 0), "U": (-1, 0)}
OPPOSITE = {"R": "L", "L": "R", "U": "D", "D": "U"}
TURN = 45
CROSS = 160
SHARED = 2000
SHUNNED = 900


@dataclass(slots=True)
class Line:
    """``kind``: row | column | channel | gap (between pools, for message flows only) | wall (a black-box pool)."""

    kind: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Port:
    """A side of a shape: the first point outside it, the way out, what it costs.

    A flow that does not leave from the middle of the side is ``x`` beside it and has a ``tag``: it shares no line.
    """

    point: Point
    way: str
    cost: float
    tag: str = ""
    x: float = 0


@dataclass(slots=True)
class Wire:
    """A flow to be routed. ``path`` holds the points from the cell of the source to that of the target."""

    id: str
    source: str
    target: str
    outs: list[Port]
    ins: list[Port]
    message: bool = False
    weak: bool = False
    path: list[Point] = field(default_factory=list)
    out: Port | None = None
    into: Port | None = None


Way = tuple[list[Point], Port | None, Port | None]
"""A wire's path and the sides it leaves and enters by."""


@dataclass(slots=True)
class Grid:
    rows: list[Line]
    columns: list[Line]
    blocked: dict[Point, str] = field(default_factory=dict)


class Router:
    """``cross`` is what it costs that two flows cross, in pixels of a detour."""

    def __init__(self, grid: Grid, wires: list[Wire], cross: int = CROSS) -> None:
        self.grid = grid
        self.wires = wires
        self.cross = cross
        self.on_step: dict[tuple[Point, Point], list[Wire]] = defaultdict(list)
        self.through: dict[Point, list[tuple[Wire, str]]] = defaultdict(list)
        self.ports: dict[tuple[str, Point, str], list[Wire]] = defaultdict(list)
        self.leaving: dict[tuple[str, Point, str], list[Wire]] = defaultdict(list)
        self.shunned: set[tuple[Point, Point]] = set()

    def run(self, rounds: int = 4) -> None:
        order = sorted(self.wires, key=self._length)
        for wire in order:
            self._route(wire)
        for _ in range(rounds):
            before = [list(w.path) for w in self.wires]
            for wire in order:
                self._forget(wire)
                self._route(wire)
            if before == [w.path for w in self.wires]:
                break

    def part(self, wire: Wire, other: Wire) -> Way:
        """Lead a wire another way, on no line where the other runs; return the way it went before."""
        before = (wire.path, wire.out, wire.into)
        self._forget(wire)
        self.shunned = {_step(one, two) for one, two in zip(other.path, other.path[1:], strict=False)}
        self._route(wire)
        self.shunned = set()
        return before

    def restore(self, wire: Wire, way: Way) -> None:
        """Lead a wire the way it went before."""
        self._forget(wire)
        wire.path, wire.out, wire.into = way
        self._enter(wire)

    def _length(self, wire: Wire) -> tuple[bool, float]:
        (i, j), (k, m) = wire.outs[0].point, wire.ins[0].point
        rows, columns = self.grid.rows, self.grid.columns
        back = 600 if columns[m].at < columns[j].at else 0
        return wire.weak, abs(rows[i].at - rows[k].at) * 2 + abs(columns[j].at - columns[m].at) + back

    # -- the search --------------------------------------------------------------------------------

    def _route(self, wire: Wire) -> None:
        goals: dict[Point, list[Port]] = defaultdict(list)
        for port in wire.ins:
            goals[port.point].append(port)
        ahead = self._ahead(list(goals))
        queue: list[tuple[float, int, State]] = []
        best: dict[State, float] = {}
        came: dict[State, State | None] = {}
        closed: set[State] = set()
        chosen: dict[State, Port] = {}
        count = 0
        for port in wire.outs:
            if self._open(port.point, wire) or port.point in goals:
                state = (port.point, port.way, "")
                cost = port.cost + self._port_cost(wire, wire.source, port, out=True)
                if cost < best.get(state, 1e18):
                    best[state], came[state], chosen[state] = cost, None, port
                    heapq.heappush(queue, (cost + ahead(port.point), count, state))
                    count += 1
        end: tuple[float, State, Port] | None = None
        while queue:
            least, _, state = heapq.heappop(queue)
            if end is not None and least >= end[0]:
                break
            if state in closed:
                continue
            closed.add(state)
            cost = best[state]
            point, way, before = state
            for port in goals.get(point, ()):
                entering = OPPOSITE[port.way]
                if way == OPPOSITE[entering]:
                    continue
                total = cost + port.cost + self._bend(point, way, entering, before, wire)
                total += self._port_cost(wire, wire.target, port, out=False)
                if end is None or total < end[0]:
                    end = (total, state, port)
            for new_point, new_way, more in self._moves(point, way, before, wire, chosen.get(state)):
                new = (new_point, new_way, before if new_way == way else way)
                if cost + more < best.get(new, 1e18):
                    best[new], came[new] = cost + more, state
                    if state in chosen and new_way == way and chosen[state].tag:
                        chosen[new] = chosen[state]
                    else:
                        chosen.pop(new, None)
                    heapq.heappush(queue, (cost + more + ahead(new_point), count, new))
                    count += 1
        if end is None:
            raise RuntimeError(f"no way for {wire.id}")
        self._keep(wire, end[1], end[2], came)

    def _ahead(self, goals: list[Point]) -> Callable[[Point], float]:
        """A lower bound of the way from a point to the nearest goal; running together is the cheapest way to go."""
        rows, columns = self.grid.rows, self.grid.columns
        low, high = min(j for _, j in goals), max(j for _, j in goals)
        left, right = columns[low].at, columns[high].at
        top, bottom = rows[min(i for i, _ in goals)].at, rows[max(i for i, _ in goals)].at

        def ahead(point: Point) -> float:
            y, x = rows[point[0]].at, columns[point[1]].at
            return 0.7 * (max(left - x, 0, x - right) + max(top - y, 0, y - bottom))

        return ahead

    def _keep(self, wire: Wire, state: State, port: Port, came: dict[State, State | None]) -> None:
        points = [_inside(port), state[0]]
        while (previous := came[state]) is not None:
            state = previous
            points.append(state[0])
        first = next(p for p in wire.outs if (p.point, p.way) == state[:2])
        points.append(_inside(first))
        wire.path, wire.out, wire.into = points[::-1], first, port
        self._enter(wire)

    def _enter(self, wire: Wire) -> None:
        assert wire.out is not None
        assert wire.into is not None
        for one, other in zip(wire.path, wire.path[1:], strict=False):
            self.on_step[_step(one, other)].append(wire)
        for point, way in _straight(wire.path):
            self.through[point].append((wire, way))
        self.leaving[(wire.source, wire.out.point, wire.out.way)].append(wire)
        self.ports[(wire.target, wire.into.point, wire.into.way)].append(wire)

    def _forget(self, wire: Wire) -> None:
        assert wire.out is not None
        assert wire.into is not None
        for one, other in zip(wire.path, wire.path[1:], strict=False):
            self.on_step[_step(one, other)].remove(wire)
        for point, way in _straight(wire.path):
            self.through[point].remove((wire, way))
        self.leaving[(wire.source, wire.out.point, wire.out.way)].remove(wire)
        self.ports[(wire.target, wire.into.point, wire.into.way)].remove(wire)

    def _open(self, point: Point, wire: Wire) -> bool:
        i, j = point
        if not (0 <= i < len(self.grid.rows) and 0 <= j < len(self.grid.columns)) or point in self.grid.blocked:
            return False
        kind = self.grid.rows[i].kind
        return kind != "wall" and (kind != "gap" or wire.message)

    def _moves(
        self, point: Point, way: str, before: str, wire: Wire, port: Port | None
    ) -> Iterator[tuple[Point, str, float]]:
        for new_way, (di, dj) in STEP.items():
            if new_way == OPPOSITE[way]:
                continue
            new = (point[0] + di, point[1] + dj)
            if not self._open(new, wire):
                continue
            cost = self._length_of(point, new)
            cost += self._bend(point, way, new_way, before, wire)
            yield new, new_way, max(0.0, cost + self._sharing(point, new, wire, port if new_way == way else None))

    def _bend(self, point: Point, way: str, new_way: str, before: str, wire: Wire) -> float:
        """What going on in ``new_way`` costs. Who turns into a channel and leaves it on the far side crosses it."""
        if new_way == way:
            return self._crossing(point, way, wire)
        cost = TURN + self._touching(point, wire)
        return cost + self._crossing(point, new_way, wire) if new_way == before else cost

    def _crossing(self, point: Point, way: str, wire: Wire) -> float:
        across = "v" if way in "LR" else "h"
        return sum(
            self.cross * (0.6 if other.weak or other.message or wire.message else 1)
            for other, axis in self.through[point]
            if axis == across and other.target != wire.target
        )

    def _touching(self, point: Point, wire: Wire) -> float:
        """Turning where another flow passes is clear only where one of the two lines is a channel."""
        i, j = point
        if self.grid.rows[i].kind == "row" and self.grid.columns[j].kind == "column":
            return sum(self.cross for other, _ in self.through[point] if other.target != wire.target)
        return 0

    def _sharing(self, one: Point, other: Point, wire: Wire, port: Port | None) -> float:
        step = _step(one, other)
        there = self.on_step.get(step)
        if not there:
            return 0
        if step in self.shunned:
            return SHUNNED
        line = self.grid.rows[one[0]] if one[0] == other[0] else self.grid.columns[one[1]]
        return sum(self._beside(present, wire, line, one, other, port) for present in there)

    def _beside(self, present: Wire, wire: Wire, line: Line, one: Point, other: Point, port: Port | None) -> float:
        tag = port.tag if port is not None else ""
        there = present.out.tag if present.out is not None else ""
        if present.target == wire.target:
            # Running together to the same node is a little better than side by side.
            return -0.3 * self._length_of(one, other)
        if line.kind in ("channel", "gap"):
            return 4
        if present.source == wire.source and port is not None:
            return 0 if there != tag else 60
        if tag or (there and one[1] == other[1]):
            return 150
        return SHARED

    def _length_of(self, one: Point, other: Point) -> float:
        rows, columns = self.grid.rows, self.grid.columns
        return abs(rows[one[0]].at - rows[other[0]].at) + abs(columns[one[1]].at - columns[other[1]].at)

    def _port_cost(self, wire: Wire, node: str, port: Port, *, out: bool) -> float:
        key = (node, port.point, port.way)
        leaving = [w for w in self.leaving[key] if w is not wire and w.out is not None and w.out.tag == port.tag]
        arriving = [w for w in self.ports[key] if w is not wire and not port.tag]
        if out:
            return 260 * len(leaving) + 500 * len(arriving)
        return 500 * len([w for w in self.leaving[key] if w is not wire and w.out is not None and not w.out.tag])


def _inside(port: Port) -> Point:
    di, dj = STEP[OPPOSITE[port.way]]
    return port.point[0] + di, port.point[1] + dj


def _step(one: Point, other: Point) -> tuple[Point, Point]:
    return (one, other) if one < other else (other, one)


def _straight(path: list[Point]) -> Iterator[tuple[Point, str]]:
    """The points a path goes through without turning, with the axis."""
    for before, point, after in zip(path, path[1:], path[2:], strict=False):
        if before[0] == point[0] == after[0]:
            yield point, "h"
        elif before[1] == point[1] == after[1]:
            yield point, "v"
