"""From the board to pixels: the best of several drawings."""

from __future__ import annotations

from itertools import combinations, pairwise
from operator import itemgetter

from .board import Board
from .geometry import Drawing, Rect, meetings, overlay
from .labels import Labels
from .reading import Flow, Lane, Node, Pool, Scope
from .room import WALL, Room
from .routing import Wire
from .rows import TASTES
from .tracks import runs_of

HEADER = 30
CROSSES = (420, 1200)
"""What a crossing may cost a flow in detours; no figure suits every diagram, so several are tried."""
BEST = 3
"""So many drawings are worth untangling."""
ROUNDS = 4


def draw_scope(scope: Scope) -> Drawing:
    """The inside of an expanded sub-process."""
    return draw_pools([Pool(None, "", scope)], [])


def draw_pools(pools: list[Pool], messages: list[Flow]) -> Drawing:
    """A whole plane: drawn by every taste, and the best of the drawings."""
    nodes = [node for pool in pools if pool.scope for node in pool.scope.nodes.values()]
    inner = {node.id: draw_scope(node.inside) for node in nodes if node.inside is not None}
    boards: dict[tuple[tuple[str, int], ...], Board] = {}
    for taste in TASTES:
        board = Board(pools, messages, inner, taste)
        boards.setdefault(board.rows, board)
    flows = [flow for pool in pools if pool.scope for flow in pool.scope.flows]
    target = {flow.id: flow.target for flow in [*flows, *messages]}
    tried = [
        (_badness(_Pen(board, board.wire(cross)).draw(), target), number, cross, board)
        for number, board in enumerate(boards.values())
        for cross in CROSSES
    ]
    drawings = [
        _untangled(board, cross, target) for _, _, cross, board in sorted(tried, key=itemgetter(0, 1, 2))[:BEST]
    ]
    return min(drawings, key=lambda drawing: _badness(drawing, target))


def _untangled(board: Board, cross: int, target: dict[str, str]) -> Drawing:
    """A drawing in which no flow that crosses another gains by going where the other does not run.

    The search for ways sees one flow at a time; only the drawing shows whether two in one channel cross.
    """
    wires = board.wire(cross)
    best = _Pen(board, wires).draw()
    least = _badness(best, target)
    for _ in range(ROUNDS):
        crossed = [
            (one, other)
            for a, b in combinations(best.edges, 2)
            if a in wires and b in wires and meetings(best.edges[a], best.edges[b])
            for one, other in ((a, b), (b, a))
        ]
        before = least
        for one, other in crossed:
            way = board.router.part(wires[one], wires[other])
            drawing = _Pen(board, wires).draw()
            badness = _badness(drawing, target)
            if badness < least:
                best, least = drawing, badness
            else:
                board.router.restore(wires[one], way)
        if least == before:
            break
    return best


def _badness(drawing: Drawing, target: dict[str, str]) -> float:
    """Flows on top of one another first, then crossings, then bends, then length and height."""
    lines = list(drawing.edges.values())
    hidden = sum(
        any(overlay(p, q) > 4 for p in pairwise(one) for q in pairwise(other))
        for (a, one), (b, other) in combinations(drawing.edges.items(), 2)
        if a in target and b in target and target[a] != target[b]
    )
    crossings = sum(meetings(one, other) for one, other in combinations(lines, 2))
    bends = sum((len(line) - 2) * (4 if name in drawing.main else 1) for name, line in drawing.edges.items())
    length = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for line in lines for a, b in pairwise(line))
    return 3000 * hidden + 600 * crossings + 25 * bends + 0.12 * length + 1.2 * drawing.height


