"""From grid to pixels: place, route, make room, and put labels where nothing else is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from .cells import Item, Link
from .geometry import Line as Points
from .geometry import Rect, meetings, overlay
from .labels import Labels
from .placing import float_in, place
from .reading import Flow, Lane, Node, Pool, Scope
from .routing import Grid, Line, Port, Router, Wire
from .rows import TASTES, Taste
from .text import box
from .tracks import Run, lay, runs_of

PITCH = 16
COLUMN_GAP = 44
ROW_GAP = 26
HEADER = 30
WALL = 60


@dataclass(slots=True)
class Drawing:
    """Shapes, edges and labels of one scope, in its own coordinates."""

    width: float = 0
    height: float = 0
    shapes: dict[str, Rect] = field(default_factory=dict)
    edges: dict[str, Points] = field(default_factory=dict)
    labels: dict[str, Rect] = field(default_factory=dict)
    main: set[str] = field(default_factory=set)
    """The flows of the main way that stay in their lane; they should be straight."""

    def take(self, other: Drawing, dx: float, dy: float) -> None:
        """Put another drawing into this one."""
        for name, rect in other.shapes.items():
            self.shapes[name] = rect.moved(dx, dy)
        for name, points in other.edges.items():
            self.edges[name] = [(x + dx, y + dy) for x, y in points]
        for name, rect in other.labels.items():
            self.labels[name] = rect.moved(dx, dy)


@dataclass(slots=True)
class _Cell:
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

    @property
    def last(self) -> int:
        return self.j + 2 * (self.item.span - 1)

    @property
    def middle(self) -> int:
        return self.j + 2 * (self.item.span // 2)


def draw_scope(scope: Scope) -> Drawing:
    """The inside of an expanded sub-process."""
    return draw_pools([Pool(None, "", scope)], [])


def draw_pools(pools: list[Pool], messages: list[Flow]) -> Drawing:
    """A whole plane: drawn by every taste, and the best of the drawings."""
    nodes = [node for pool in pools if pool.scope for node in pool.scope.nodes.values()]
    inner = {node.id: draw_scope(node.inside) for node in nodes if node.inside is not None}
    sheets: dict[tuple[tuple[str, int], ...], _Sheet] = {}
    for taste in TASTES:
        sheet = _Sheet(pools, messages, inner, taste)
        sheets.setdefault(sheet.rows, sheet)
    drawings = [sheet.draw() for sheet in sheets.values()]
    flows = [flow for pool in pools if pool.scope for flow in pool.scope.flows]
    target = {flow.id: flow.target for flow in [*flows, *messages]}
    return min(drawings, key=lambda drawing: _badness(drawing, target))


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
    return 900 * hidden + 200 * crossings + 25 * bends + 0.12 * length + 1.2 * drawing.height


class _Sheet:
    def __init__(self, pools: list[Pool], messages: list[Flow], inner: dict[str, Drawing], taste: Taste) -> None:
        self.taste = taste
        self.inner = inner
        self.pools = pools
        self.messages = messages
        self.out = Drawing()
        self.cells: dict[str, _Cell] = {}
        self.host: dict[str, str] = {}
        self.bands: list[tuple[Pool, str | None]] = []

        self._collect()

    @property
    def rows(self) -> tuple[tuple[str, int], ...]:
        """The placement: columns are the same for every taste."""
        return tuple((name, cell.item.row) for name, cell in self.cells.items())

    def draw(self) -> Drawing:
        self._grid()
        self._route()
        self._measure()
        self._position()
        self._shapes()
        self._edges()
        self._pools()
        self._labels()
        self._crop()
        return self.out

    # -- nodes on the grid -------------------------------------------------------------------------

    def _collect(self) -> None:
        items, links = [], []
        self.flows: list[Flow] = []
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
            self.flows += [f for f in pool.scope.flows if self._has(f.source) and self._has(f.target)]
        for flow in self.flows:
            source, target = self._owner(flow.source), self._owner(flow.target)
            links.append(Link(source, target, flow.source in self.host, flow.kind == "association"))
        connected = {end for link in links for end in (link.source, link.target)}
        floating = [c for c in self.cells.values() if c.node.by_event and c.node.id not in connected]
        drifting = {c.node.id for c in floating}
        placement = place([item for item in items if item.id not in drifting], links, self.taste)
        for cell in floating:
            cell.item.span = self._span(cell, [i for i in items if i.id not in drifting])
        float_in(placement, [cell.item for cell in floating])
        self.out.main = {
            self.flows[n].id for n in placement.main if self._band(links[n].source) == self._band(links[n].target)
        }

    def _band(self, node: str) -> int:
        return self.cells[node].item.band

    def _span(self, cell: _Cell, items: list[Item]) -> int:
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

    def _has(self, node: str) -> bool:
        return node in self.cells or node in self.host

    def _owner(self, node: str) -> str:
        return self.host.get(node, node)

    def _cell(self, node: Node, band: int, hanging: list[Node]) -> _Cell:
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
        cell = _Cell(node, item, w, h, w / 2, w / 2, h / 2, h / 2, inner=inner, hanging=hanging)
        if node.labelled_outside:
            lw, lh = box(node.name)
            cell.left = cell.right = max(w, lw) / 2 + 3
            if node.is_gateway:
                cell.up += lh + 4
            else:
                cell.down += lh + 4
        for number, event in enumerate(hanging):
            lw, lh = box(event.name) if event.name else (0, 0)
            x = self._hang(cell, number) - w / 2
            cell.down = max(cell.down, h / 2 + max(18, lh + 6))
            if self._label_left(cell, number):
                cell.left = max(cell.left, lw + 22 - x)
            else:
                cell.right = max(cell.right, x + lw + 22)
        return cell

    @staticmethod
    def _hang(cell: _Cell, number: int) -> float:
        """How far from the left edge the boundary event sits."""
        count = len(cell.hanging)
        if count == 1:
            return cell.w * 0.8 if cell.w <= 120 else cell.w - 70
        if cell.w <= 120:
            return 18 + (cell.w - 36) * number / (count - 1)
        return cell.w * (number + 1) / (count + 1)

    @staticmethod
    def _label_left(cell: _Cell, number: int) -> bool:
        return cell.w <= 120 and len(cell.hanging) > 1 and number == 0

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

    # -- routing -----------------------------------------------------------------------------------

    def _route(self) -> None:
        self._wall_ranges()
        self.wires: dict[str, Wire] = {}
        for flow in [*self.flows, *self.messages]:
            outs, ins = self._ports(flow.source, out=True), self._ports(flow.target, out=False)
            if flow.kind == "message":
                outs, ins = self._aside(flow, flow.source, outs), self._aside(flow, flow.target, ins)
            if not outs or not ins or flow.source == flow.target:
                continue
            wire = Wire(
                flow.id, self._owner(flow.source), self._owner(flow.target), outs, ins,
                message=flow.kind == "message", weak=flow.kind == "association",
            )  # fmt: skip
            self.wires[flow.id] = wire
        Router(self.grid, list(self.wires.values())).run()

    def _aside(self, flow: Flow, node: str, ports: list[Port]) -> list[Port]:
        """Messages come and go upright; several of one node beside one another."""
        upright = [p for p in ports if p.way in "UD"]
        if node not in self.cells:
            return upright
        own = [m.id for m in self.messages if node in (m.source, m.target)]
        x = 30.0 * (own.index(flow.id) - (len(own) - 1) / 2)
        if not x or self.cells[node].w < 30 * len(own):
            return upright
        return [Port(p.point, p.way, 20, flow.id, x) for p in upright]

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
            if one == pool and self._has(other):
                return self.cells[self._owner(other)].middle
        return None

    def _ports(self, node: str, *, out: bool) -> list[Port]:
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
            j = cell.j + 2 * min(cell.item.span - 1, int(self._hang(cell, number) / cell.w * cell.item.span))
            return [Port((cell.i + 1, j), "D", 0, node, self._hang(cell, number) - cell.w / 2)]
        if node not in self.cells:
            return self._border(node)
        cell = self.cells[node]
        kind = "gateway" if cell.node.is_gateway else "event" if cell.node.is_event else "task"
        right, left, top, bottom = map(float, _PORTS[(kind, out)])
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

    # -- room --------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Extents of columns and rows, widths of channels."""
        self.left: dict[int, float] = defaultdict(lambda: 12.0)
        self.right: dict[int, float] = defaultdict(lambda: 12.0)
        self.up: dict[int, float] = defaultdict(lambda: 14.0)
        self.down: dict[int, float] = defaultdict(lambda: 14.0)
        self.zone: dict[int, float] = defaultdict(float)
        for cell in self.cells.values():
            if cell.item.span == 1:
                self.left[cell.j] = max(self.left[cell.j], cell.left)
                self.right[cell.j] = max(self.right[cell.j], cell.right)
            self.up[cell.i] = max(self.up[cell.i], cell.up)
            self.down[cell.i] = max(self.down[cell.i], cell.down)
        zones = []
        for flow in self.flows:
            wire = self.wires.get(flow.id)
            if not flow.name or wire is None or wire.out is None:
                continue
            lw, lh = box(flow.name)
            cell = self.cells[wire.source]
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
        self.runs, self.tracks = lay(self.grid, list(self.wires.values()), list(self.jogs.values()))

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
        if port is None or (wire.source if source else wire.target) not in self.cells:
            return None
        return port.x

    def _position(self) -> None:
        rows, columns = self.grid.rows, self.grid.columns
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
                for cell in [c for c in self.cells.values() if c.item.span > 1 and c.last == j]:
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

    # -- shapes and edges --------------------------------------------------------------------------

    def _shapes(self) -> None:
        for cell in self.cells.values():
            y = self.grid.rows[cell.i].at - cell.h / 2
            alone = cell.item.span == 1
            x = self.grid.columns[cell.j].at - cell.w / 2 if alone else self.column_start[cell.j]
            self.out.shapes[cell.node.id] = Rect(x, y, cell.w, cell.h)
            for number, event in enumerate(cell.hanging):
                self.out.shapes[event.id] = Rect(x + self._hang(cell, number) - 18, y + cell.h - 18, 36, 36)
            if cell.inner is not None:
                dx = x + (cell.w - cell.inner.width) / 2
                self.out.take(cell.inner, dx, y + 30 + (cell.h - 50 - cell.inner.height) / 2)

    def _edges(self) -> None:
        for wire in self.wires.values():
            self.out.edges[wire.id] = self._line(wire)
        for flow in self.flows:
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
            x = first[0] if wire.source in self.cells or wire.source in self.host else last[0]
            return [(x, first[1]), (x, last[1])]
        if wire.id in self.jogs:
            y = self.jogs[wire.id].at
            target = self.out.shapes.get(wire.target)
            if target is not None and target.x + 12 < first[0] < target.x + target.w - 12:
                return [first, (first[0], last[1])]
            return [first, (first[0], y), (last[0], y), last]
        values = []
        for number, (one, other) in enumerate(stretches):
            upright = one[1] == other[1]
            run = self.runs.get((wire.id, number))
            if run is not None:
                values.append(run.at)
            elif number == 0:
                values.append(first[0] if upright else first[1])
            elif number == len(stretches) - 1:
                values.append(last[0] if upright else last[1])
            else:
                values.append(self.grid.columns[one[1]].at if upright else self.grid.rows[one[0]].at)
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
        name = port.tag if port.tag in self.host else wire.source if source else wire.target
        if name in self.wall_of:
            line = self.grid.rows[self.wall_of[name][0]]
            return self.grid.columns[port.point[1]].at, line.at + (WALL / 2 if port.way == "D" else -WALL / 2)
        if name not in self.out.shapes:
            bands = [n for n, (p, _) in enumerate(self.bands) if p.id == name]
            x = self.grid.columns[port.point[1]].at
            return x, self._band_edges(bands[0])[0] if port.way == "U" else self._band_edges(bands[-1])[1]
        rect = self.out.shapes[name]
        cell = self.cells.get(name)
        x = rect.x + rect.w / 2 + (port.x if name not in self.host else 0)
        if cell is not None and cell.item.span > 1:
            x = min(max(self.grid.columns[cell.middle].at, rect.x + 20), rect.x + rect.w - 20)
        return {
            "R": (rect.x + rect.w, rect.y + rect.h / 2),
            "L": (rect.x, rect.y + rect.h / 2),
            "U": (x, rect.y),
            "D": (x, rect.y + rect.h),
        }[port.way]

    # -- pools, lanes, labels ----------------------------------------------------------------------

    def _pools(self) -> None:
        depth = max((_depth(lane) for pool in self.pools if pool.scope for lane in pool.scope.lanes), default=0)
        if not any(pool.id for pool in self.pools):
            return
        x0 = -HEADER * (depth + 1)
        width = self.width - x0
        for pool in self.pools:
            if pool.scope is None or pool.id is None:
                continue
            bands = [n for n, (p, _) in enumerate(self.bands) if p is pool]
            top, bottom = self._band_edges(bands[0])[0], self._band_edges(bands[-1])[1]
            self.out.shapes[pool.id] = Rect(x0, top, width, bottom - top)
            for lane in pool.scope.lanes:
                self._lane(lane, x0 + HEADER, width - HEADER)
        for name, (line, low, high) in self.wall_of.items():
            columns = self.grid.columns
            left = x0 if low == 0 else columns[low].at + 10
            right = self.width if high == len(columns) - 1 else columns[high].at - 10
            self.out.shapes[name] = Rect(left, self.row_edges[line][0], right - left, WALL)

    def _band_edges(self, band: int) -> tuple[float, float]:
        first, last = self.band_lines[band]
        return self.row_edges[first][0], self.row_edges[last][1]

    def _lane(self, lane: Lane, x: float, width: float) -> tuple[float, float]:
        if lane.children:
            edges = [self._lane(child, x + HEADER, width - HEADER) for child in lane.children]
            top, bottom = edges[0][0], edges[-1][1]
        else:
            band = next(n for n, (_, leaf) in enumerate(self.bands) if leaf == lane.id)
            top, bottom = self._band_edges(band)
        self.out.shapes[lane.id] = Rect(x, top, width, bottom - top)
        return top, bottom

    def _labels(self) -> None:
        containers = {p.id for p in self.pools} | {leaf for _, leaf in self.bands}
        containers |= {n.id for n in self._nodes() if n.inside is not None}
        labels = Labels(self.out, {c for c in containers if c and c in self.out.shapes})
        for cell in self.cells.values():
            if cell.node.labelled_outside:
                labels.node(cell.node)
            for number, event in enumerate(cell.hanging):
                if event.name:
                    labels.hanging(event, left=self._label_left(cell, number))
        for flow in [*self.flows, *self.messages]:
            if flow.name and flow.id in self.out.edges:
                labels.flow(flow, message=flow.kind == "message")

    def _nodes(self) -> list[Node]:
        return [n for pool in self.pools if pool.scope for n in pool.scope.nodes.values()]

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


_PORTS = {
    # kind, out?: right, left, top, bottom
    ("gateway", True): (0, 180, 18, 8),
    ("gateway", False): (200, 0, 40, 40),
    ("event", True): (0, 300, 90, 120),
    ("event", False): (220, 0, 25, 140),
    ("task", True): (0, 300, 70, 60),
    ("task", False): (240, 0, 45, 45),
}


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
