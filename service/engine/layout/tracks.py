"""Flows side by side in a channel: who runs left of whom, so that few cross, and how many tracks that takes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from .routing import Grid, Point, Wire


@dataclass(slots=True, eq=False)
class Run:
    """A straight stretch of one wire, or of several that run together to the same node.

    ``line`` is the index of its own line, ``low`` and ``high`` index the lines across. ``turns`` says to which side
    (-1 left or up, +1 right or down) the wires go on where they leave the stretch.
    """

    upright: bool
    line: int
    low: int
    high: int
    turns: list[tuple[int, int]] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    after: tuple[Point, ...] = ()
    level: int = 0
    at: float = 0.0


def runs_of(wire: Wire) -> list[tuple[Point, Point]]:
    """The straight stretches of a path, in order, as pairs of end points."""
    path = wire.path
    corners = [path[0]]
    for before, point, after in zip(path, path[1:], path[2:], strict=False):
        if (before[0] == point[0]) != (point[0] == after[0]):
            corners.append(point)
    corners.append(path[-1])
    return list(pairwise(corners))


def lay(
    grid: Grid, wires: list[Wire], extra: list[Run]
) -> tuple[dict[tuple[str, int], Run], dict[tuple[bool, int], int]]:
    """The run of every stretch that lies in a channel, and the number of tracks of every channel.

    Runs are keyed by wire id and the stretch's number; channels by (upright, line).
    """
    channels: dict[tuple[bool, int], list[Run]] = defaultdict(list)
    found: dict[tuple[str, int], Run] = {}
    for run in extra:
        channels[(run.upright, run.line)].append(run)
    for wire in wires:
        stretches = runs_of(wire)
        for number, (one, other) in enumerate(stretches):
            upright = one[1] == other[1]
            line = one[1] if upright else one[0]
            if (grid.columns if upright else grid.rows)[line].kind not in ("channel", "gap"):
                continue
            run = _run(wire, stretches, number, upright, line)
            members = channels[(upright, line)]
            same = next((r for r in members if _merges(r, run)), None)
            if same is None:
                members.append(run)
                found[(wire.id, number)] = run
            else:
                same.low, same.high = min(same.low, run.low), max(same.high, run.high)
                same.turns += [t for t in run.turns if t not in same.turns]
                same.wires.append(wire)
                found[(wire.id, number)] = same
    return found, {key: _levels(runs) for key, runs in channels.items()}


def _run(wire: Wire, stretches: list[tuple[Point, Point]], number: int, upright: bool, line: int) -> Run:
    axis = 0 if upright else 1
    one, other = stretches[number]
    run = Run(upright, line, min(one[axis], other[axis]), max(one[axis], other[axis]), wires=[wire])
    if number > 0:
        run.turns.append((one[axis], _side(stretches[number - 1][0], one, 1 - axis)))
    if number < len(stretches) - 1:
        run.turns.append((other[axis], _side(stretches[number + 1][1], other, 1 - axis)))
    run.after = tuple(b for _, b in stretches[number:])
    return run


def _side(point: Point, corner: Point, axis: int) -> int:
    return 1 if point[axis] > corner[axis] else -1


def _merges(run: Run, other: Run) -> bool:
    return (
        bool(run.after)
        and run.after == other.after
        and run.wires[0].target == other.wires[0].target
        and run.low <= other.high
        and other.low <= run.high
    )


def _levels(runs: list[Run]) -> int:
    """Order the runs so that few cross, then give each the lowest track that is free for it."""
    order = sorted(runs, key=lambda r: (sum(side for _, side in r.turns), r.low, r.high))
    _sort(order)
    top = 0
    for number, run in enumerate(order):
        run.level = max((o.level + 1 for o in order[:number] if o.low <= run.high and run.low <= o.high), default=0)
        top = max(top, run.level + 1)
    return top


def _sort(order: list[Run]) -> None:
    """Insertion moves as long as one lowers the number of crossings."""
    best = _cost(order)
    improved = True
    while improved and best:
        improved = False
        for number in range(len(order)):
            for place in range(len(order)):
                if place == number:
                    continue
                run = order.pop(number)
                order.insert(place, run)
                cost = _cost(order)
                if cost < best:
                    best, improved = cost, True
                    break
                order.pop(place)
                order.insert(number, run)


def _cost(order: list[Run]) -> int:
    return sum(_pair(one, other) for n, one in enumerate(order) for other in order[n + 1 :])


def _pair(one: Run, other: Run) -> int:
    """What it costs that ``one`` runs left of (or above) ``other``."""
    cost = 0
    for at, side in one.turns:
        if side > 0:
            cost += 2 * (other.low < at < other.high)
            if at in (other.low, other.high):
                cost += sum(9 if s < 0 else 1 for a, s in other.turns if a == at)
    for at, side in other.turns:
        if side < 0:
            cost += 2 * (one.low < at < one.high)
    return cost
