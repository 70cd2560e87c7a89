"""Rectangles, lines, and drawings made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

Dot = tuple[float, float]
Stretch = tuple[Dot, Dot]
Line = list[Dot]


@dataclass(slots=True)
class Rect:
    x: float
    y: float
    w: float
    h: float

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.w, self.h)

    def shrunk(self, by: float) -> Rect:
        return Rect(self.x + by, self.y + by, self.w - 2 * by, self.h - 2 * by)

    def holds(self, other: Rect) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.w <= self.x + self.w
            and other.y + other.h <= self.y + self.h
        )

    def overlaps(self, other: Rect, margin: float = 0) -> float:
        """The common area, both grown by half the margin."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x) + margin
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y) + margin
        return w * h if w > 0 and h > 0 else 0


@dataclass(slots=True)
class Drawing:
    """Shapes, edges and labels of one scope, in its own coordinates."""

    width: float = 0
    height: float = 0
    shapes: dict[str, Rect] = field(default_factory=dict)
    edges: dict[str, Line] = field(default_factory=dict)
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


def cut(rect: Rect, line: Stretch) -> float:
    """How much of a line lies inside the rectangle (Liang and Barsky's clipping)."""
    (x1, y1), (x2, y2) = line
    low, high = 0.0, 1.0
    for start, step, least, most in ((x1, x2 - x1, rect.x, rect.x + rect.w), (y1, y2 - y1, rect.y, rect.y + rect.h)):
        if abs(step) < 1e-9:
            if not least < start < most:
                return 0
            continue
        one, other = sorted(((least - start) / step, (most - start) / step))
        low, high = max(low, one), min(high, other)
    return max(0.0, high - low) * ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5


def meetings(one: Line, other: Line) -> int:
    """How often two lines cross."""
    return sum(_meet(p, q) for p in pairwise(one) for q in pairwise(other))


def _meet(p: Stretch, q: Stretch) -> bool:
    """True where the inner points of the two stretches meet."""
    (ax, ay), (bx, by) = p
    (cx, cy), (dx, dy) = q

    def side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> float:
        return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)

    one, other = side(ax, ay, bx, by, cx, cy), side(ax, ay, bx, by, dx, dy)
    third, fourth = side(cx, cy, dx, dy, ax, ay), side(cx, cy, dx, dy, bx, by)
    return one * other < 0 and third * fourth < 0


def overlay(one: Stretch, other: Stretch) -> float:
    """How far two level or two upright stretches run on top of one another."""
    for axis in (0, 1):
        across = 1 - axis
        values = {round(p[axis]) for p in (*one, *other)}
        if len(values) == 1:
            low = max(min(p[across] for p in one), min(p[across] for p in other))
            high = min(max(p[across] for p in one), max(p[across] for p in other))
            return float(high - low)
    return 0
