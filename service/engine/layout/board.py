"""Nodes in their cells and the grid of lines between them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from .cells import Item, Link
from .geometry import Drawing
from .placing import float_in, place
from .reading import Flow, Node, Pool
from .routing import Grid, Line, Port, Router, Wire
from .rows import Taste
from .text import box

COLUMN_GAP = 44
ROW_GAP = 26

PORTS = {
    # kind, out?: right, left, top, bottom
    ("gateway", True): (0, 180, 18, 8),
    ("gateway", False): (200, 0, 40, 40),
    ("event", True): (0, 300, 90, 120),
    ("event", False): (220, 0, 25, 140),
    ("task", True): (0, 300, 70, 60),
    ("task", False): (240, 0, 45, 45),
}


@dataclass(slots=True)
class Cell:
    """A placed node: its shape's size, the room it needs around its centre, and its lines of the grid."""

    node: Node
    item: Item
    w: float
    h: float
    left: float
    right: float
    up: float
    down: float
    i: int = 0
    j: int = 0
    inner: Drawing | None = None
    hanging: list[Node] = field(default_factory=list)
    comes_back: bool = False
    """Where a flow from an event on the edge leads, another one comes back from."""

    @property
    def last(self) -> int:
        return self.j + 2 * (self.item.span - 1)

    @property
    def middle(self) -> int:
        return self.j + 2 * (self.item.span // 2)


class Board:
    """The nodes of some pools in their cells, the lines between them, and the sides flows may leave and enter by."""

    def __init__(self, pools: list[Pool], messages: list[Flow], inner: dict[str, Drawing], taste: Taste) -> None:
        self.taste = taste
        self.inner = inner
        self.pools = pools
        self.messages = messages
        self.flows: list[Flow] = []
        self.cells: dict[str, Cell] = {}
        self.host: dict[str, str] = {}
        self.bands: list[tuple[Pool, str | None]] = []
        self.main: set[str] = set()
        self._collect()

    @property
    def rows(self) -> tuple[tuple[str, int], ...]:
        """The placement: columns are the same for every taste."""
        return tuple((name, cell.item.row) for name, cell in self.cells.items())

    def wire(self, cross: int) -> dict[str, Wire]:
        """Find the ways of all flows; ``cross`` is what a crossing costs."""
        self._grid()
        self._wall_ranges()
        wires: dict[str, Wire] = {}
        for flow in [*self.flows, *self.messages]:
            outs, ins = self.ports(flow.source, out=True), self.ports(flow.target, out=False)
            if flow.kind == "message":
                outs, ins = self.aside(flow, flow.source, outs), self.aside(flow, flow.target, ins)
            if not outs or not ins or flow.source == flow.target:
                continue
            wire = Wire(
                flow.id, self.owner(flow.source), self.owner(flow.target), outs, ins,
                message=flow.kind == "message", weak=flow.kind == "association",
            )  # fmt: skip
            wires[flow.id] = wire
        self.router = Router(self.grid, list(wires.values()), cross)
        self.router.run()
        return wires

    def _collect(self) -> None:
        items, links = [], []
        for pool in self.pools:
            if pool.scope is None:
                continue
            leaves: list[str | None] = [leaf.id for lane in pool.scope.lanes for leaf in lane.leaves()]
            leaves = leaves or [None]
            first = len(self.bands)
            self.bands += [(pool, leaf) for leaf in leaves]
            for node in pool.scope.nodes.values():
                if node.host in pool.scope.nodes:
                    self.host[node.id] = node.host or ""
            for node in pool.scope.nodes.values():
                if node.id not in self.host:
                    band = first + (leaves.index(node.lane) if node.lane in leaves else 0)
                    cell = self._cell(
                        node, band, [n for n in pool.scope.nodes.values() if self.host.get(n.id) == node.id]
                    )
                    self.cells[node.id] = cell
                    items.append(cell.item)
            self.flows += [f for f in pool.scope.flows if self.has(f.source) and self.has(f.target)]
        for flow in self.flows:
            source, target = self.owner(flow.source), self.owner(flow.target)
            links.append(Link(source, target, flow.source in self.host, flow.kind == "association"))
        connected = {end for link in links for end in (link.source, link.target)}
        floating = [c for c in self.cells.values() if c.node.by_event and c.node.id not in connected]
        drifting = {c.node.id for c in floating}
        placement = place([item for item in items if item.id not in drifting], links, self.taste)
        for cell in self.cells.values():
            self._hang(cell)
        for cell in floating:
            cell.item.span = self._span(cell, [i for i in items if i.id not in drifting])
        float_in(placement, [cell.item for cell in floating])
        self.main = {
            self.flows[n].id for n in placement.main if self.band(links[n].source) == self.band(links[n].target)
        }

    def band(self, node: str) -> int:
        return self.cells[node].item.band

    def _span(self, cell: Cell, items: list[Item]) -> int:
        """How many of the first columns a shape takes that need not stand in any of them."""
        widths: dict[int, float] = defaultdict(float)
        for item in items:
            if item.span == 1:
                other = self.cells[item.id]
                widths[item.column] = max(widths[item.column], other.left + other.right)
        span, room = 1, widths[0]
        while room < cell.w and span < len(widths):
            room += COLUMN_GAP + widths[span]
            span += 1
        return span

    def has(self, node: str) -> bool:
        return node in self.cells or node in self.host

    def owner(self, node: str) -> str:
        return self.host.get(node, node)

    def _cell(self, node: Node, band: int, hanging: list[Node]) -> Cell:
        w, h = map(float, node.size)
        inner = None
        if node.inside is not None:
            inner = self.inner[node.id]
            title = box(node.name, 400)[0]
            w, h = max(inner.width + 40, title + 40, 120), max(inner.height + 50, 90)
        item = Item(
            node.id, band, artifact=node.is_artifact, gateway=node.is_gateway,
            start=node.kind == "startEvent", span=max(1, round((w + COLUMN_GAP) / (130 + COLUMN_GAP)))
        )  # fmt: skip
        cell = Cell(node, item, w, h, w / 2, w / 2, h / 2, h / 2, inner=inner, hanging=hanging)
        if node.labelled_outside:
            lw, lh = box(node.name)
            cell.left = cell.right = max(w, lw) / 2 + 3
            if node.is_gateway:
                cell.up += lh + 4
            else:
                cell.down += lh + 4
        return cell

    def _hang(self, cell: Cell) -> None:
        """Order the events on a task's edge – whose flow leads farthest down hangs first – and make room for them."""
        leads = {flow.source: self.owner(flow.target) for flow in self.flows if flow.source in self.host}
        ends = {event: self.cells[target].item for event, target in leads.items()}
        own = {leads[event.id] for event in cell.hanging if event.id in leads}
        cell.comes_back = any(self.owner(f.source) in own and f.target == cell.node.id for f in self.flows)
        if all(event.id in ends for event in cell.hanging):
            cell.hanging.sort(key=lambda event: (-ends[event.id].band, -ends[event.id].row))
        for number, event in enumerate(cell.hanging):
            lw, lh = box(event.name) if event.name else (0, 0)
            x = self.hang(cell, number) - cell.w / 2
            cell.down = max(cell.down, cell.h / 2 + max(18, lh + 6))
            if self.label_left(cell, number):
                cell.left = max(cell.left, lw + 22 - x)
            else:
                cell.right = max(cell.right, x + lw + 22)

    @staticmethod
    def hang(cell: Cell, number: int) -> float:
        """How far from the left edge the boundary event sits."""
        count = len(cell.hanging)
        if count == 1:
            # What comes back stands between the event and the middle of the edge, where it would cross.
            x = cell.w * 0.8 if cell.w <= 120 else cell.w - 70
            return cell.w - x if cell.comes_back else x
        if cell.w <= 120:
            return 18 + (cell.w - 36) * number / (count - 1)
        return cell.w * (number + 1) / (count + 1)

    @staticmethod
    def label_left(cell: Cell, number: int) -> bool:
        return cell.w <= 120 and number == 0 and (len(cell.hanging) > 1 or cell.comes_back)

    def _grid(self) -> None:
        rows: list[Line] = []
        self.row_line: dict[tuple[int, int], int] = {}
        self.band_lines: list[tuple[int, int]] = []
        main = [n for n, pool in enumerate(self.pools) if pool.scope is not None]
        self.walls: dict[int, list[Pool]] = {}
        above = [p for p in self.pools[: main[0]] if p.scope is None] if main else self.pools
        below = [p for p in self.pools[main[0] :] if p.scope is None] if main else []
        if above:
            self.walls[len(rows)] = above
            rows += [Line("wall"), Line("gap")]
        ends = {end for message in self.messages for end in (message.source, message.target)}
        around = any(pool.id in ends and pool.scope is not None for pool in self.pools)
        last: Pool | None = None
        for band, (pool, _) in enumerate(self.bands):
            if pool is not last and (last is not None or (around and not rows)):
                rows.append(Line("gap"))
            last = pool
            first = len(rows)
            count = max((c.item.row for c in self.cells.values() if c.item.band == band), default=0) + 1
            for row in range(count):
                rows.append(Line("channel"))
                self.row_line[(band, row)] = len(rows)
                rows.append(Line("row"))
            rows.append(Line("channel"))
            self.band_lines.append((first, len(rows) - 1))
        if below or around:
            rows.append(Line("gap"))
        if below:
            self.walls[len(rows)] = below
            rows.append(Line("wall"))
        count = max((c.item.column + c.item.span for c in self.cells.values()), default=1)
        columns = [Line("column" if n % 2 else "channel") for n in range(2 * count + 1)]
        self.grid = Grid(rows, columns)
        for cell in self.cells.values():
            cell.i = self.row_line[(cell.item.band, cell.item.row)]
            cell.j = 2 * cell.item.column + 1
            for j in range(cell.j, cell.last + 1):
                self.grid.blocked[(cell.i, j)] = cell.node.id
        self._estimate()

    def _estimate(self) -> None:
        """Rough positions, good enough to compare ways by their length."""
        width: dict[int, float] = defaultdict(lambda: 60.0)
        height: dict[int, float] = defaultdict(lambda: 60.0)
        for cell in self.cells.values():
            if cell.item.span == 1:
                width[cell.j] = max(width[cell.j], cell.left + cell.right)
            height[cell.i] = max(height[cell.i], cell.up + cell.down)
        for lines, size, gap in ((self.grid.columns, width, COLUMN_GAP), (self.grid.rows, height, ROW_GAP)):
            at = 0.0
            for number, line in enumerate(lines):
                extent = size[number] if line.kind in ("row", "column", "wall") else gap
                line.at = at + extent / 2
                at += extent

    def _wall_ranges(self) -> None:
        """Black-box pools of one wall share its width, each over the nodes it talks to."""
        self.wall_of: dict[str, tuple[int, int, int]] = {}
        last = len(self.grid.columns) - 1
        for line, pools in self.walls.items():
            wanted = []
            for order, pool in enumerate(pools):
                partners = [self._column_of(m, pool.id or "") for m in self.messages]
                at = [j for j in partners if j is not None]
                wanted.append((sum(at) / len(at) if at else last, order, pool))
            wanted.sort(key=lambda w: w[:2])
            bounds = [0]
            for (one, _, _), (other, _, _) in pairwise(wanted):
                middle = int((one + other) / 2) // 2 * 2
                bounds.append(min(max(middle, bounds[-1] + 2), last))
            bounds.append(last)
            for (_, _, pool), low, high in zip(wanted, bounds, bounds[1:], strict=False):
                self.wall_of[pool.id or ""] = (line, low, max(high, low))

    def _column_of(self, message: Flow, pool: str) -> int | None:
        for one, other in ((message.source, message.target), (message.target, message.source)):
            if one == pool and self.has(other):
                return self.cells[self.owner(other)].middle
        return None

    def aside(self, flow: Flow, node: str, ports: list[Port]) -> list[Port]:
        """Messages come and go upright; several of one node beside one another."""
        upright = [p for p in ports if p.way in "UD"]
        if node not in self.cells:
            return upright
        own = [m.id for m in self.messages if node in (m.source, m.target)]
        x = 30.0 * (own.index(flow.id) - (len(own) - 1) / 2)
        if not x or self.cells[node].w < 30 * len(own):
            return upright
        return [Port(p.point, p.way, 20, flow.id, x) for p in upright]

    def ports(self, node: str, *, out: bool) -> list[Port]:
        if node in self.wall_of:
            line, low, high = self.wall_of[node]
            above = line == 0
            step, way = (1, "D") if above else (-1, "U")
            return [
                Port((line + step, j), way, 0) for j in range(low, high + 1) if self.grid.columns[j].kind == "column"
            ]
        if node in self.host:
            cell = self.cells[self.host[node]]
            number = [e.id for e in cell.hanging].index(node)
            j = cell.j + 2 * min(cell.item.span - 1, int(self.hang(cell, number) / cell.w * cell.item.span))
            return [Port((cell.i + 1, j), "D", 0, node, self.hang(cell, number) - cell.w / 2)]
        if node not in self.cells:
            return self._border(node)
        cell = self.cells[node]
        kind = "gateway" if cell.node.is_gateway else "event" if cell.node.is_event else "task"
        right, left, top, bottom = map(float, PORTS[(kind, out)])
        if cell.hanging:
            bottom += 120 if len(cell.hanging) == 1 else 400
        if cell.item.span > 1:
            top, bottom = top + 200, bottom + 200
        return [
            Port((cell.i, cell.last + 1), "R", right),
            Port((cell.i, cell.j - 1), "L", left),
            Port((cell.i - 1, cell.middle), "U", top),
            Port((cell.i + 1, cell.middle), "D", bottom),
        ]

    def _border(self, pool: str) -> list[Port]:
        """A message may end at the upper or lower edge of a pool that is not a black box."""
        bands = [n for n, (p, _) in enumerate(self.bands) if p.id == pool]
        if not bands:
            return []
        top, bottom = self.band_lines[bands[0]][0] - 1, self.band_lines[bands[-1]][1] + 1
        columns = [j for j, line in enumerate(self.grid.columns) if line.kind == "column"]
        return [Port((top, j), "U", 0) for j in columns] + [Port((bottom, j), "D", 0) for j in columns]
