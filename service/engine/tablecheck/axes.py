"""The values of one input, cut at every bound that a cell names; a cell is then a set of pieces.

A set of pieces is an integer with one bit a piece, so that "both", "either" and "all but" are single operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

Cell = Mapping[str, Any] | None
"""What a cell lets through: ``{"parts": […], "but": bool}``; None where only an evaluation could tell."""

ORDERED = ("number", "date", "datetime", "time")
KINDS_OF_TYPE = {
    "string": "string",
    "boolean": "boolean",
    "number": "number",
    "integer": "number",
    "long": "number",
    "double": "number",
    "date": "date",
    "time": "time",
    "dateTime": "datetime",
}
WHOLE = {"integer", "long"}


class Beyond(Exception):
    """A cell means something that cannot be cut into pieces, such as an order of texts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A value (``low`` is ``high``), the open range between two values, or what is left of a kind (both None)."""

    kind: str
    low: Any = None
    high: Any = None

    @property
    def is_value(self) -> bool:
        return self.low is not None and self.low == self.high


def value_of(raw: Any) -> tuple[str, Any]:
    """The kind and the value of a constant. Raises Beyond."""
    if raw is None:
        return "null", True
    if isinstance(raw, bool):
        return "boolean", raw
    if isinstance(raw, (int, float)):
        return "number", raw
    if isinstance(raw, str):
        return "string", raw
    if isinstance(raw, Mapping) and isinstance(raw.get("moment"), str):
        return _moment(raw["moment"])
    raise Beyond


def _moment(text: str) -> tuple[str, Any]:
    try:
        if len(text) == 10:
            return "date", date.fromisoformat(text)
        if "T" in text:
            return "datetime", datetime.fromisoformat(text).timestamp()
        return "time", time.fromisoformat(text).isoformat()
    except ValueError:
        raise Beyond from None


class Axis:
    """The pieces of one input. ``domain`` are those that can occur."""

    def __init__(self, label: str, type_: str | None, allowed: Cell, cells: Iterable[Cell]) -> None:
        self.label = label
        known = [cell for cell in [allowed, *cells] if cell is not None]
        values: dict[str, set[Any]] = {}
        for cell in known:
            for part in cell["parts"]:
                for key in ("low", "high", "equal"):
                    if key in part:
                        kind, value = value_of(part[key])
                        values.setdefault(kind, set()).add(value)
        if type_ in KINDS_OF_TYPE:
            values.setdefault(KINDS_OF_TYPE[type_], set())
        self.whole = type_ in WHOLE
        self.pieces = [piece for kind in sorted(values) for piece in _cut(kind, values[kind])]
        if not self.pieces:
            self.pieces = [Piece("any")]
        self._bits = {piece: 1 << index for index, piece in enumerate(self.pieces)}
        self.everything = (1 << len(self.pieces)) - 1
        self.domain = self.everything
        self.closed = allowed is not None
        if allowed is not None:
            self.domain = self.mask(allowed) or self.everything
        if self.whole:
            self.domain &= ~sum(self._bits[p] for p in self.pieces if self._between_integers(p))

    def mask(self, cell: Mapping[str, Any]) -> int:
        """The pieces a cell lets through. Raises Beyond."""
        found = 0
        for part in cell["parts"]:
            found |= self._part(part)
        return self.domain & ~found if cell["but"] else self.domain & found

    def thin(self, mask: int) -> bool:
        """True where a set holds nothing but fractions between two neighbouring integers."""
        return bool(mask) and all(
            self._between_integers(piece) for piece, bit in self._bits.items() if mask & bit and piece.kind != "any"
        )

    def unnamed(self, mask: int) -> bool:
        """True where a set holds nothing but texts that no cell names."""
        return not self.closed and all(
            piece.kind == "string" and not piece.is_value for piece, bit in self._bits.items() if mask & bit
        )

    def words(self, mask: int) -> tuple[str, str]:
        """A set of pieces as a process owner writes it, in Chinese and English."""
        texts: list[tuple[str, str]] = []
        for kind in dict.fromkeys(piece.kind for piece in self.pieces):
            own = [(piece, bool(mask & bit)) for piece, bit in self._bits.items() if piece.kind == kind]
            texts += _ranges(own) if kind in ORDERED else [_word(piece) for piece, chosen in own if chosen]
        return "、".join(zh for zh, _ in texts[:6]), ", ".join(en for _, en in texts[:6])

    def _between_integers(self, piece: Piece) -> bool:
        low, high = piece.low, piece.high
        return (
            piece.kind == "number"
            and low is not None
            and high is not None
            and low != high
            and float(low).is_integer()
            and high == low + 1
        )

    def _part(self, part: Mapping[str, Any]) -> int:
        if "equal" in part:
            kind, value = value_of(part["equal"])
            return self._bits.get(Piece(kind, value, value), 0)
        if "low" not in part and "high" not in part:
            return self.everything
        kinds = {value_of(part[key])[0] for key in ("low", "high") if key in part}
        if len(kinds) != 1 or not kinds <= set(ORDERED):
            raise Beyond
        (kind,) = kinds
        low = value_of(part["low"])[1] if "low" in part else None
        high = value_of(part["high"])[1] if "high" in part else None
        return sum(
            bit
            for piece, bit in self._bits.items()
            if piece.kind == kind and _inside(piece, low, part.get("lowOpen"), high, part.get("highOpen"))
        )


def _cut(kind: str, values: set[Any]) -> list[Piece]:
    if kind == "null":
        return [Piece(kind, True, True)]
    if kind == "boolean":
        return [Piece(kind, True, True), Piece(kind, False, False)]
    points = [Piece(kind, value, value) for value in sorted(values)]
    if kind not in ORDERED:
        return [*points, Piece(kind)]
    if not points:
        return [Piece(kind)]
    found = [Piece(kind, None, points[0].low)]
    for point, following in pairwise([*points, None]):
        assert point is not None
        found += [point, Piece(kind, point.low, following.low if following else None)]
    return found


def _inside(piece: Piece, low: Any, low_open: bool | None, high: Any, high_open: bool | None) -> bool:
    """Whether a whole piece lies in a range; pieces never straddle a bound."""
    if piece.is_value:
        above = low is None or piece.low > low or (piece.low == low and not low_open)
        return above and (high is None or piece.low < high or (piece.low == high and not high_open))
    above = low is None or (piece.low is not None and piece.low >= low)
    return above and (high is None or (piece.high is not None and piece.high <= high))


def _ranges(own: Sequence[tuple[Piece, bool]]) -> list[tuple[str, str]]:
    """Neighbouring pieces as one range."""
    texts: list[tuple[str, str]] = []
    first: Piece | None = None
    last: Piece | None = None
    for piece, chosen in [*own, (Piece("end"), False)]:
        if chosen:
            first, last = first or piece, piece
        elif first is not None and last is not None:
            texts.append(_range(first, last))
            first = last = None
    return texts


def _range(first: Piece, last: Piece) -> tuple[str, str]:
    if first is last and first.is_value:
        return _word(first)
    low, high = first.low, last.high
    if low is None and high is None:
        return "任意值", "any value"
    if low is None:
        text = f"{'<=' if last.is_value else '<'} {_literal(high)}"
    elif high is None:
        text = f"{'>=' if first.is_value else '>'} {_literal(low)}"
    else:
        text = f"{'[' if first.is_value else '('}{_literal(low)}..{_literal(high)}{']' if last.is_value else ')'}"
    return text, text


def _word(piece: Piece) -> tuple[str, str]:
    if piece.kind == "null":
        return "空值", "null"
    if not piece.is_value:
        return "其他值", "any other value"
    text = _literal(piece.low)
    return text, text


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