class _Pen:
    """Draws one board."""

    def __init__(self, board: Board, wires: dict[str, Wire]) -> None:
        self.board = board
        self.wires = wires
        self.room = Room(board, self.wires)
        self.out = Drawing(main=board.main)

    def draw(self) -> Drawing:
        self._shapes()
        self._edges()
        self._pools()
        self._labels()
        self._crop()
        return self.out

    def _shapes(self) -> None:
        for cell in self.board.cells.values():
            y = self.board.grid.rows[cell.i].at - cell.h / 2
            alone = cell.item.span == 1
            x = self.board.grid.columns[cell.j].at - cell.w / 2 if alone else self.room.column_start[cell.j]
            self.out.shapes[cell.node.id] = Rect(x, y, cell.w, cell.h)
            for number, event in enumerate(cell.hanging):
                self.out.shapes[event.id] = Rect(x + self.board.hang(cell, number) - 18, y + cell.h - 18, 36, 36)
            if cell.inner is not None:
                dx = x + (cell.w - cell.inner.width) / 2
                self.out.take(cell.inner, dx, y + 30 + (cell.h - 50 - cell.inner.height) / 2)

    def _edges(self) -> None:
        for wire in self.wires.values():
            self.out.edges[wire.id] = self._line(wire)
        for flow in self.board.flows:
            if flow.source == flow.target and flow.source in self.out.shapes:
                r = self.out.shapes[flow.source]
                right, bottom = r.x + r.w, r.y + r.h
                self.out.edges[flow.id] = [
                    (right, r.y + r.h / 2), (right + 20, r.y + r.h / 2), (right + 20, bottom + 20),
                    (r.x + r.w / 2, bottom + 20), (r.x + r.w / 2, bottom),
                ]  # fmt: skip

    def _line(self, wire: Wire) -> list[tuple[float, float]]:
        stretches = runs_of(wire)
        first, last = self._end(wire, source=True), self._end(wire, source=False)
        if len(stretches) == 1 and wire.message:
            x = first[0] if wire.source in self.board.cells or wire.source in self.board.host else last[0]
            return [(x, first[1]), (x, last[1])]
        if wire.id in self.room.jogs:
            y = self.room.jogs[wire.id].at
            target = self.out.shapes.get(wire.target)
            if target is not None and target.x + 12 < first[0] < target.x + target.w - 12:
                return [first, (first[0], last[1])]
            return [first, (first[0], y), (last[0], y), last]
        values = []
        for number, (one, other) in enumerate(stretches):
            upright = one[1] == other[1]
            run = self.room.runs.get((wire.id, number))
            if run is not None:
                values.append(run.at)
            elif number == 0:
                values.append(first[0] if upright else first[1])
            elif number == len(stretches) - 1:
                values.append(last[0] if upright else last[1])
            else:
                values.append(self.board.grid.columns[one[1]].at if upright else self.board.grid.rows[one[0]].at)
        points = [first]
        for number in range(len(stretches) - 1):
            upright = stretches[number][0][1] == stretches[number][1][1]
            x, y = (values[number], values[number + 1]) if upright else (values[number + 1], values[number])
            points.append((x, y))
        points.append(last)
        return _simple(points)

    def _end(self, wire: Wire, *, source: bool) -> tuple[float, float]:
        port = wire.out if source else wire.into
        assert port is not None
        name = port.tag if port.tag in self.board.host else wire.source if source else wire.target
        if name in self.board.wall_of:
            line = self.board.grid.rows[self.board.wall_of[name][0]]
            return self.board.grid.columns[port.point[1]].at, line.at + (WALL / 2 if port.way == "D" else -WALL / 2)
        if name not in self.out.shapes:
            bands = [n for n, (p, _) in enumerate(self.board.bands) if p.id == name]
            x = self.board.grid.columns[port.point[1]].at
            return x, self.room.band_edges(bands[0])[0] if port.way == "U" else self.room.band_edges(bands[-1])[1]
        rect = self.out.shapes[name]
        cell = self.board.cells.get(name)
        x = rect.x + rect.w / 2 + (port.x if name not in self.board.host else 0)
        if cell is not None and cell.item.span > 1:
            x = min(max(self.board.grid.columns[cell.middle].at, rect.x + 20), rect.x + rect.w - 20)
        return {
            "R": (rect.x + rect.w, rect.y + rect.h / 2),
            "L": (rect.x, rect.y + rect.h / 2),
            "U": (x, rect.y),
            "D": (x, rect.y + rect.h),
        }[port.way]

    def _pools(self) -> None:
        depth = max((_depth(lane) for pool in self.board.pools if pool.scope for lane in pool.scope.lanes), default=0)
        if not depth and not any(pool.id for pool in self.board.pools):
            return
        x0 = -HEADER * (depth + 1)
        width = self.room.width - x0
        for pool in self.board.pools:
            if pool.scope is None:
                continue
            bands = [n for n, (p, _) in enumerate(self.board.bands) if p is pool]
            top, bottom = self.room.band_edges(bands[0])[0], self.room.band_edges(bands[-1])[1]
            if pool.id is not None:
                self.out.shapes[pool.id] = Rect(x0, top, width, bottom - top)
            for lane in pool.scope.lanes:
                self._lane(lane, x0 + HEADER, width - HEADER)
        for name, (line, low, high) in self.board.wall_of.items():
            columns = self.board.grid.columns
            left = x0 if low == 0 else columns[low].at + 10
            right = self.room.width if high == len(columns) - 1 else columns[high].at - 10
            self.out.shapes[name] = Rect(left, self.room.row_edges[line][0], right - left, WALL)

    def _lane(self, lane: Lane, x: float, width: float) -> tuple[float, float]:
        if lane.children:
            edges = [self._lane(child, x + HEADER, width - HEADER) for child in lane.children]
            top, bottom = edges[0][0], edges[-1][1]
        else:
            band = next(n for n, (_, leaf) in enumerate(self.board.bands) if leaf == lane.id)
            top, bottom = self.room.band_edges(band)
        self.out.shapes[lane.id] = Rect(x, top, width, bottom - top)
        return top, bottom

    def _labels(self) -> None:
        containers = {p.id for p in self.board.pools} | {leaf for _, leaf in self.board.bands}
        containers |= {n.id for n in self._nodes() if n.inside is not None}
        labels = Labels(self.out, {c for c in containers if c and c in self.out.shapes})
        for cell in self.board.cells.values():
            if cell.node.labelled_outside:
                labels.node(cell.node)
            for number, event in enumerate(cell.hanging):
                if event.name:
                    labels.hanging(event, left=self.board.label_left(cell, number))
        for flow in [*self.board.flows, *self.board.messages]:
            if flow.name and flow.id in self.out.edges:
                labels.flow(flow, message=flow.kind == "message")

    def _nodes(self) -> list[Node]:
        return [n for pool in self.board.pools if pool.scope for n in pool.scope.nodes.values()]

    def _crop(self) -> None:
        """Move everything so that it starts at (0, 0)."""
        rects = [*self.out.shapes.values(), *self.out.labels.values()]
        points = [p for line in self.out.edges.values() for p in line]
        xs = [r.x for r in rects] + [r.x + r.w for r in rects] + [p[0] for p in points]
        ys = [r.y for r in rects] + [r.y + r.h for r in rects] + [p[1] for p in points]
        if not xs:
            return
        moved = Drawing(max(xs) - min(xs), max(ys) - min(ys), main=self.out.main)
        moved.take(self.out, -min(xs), -min(ys))
        self.out = moved


def _depth(lane: Lane) -> int:
    return 1 + max((_depth(child) for child in lane.children), default=0)


def _simple(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without repeated points and points in the middle of a straight line."""
    out: list[tuple[float, float]] = []
    for point in points:
        if out and abs(point[0] - out[-1][0]) < 0.5 and abs(point[1] - out[-1][1]) < 0.5:
            continue
        while len(out) > 1 and (
            (abs(out[-2][0] - out[-1][0]) < 0.5 and abs(point[0] - out[-1][0]) < 0.5)
            or (abs(out[-2][1] - out[-1][1]) < 0.5 and abs(point[1] - out[-1][1]) < 0.5)
        ):
            out.pop()
        out.append(point)
    return out
