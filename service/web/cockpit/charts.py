"""Charts as numbers for SVG: the templates draw them, so no script and no style attribute is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 200, 34, 22


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart, with its number."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve with its points."""

    name: str
    points: str
    total: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over days."""

    lines: list[Line]
    ticks: list[Tick]
    labels: list[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars over days."""

    bars: list[Bar]
    ticks: list[Tick]
    labels: list[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole."""

    name: str
    value: int
    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Rank:
    """A line of a ranking: its bar, and the part of it that is late."""

    name: str
    value: int
    late: int
    width: float
    late_width: float


def lines(days: Sequence[tuple[str, Sequence[int]]], names: Sequence[str]) -> Lines:
    """Curves, one for each name."""
    top = _top(max((max(values) for _, values in days), default=0))
    made = []
    for number, name in enumerate(names):
        values = [one[1][number] for one in days]
        points = " ".join(f"{_x(i, len(days)):.1f},{_y(value, top):.1f}" for i, value in enumerate(values))
        made.append(Line(name, points, sum(values)))
    return Lines(made, _ticks(top), _labels([label for label, _ in days]))


def bars(days: Sequence[tuple[str, int]]) -> Bars:
    """One bar a day."""
    top = _top(max((value for _, value in days), default=0))
    step = (WIDTH - LEFT) / max(len(days), 1)
    made = [
        Bar(LEFT + i * step + step * 0.15, _y(value, top), step * 0.7, HEIGHT - BOTTOM - _y(value, top), label, value)
        for i, (label, value) in enumerate(days)
    ]
    return Bars(made, _ticks(top), _labels([label for label, _ in days]))


def stack(parts: Sequence[tuple[str, int, str]]) -> list[Part]:
    """One line cut into its parts."""
    total = sum(value for _, value, _ in parts) or 1
    made, x = [], 0.0
    for name, value, kind in parts:
        width = WIDTH * value / total
        made.append(Part(name, value, kind, x, width))
        x += width
    return made


def ranks(rows: Sequence[tuple[str, int, int]]) -> list[Rank]:
    """Bars beside names, the longest the width of the chart."""
    most = max((value for _, value, _ in rows), default=0) or 1
    return [Rank(name, value, late, 100 * value / most, 100 * late / most) for name, value, late in rows]


def _top(most: int) -> int:
    """The height of a chart: a round number that four lines cut into whole ones."""
    unit = 1
    while most > 20 * unit:
        unit *= 10
    return next(lead * unit for lead in (4, 8, 12, 20) if most <= lead * unit)


def _ticks(top: int) -> list[Tick]:
    return [Tick(_y(top * i / 4, top), f"{top * i // 4}") for i in range(5)]


def _labels(names: Sequence[str]) -> list[tuple[float, str]]:
    every = max(1, len(names) // 6)
    return [(_x(i, len(names)), name) for i, name in enumerate(names) if i % every == 0]


def _x(number: int, count: int) -> float:
    return LEFT + (WIDTH - LEFT - 10) * number / max(count - 1, 1)


def _y(value: float, top: int) -> float:
    return 8 + (HEIGHT - BOTTOM - 8) * (1 - value / top)
