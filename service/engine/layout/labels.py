"""Labels outside shapes: of the places in question, the one where least else is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from .geometry import Drawing, Rect, Stretch, cut
from .reading import Flow, Node
from .text import box

CLEAR = 6
"""How many pixels a label keeps off the border of a sub-process."""


class Labels:
    def __init__(self, drawing: Drawing, containers: set[str]) -> None:
        self.drawing = drawing
        self.solid = {name: rect for name, rect in drawing.shapes.items() if name not in containers}
        self.lines = [pair for line in drawing.edges.values() for pair in pairwise(line)]
        self.borders = [side for name in containers for side in sides(drawing.shapes[name])]

    def node(self, node: Node) -> None:
        r = self.drawing.shapes[node.id]
        w, h = box(node.name)
        x = r.x + r.w / 2 - w / 2
        above, below = (x, r.y - h - 4), (x, r.y + r.h + 4)
        aside = [
            (r.x + r.w / 2 - 8 - w, r.y - h + 6), (r.x + r.w / 2 - 8 - w, r.y + r.h - 6),
            (r.x + r.w / 2 + 8, r.y - h + 6), (r.x + r.w / 2 + 8, r.y + r.h - 6),
        ]  # fmt: skip
        first = [above, below] if node.is_gateway else [below, above]
        self._put(node.id, [*first, *aside], w, h)

    def hanging(self, node: Node, *, left: bool) -> None:
        r = self.drawing.shapes[node.id]
        w, h = box(node.name)
        y = r.y + r.h / 2 + 3
        right_place, left_place = (r.x + r.w + 1, y), (r.x - w - 1, y)
        places = [left_place, right_place] if left else [right_place, left_place]
        self._put(node.id, [*places, (r.x + r.w / 2 + 4, r.y + r.h + 2), (r.x + r.w / 2 - 4 - w, r.y + r.h + 2)], w, h)

    def flow(self, flow: Flow, *, message: bool) -> None:
        line = self.drawing.edges[flow.id]
        w, h = box(flow.name)
        stretches = list(pairwise(line))
        if message:
            stretches.sort(key=lambda s: -abs(s[0][0] - s[1][0]) - abs(s[0][1] - s[1][1]))
        places: list[tuple[float, float]] = []
        for number, ((x1, y1), (x2, y2)) in enumerate(stretches[:3]):
            gap = 5 + (flow.gap if number == 0 else 0)
            if abs(y1 - y2) < 1:
                x = x1 + gap if x2 > x1 else x1 - gap - w
                places += [(x, y1 - h - 2), (x, y1 + 3)]
            else:
                y = y1 + gap - 1 if y2 > y1 else y1 - h - gap + 1
                middle = (y1 + y2) / 2 - h / 2
                if message:
                    y = middle
                places += [(x1 + 5, y), (x1 - 5 - w, y)]
        self._put(flow.id, places, w, h)

    def _put(self, name: str, places: Iterable[tuple[float, float]], w: float, h: float) -> None:
        best = min(
            (self._cost(name, Rect(x, y, w, h)) + 3 * order, order, Rect(x, y, w, h))
            for order, (x, y) in enumerate(places)
        )
        self.drawing.labels[name] = best[2]

    def _cost(self, name: str, rect: Rect) -> float:
        # A label may reach into the box around its own diamond or circle, whose corners are empty.
        solid = [other for shape, other in self.solid.items() if shape != name]
        cost = sum(rect.overlaps(other) for other in [*solid, *self.drawing.labels.values()]) * 2
        # Letters that all but touch the border of a sub-process read as struck through.
        clear = Rect(rect.x - CLEAR, rect.y - CLEAR, rect.w + 2 * CLEAR, rect.h + 2 * CLEAR)
        cost += sum(100 + length for pair in self.borders if (length := cut(clear, pair)) > 0)
        return cost + sum(300 + length for pair in self.lines if (length := cut(rect, pair)) > 0)


def sides(rect: Rect) -> list[Stretch]:
    """The four sides of a rectangle."""
    corners = [
        (rect.x, rect.y),
        (rect.x + rect.w, rect.y),
        (rect.x + rect.w, rect.y + rect.h),
        (rect.x, rect.y + rect.h),
    ]
    return list(pairwise([*corners, corners[0]]))
