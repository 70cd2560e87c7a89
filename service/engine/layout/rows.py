"""The search for rows: moves of nodes, tails and whole branches, as long as the estimate of bends and detours falls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .cells import Item, Link, Placement, topological

BLOCKED = 60
ROW = 45


@dataclass(frozen=True, slots=True)
class Taste:
    """What the search for rows minds how much. No weights suit every diagram, so several are tried."""

    bend: int = 40
    level: int = 30
    straight: int = 80
    fan: int = 90
    forward: bool = True


TASTES = (
    Taste(),
    Taste(forward=False),
    Taste(level=15),
    Taste(level=15, forward=False),
    Taste(straight=160),
    Taste(straight=160, level=50, forward=False),
    Taste(fan=30, bend=60),
    Taste(fan=160, level=20),
)


def _main_links(placement: Placement) -> set[int]:
    """Of every node the link that leads to the longest rest of the way; it should run straight."""
    forward: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, link in enumerate(placement.links):
        if not link.weak and number not in placement.back and not link.hanging:
            forward[link.source].append((number, link.target))
    rest: dict[str, int] = {}
    main = set()
    for node in reversed(topological(list(placement.items), forward, placement.back)):
        ways = [(1 + rest.get(target, 0), -number) for number, target in forward[node]]
        rest[node] = max((length for length, _ in ways), default=0)
        if ways:
            main.add(-max(ways)[1])
    return main


class Rows:
    """The search. A cell is (band, row, column); a *level* is the position of a row over all bands."""

    def __init__(self, placement: Placement, taste: Taste) -> None:
        self.taste = taste
        self.items = placement.items
        self.links = placement.links
        self.back = placement.back
        self.outgoing: dict[str, list[Link]] = defaultdict(list)
        self.incoming: dict[str, list[Link]] = defaultdict(list)
        for link in self.links:
            self.outgoing[link.source].append(link)
            self.incoming[link.target].append(link)
        self.main = placement.main = _main_links(placement)
        self.levels: dict[tuple[int, int], int] = {}
        self.rows: list[tuple[int, int]] = []
        self.costs = [0.0] * len(self.links)
        self.fans: dict[str, float] = {}
        self.reach = [self._reach(link) for link in self.links]
        self.cells: dict[tuple[int, int, int], str] = {}
        self.in_column: dict[int, set[tuple[int, int]]] = defaultdict(set)

    def _reach(self, link: Link) -> tuple[int, int]:
        """The first and the last column that a link's cost depends on."""
        one, other = self.items[link.source], self.items[link.target]
        return min(one.column, other.column), max(one.column + one.span, other.column + other.span) - 1

    def search(self) -> None:
        self._first_rows()
        cost = self._cost()
        for _ in range(12):
            before = cost
            way = 1 if self.taste.forward else -1
            for item in sorted(self.items.values(), key=lambda i: (way * i.column, i.band)):
                cost = self._improve(item, cost)
            cost = self._exchange_rows(cost)
            if cost >= before:
                break

    def _first_rows(self) -> None:
        for item in sorted(self.items.values(), key=lambda i: i.column):
            wanted = [0]
            for link in self.incoming[item.id]:
                source = self.items[link.source]
                if source.band == item.band and not link.weak:
                    wanted.insert(0, source.row + (1 if link.hanging else 0))
            item.row = min((r for r in range(-8, 12)), key=lambda r: (self._taken(item, r), abs(r - wanted[0]), -r))
            self._put(item)

    def _cells_of(self, item: Item, row: int) -> list[tuple[int, int, int]]:
        return [(item.band, row, item.column + k) for k in range(item.span)]

    def _taken(self, item: Item, row: int) -> bool:
        return any(self.cells.get(cell, item.id) != item.id for cell in self._cells_of(item, row))

    def _put(self, item: Item) -> None:
        for cell in self._cells_of(item, item.row):
            self.cells[cell] = item.id
            self.in_column[cell[2]].add(cell[:2])

    def _lift(self, item: Item) -> None:
        for cell in self._cells_of(item, item.row):
            self.cells.pop(cell, None)
            self.in_column[cell[2]].discard(cell[:2])

    def _improve(self, item: Item, cost: float) -> float:
        groups = [[item]]
        tail = self._tail(item)
        rest = self._rest(item)
        groups += [group for group in (tail, rest) if len(group) > 1]
        used = [i.row for i in self.items.values() if i.band == item.band]
        for group in groups:
            for row in range(min(used) - 1, max(used) + 2):
                if row != item.row:
                    cost = self._try(group, row - item.row, cost)
        for other in self.items.values():
            if other.band == item.band and other.column == item.column and other.id > item.id:
                cost = self._try_swap([item], [other], cost)
                if other.row != item.row:
                    cost = self._try_swap(self._tail(item), self._tail(other), cost)
                    cost = self._try_swap(self._rest(item), self._rest(other), cost)
        return cost

    def _tail(self, item: Item) -> list[Item]:
        """The item and what follows it alone, in its band and row, up to the next place where flows meet."""
        tail = [item]
        while True:
            ahead = [self.items[link.target] for link in self.outgoing[tail[-1].id]]
            same = [i for i in ahead if i.band == item.band and i.row == item.row and i.column > tail[-1].column]
            if len(same) != 1 or len(self.incoming[same[0].id]) > 1 or same[0] in tail:
                return tail
            tail.append(same[0])

    def _rest(self, item: Item) -> list[Item]:
        """The item and everything in its band that flows lead to from it."""
        found = {item.id: item}
        queue = [item]
        while queue:
            for link in self.outgoing[queue.pop().id]:
                target = self.items[link.target]
                if target.id not in found and target.band == item.band and target.column > item.column:
                    found[target.id] = target
                    queue.append(target)
        return list(found.values())

    def _try(self, group: list[Item], shift: int, cost: float) -> float:
        after = self._moved([(item, shift) for item in group])
        if after is not None and after < cost - 1e-6:
            return after
        if after is not None:
            self._moved([(item, -shift) for item in group])
        return cost

    def _exchange_rows(self, cost: float) -> float:
        """Exchange neighbouring rows of a band from some column on."""
        for band in sorted({item.band for item in self.items.values()}):
            members = [item for item in self.items.values() if item.band == band]
            for row in range(min(i.row for i in members), max(i.row for i in members)):
                columns = sorted({i.column for i in members if i.row in (row, row + 1)})
                for column in columns:
                    here = [i for i in members if i.column >= column and i.row == row]
                    below = [i for i in members if i.column >= column and i.row == row + 1]
                    after = self._moved([(i, 1) for i in here] + [(i, -1) for i in below])
                    if after is not None and after < cost - 1e-6:
                        cost = after
                    elif after is not None:
                        self._moved([(i, -1) for i in here] + [(i, 1) for i in below])
        return cost

    def _try_swap(self, one: list[Item], other: list[Item], cost: float) -> float:
        """Exchange the rows of two items, each with what hangs on it."""
        shift = other[0].row - one[0].row
        if set(map(id, one)) & set(map(id, other)):
            return cost
        moves = [(item, shift) for item in one] + [(item, -shift) for item in other]
        after = self._moved(moves)
        if after is not None and after < cost - 1e-6:
            return after
        if after is not None:
            self._moved([(item, -by) for item, by in moves])
        return cost

    def _moved(self, moves: list[tuple[Item, int]]) -> float | None:
        """The cost after the moves, or None – and nothing moved – where a cell is taken."""
        for item, _ in moves:
            self._lift(item)
        for item, by in moves:
            item.row += by
        cells = [cell for item, _ in moves for cell in self._cells_of(item, item.row)]
        if len(set(cells)) < len(cells) or any(cell in self.cells for cell in cells):
            for item, by in moves:
                item.row -= by
            for item, _ in moves:
                self._put(item)
            return None
        for item, _ in moves:
            self._put(item)
        columns = [item.column + k for item, _ in moves for k in range(item.span)]
        return self._cost(min(columns), max(columns))

    # -- what a placement costs --------------------------------------------------------------------

    def _cost(self, low: int | None = None, high: int = 0) -> float:
        """The whole cost; only links that reach into the columns from ``low`` to ``high`` are reckoned anew."""
        rows = sorted({(i.band, i.row) for i in self.items.values()})
        if low is None or rows != self.rows:
            self.rows = rows
            self.levels = {row: level for level, row in enumerate(rows)}
            touched: Iterable[int] = range(len(self.links))
        else:
            touched = [n for n, (first, last) in enumerate(self.reach) if first <= high and low <= last]
        for number in touched:
            self.costs[number] = self._link_cost(number, self.links[number])
        for node in {self.links[number].source for number in touched}:
            self.fans[node] = self._fan(node)
        return ROW * len(rows) + sum(self.costs) + sum(self.fans.values())

    def _link_cost(self, number: int, link: Link) -> float:
        source, target = self.items[link.source], self.items[link.target]
        bend, level = self.taste.bend, self.taste.level
        rise = abs(self._level(source) - self._level(target))
        if link.weak:
            return level * abs(rise - 1) + (BLOCKED if rise == 0 else 0)
        if number in self.back or source.column >= target.column:
            return 2 * bend + level * rise * 0.6
        straight = 1.8 if number in self.main else 1.0
        first, last = source.column + source.span, target.column
        if rise == 0:
            hang = 3 * bend if link.hanging else 0
            return hang + BLOCKED * self._blocked(source.band, source.row, first, last)
        low = level * rise
        if number in self.main and source.band == target.band:
            low += self.taste.straight
        there = self._blocked(target.band, target.row, first, last)
        here = self._blocked(source.band, source.row, first, last)
        bends = [2 * bend * straight + BLOCKED * min(here, there)]
        if source.gateway or link.hanging:
            up = self._level(target) < self._level(source)
            if not (link.hanging and up):
                between = self._between(source, target, source.column) + (
                    (target.band, target.row, source.column) in self.cells
                )
                bends.append(bend * straight + BLOCKED * (between + there))
        if not link.hanging:
            between = self._between(source, target, target.column) + (
                (source.band, source.row, target.column) in self.cells
            )
            bends.append(bend * 1.3 * straight + BLOCKED * (between + here))
        elif self._level(target) < self._level(source):
            low += 3 * bend
        return low + min(bends)

    def _fan(self, node: str) -> float:
        """Branches of one node that leave in the same direction get in each other's way."""
        links = self.outgoing[node]
        if len(links) < 2:
            return 0
        here = self._level(self.items[node])
        levels = [self._level(self.items[link.target]) for link in links]
        sides = [(there > here) - (there < here) for there in levels]
        return sum(self.taste.fan * (sides.count(side) - 1) for side in set(sides))

    def _level(self, item: Item) -> int:
        return self.levels[(item.band, item.row)]

    def _blocked(self, band: int, row: int, first: int, last: int) -> int:
        return sum((band, row, column) in self.cells for column in range(first, last))

    def _between(self, one: Item, other: Item, column: int) -> int:
        low, high = sorted(((one.band, one.row), (other.band, other.row)))
        return sum(low < cell < high for cell in self.in_column[column])
