"""How much room columns, rows and channels need, and where that puts them."""

from __future__ import annotations

from collections import defaultdict

from .board import COLUMN_GAP, ROW_GAP, Board
from .routing import Wire
from .text import box
from .tracks import Run, lay, runs_of

PITCH = 16
WALL = 60


class Room:
    """Gives every line of a board its place; ``width`` and ``height`` are those of the whole."""

    def __init__(self, board: Board, wires: dict[str, Wire]) -> None:
        self.board = board
        self.wires = wires
        self._measure()
        self._position()

    def _measure(self) -> None:
        """Extents of columns and rows, widths of channels."""
        self.left: dict[int, float] = defaultdict(lambda: 12.0)
        self.right: dict[int, float] = defaultdict(lambda: 12.0)
        self.up: dict[int, float] = defaultdict(lambda: 14.0)
        self.down: dict[int, float] = defaultdict(lambda: 14.0)
        self.zone: dict[int, float] = defaultdict(float)
        for cell in self.board.cells.values():
            if cell.item.span == 1:
                self.left[cell.j] = max(self.left[cell.j], cell.left)
                self.right[cell.j] = max(self.right[cell.j], cell.right)
            self.up[cell.i] = max(self.up[cell.i], cell.up)
            self.down[cell.i] = max(self.down[cell.i], cell.down)
        zones = []
        for flow in self.board.flows:
            wire = self.wires.get(flow.id)
            if not flow.name or wire is None or wire.out is None:
                continue
            lw, lh = box(flow.name)
            cell = self.board.cells[wire.source]
            if wire.out.way == "R":
                zones.append((cell, lw + flow.gap))
            elif wire.out.way in "UD" and not wire.out.tag:
                j = cell.middle
                self.right[j] = max(self.right[j], lw + 10)
                side = self.down if wire.out.way == "D" else self.up
                side[cell.i] = max(side[cell.i], cell.h / 2 + lh + 8 + flow.gap)
        for cell, lw in zones:
            free = self.right[cell.last] - cell.w / 2 if cell.item.span == 1 else 0
            self.zone[cell.last + 1] = max(self.zone[cell.last + 1], lw + 12 - free)
        self._jogs()
        self.runs, self.tracks = lay(self.board.grid, list(self.wires.values()), list(self.jogs.values()))

    def _jogs(self) -> None:
        """A line straight down from a boundary event to a narrow shape needs a step aside."""
        self.jogs: dict[str, Run] = {}
        for wire in self.wires.values():
            stretches = runs_of(wire)
            if len(stretches) == 1 and stretches[0][0][1] == stretches[0][1][1]:
                one, other = self._port_x(wire, source=True), self._port_x(wire, source=False)
                if one is not None and other is not None and abs(one - other) > 1:
                    (i, j), (k, _) = stretches[0]
                    line = i + 1 if k > i else i - 1
                    self.jogs[wire.id] = Run(False, line, j, j, wires=[wire])

    def _port_x(self, wire: Wire, *, source: bool) -> float | None:
        """The x of a top or bottom port relative to the centre of its column; None at a wall, which takes any."""
        port = wire.out if source else wire.into
        if port is None or (wire.source if source else wire.target) not in self.board.cells:
            return None
        return port.x

    def _position(self) -> None:
        rows, columns = self.board.grid.rows, self.board.grid.columns
        at = 0.0
        starts: dict[int, float] = {}
        for j, line in enumerate(columns):
            if line.kind == "channel":
                levels = self.tracks.get((True, j), 0)
                room: float = max(COLUMN_GAP if 0 < j < len(columns) - 1 else 24, (levels + 1) * PITCH)
                zone = max(0.0, self.zone[j])
                room = max(room, zone + (levels + 1) * PITCH if levels else zone + 14)
                line.at = at + zone + (room - zone) / 2
                for run in self._runs(True, j):
                    run.at = at + zone + (room - zone) * (run.level + 1) / (levels + 1)
                at += room
            else:
                starts[j] = at
                line.at = at + self.left[j]
                at += self.left[j] + self.right[j]
                for cell in [c for c in self.board.cells.values() if c.item.span > 1 and c.last == j]:
                    at = max(at, starts[cell.j] + cell.w)
        self.width = at
        self.column_start = starts
        at = 0.0
        self.row_edges: list[tuple[float, float]] = []
        for i, line in enumerate(rows):
            start = at
            if line.kind in ("channel", "gap"):
                levels = self.tracks.get((False, i), 0)
                room = max(ROW_GAP if line.kind == "channel" else 50, (levels + 1) * PITCH)
                line.at = at + room / 2
                for run in self._runs(False, i):
                    run.at = at + room * (run.level + 1) / (levels + 1)
                at += room
            elif line.kind == "wall":
                line.at = at + WALL / 2
                at += WALL
            else:
                line.at = at + self.up[i]
                at += self.up[i] + self.down[i]
            self.row_edges.append((start, at))
        self.height = at

    def _runs(self, upright: bool, line: int) -> list[Run]:
        runs = {id(r): r for r in [*self.runs.values(), *self.jogs.values()] if (r.upright, r.line) == (upright, line)}
        return list(runs.values())

    def band_edges(self, band: int) -> tuple[float, float]:
        first, last = self.board.band_lines[band]
        return self.row_edges[first][0], self.row_edges[last][1]
