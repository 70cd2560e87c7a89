"""Where nodes stand on the grid: a column from the order of the work, a row from what keeps lines straight.

Columns are longest-path layers after the flows that go back are set aside. Rows are found by search: moves of single
nodes, of whole tails and swaps, as long as a cheap estimate of bends and detours falls. No chance is involved, so the
same diagram always comes out the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from .cells import Item, Link, Placement, topological
from .rows import TASTES, Rows, Taste


def place(items: Iterable[Item], links: Sequence[Link], taste: Taste = TASTES[0]) -> Placement:
    """Give every item its column and row; rows of a band are numbered from 0 without gaps."""
    placement = Placement({item.id: item for item in items}, links)
    _columns(placement)
    Rows(placement, taste).search()
    _close_gaps(placement)
    return placement


def float_in(placement: Placement, floating: Iterable[Item]) -> None:
    """Put items that no flow touches into free cells: at the top of the first band, at the bottom of the others."""
    first = min((item.band for item in placement.items.values()), default=0)
    last = max((item.band for item in placement.items.values()), default=0)
    for item in floating:
        others = [i for i in placement.items.values() if i.band == item.band]
        rows = sorted({i.row for i in others})
        order = rows if item.band == first and last > first else rows[::-1]
        free = [row for row in order if _is_free(item, row, others)]
        above = item.band == first and last > first
        item.row = free[0] if free else min(rows, default=1) - 1 if above else max(rows, default=-1) + 1
        placement.items[item.id] = item
    _close_gaps(placement)


def _is_free(item: Item, row: int, others: list[Item]) -> bool:
    """Nothing stands in the first cells of the row, nor beside them: flows need a way past."""
    return not any(other.row == row and other.column < item.span + 1 for other in others)


# -- columns ---------------------------------------------------------------------------------------


def _columns(placement: Placement) -> None:
    items = placement.items
    forward: dict[str, list[tuple[int, str]]] = defaultdict(list)
    incoming: dict[str, int] = defaultdict(int)
    for number, link in enumerate(placement.links):
        if not link.weak and link.source != link.target:
            forward[link.source].append((number, link.target))
            incoming[link.target] += 1
    roots = [i.id for i in items.values() if i.start] + [i.id for i in items.values() if not incoming[i.id]]
    placement.back = _back_links([*roots, *items], forward)
    placement.back |= {n for n, link in enumerate(placement.links) if link.source == link.target}
    order = topological(list(items), forward, placement.back)
    for item_id in order:
        item = items[item_id]
        for number, target in forward[item_id]:
            if number not in placement.back:
                items[target].column = max(items[target].column, item.column + item.span)
    for link in placement.links:
        if link.weak:
            artifact, other = (link.source, link.target) if items[link.source].artifact else (link.target, link.source)
            if items[artifact].artifact:
                items[artifact].column = items[other].column


def _back_links(order: Iterable[str], forward: dict[str, list[tuple[int, str]]]) -> set[int]:
    """Numbers of the links that close a cycle, seen from the start events in the order of the file."""
    back: set[int] = set()
    state: dict[str, int] = {}
    for root in order:
        if state.get(root):
            continue
        stack = [(root, iter(forward[root]))]
        state[root] = 1
        while stack:
            node, successors = stack[-1]
            for number, target in successors:
                if state.get(target) == 1:
                    back.add(number)
                elif not state.get(target):
                    state[target] = 1
                    stack.append((target, iter(forward[target])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return back


def _close_gaps(placement: Placement) -> None:
    for band in {item.band for item in placement.items.values()}:
        members = [item for item in placement.items.values() if item.band == band]
        number = {row: k for k, row in enumerate(sorted({item.row for item in members}))}
        for item in members:
            item.row = number[item.row]
