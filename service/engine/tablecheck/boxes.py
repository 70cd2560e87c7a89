"""Rules as boxes – one set of pieces an input – and the room that they leave."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[int, ...]
MOST_STEPS = 60_000
MOST_BOXES = 64


class TooLarge(Exception):
    """The table is too large to look at every combination."""


def left_by(room: Box, boxes: Sequence[Box]) -> list[Box]:
    """The parts of a room that no box covers, as boxes; at most MOST_BOXES of them. Raises TooLarge."""
    return _Search(room, boxes).run()


def meet(one: Box, other: Box) -> Box | None:
    """What two boxes share; None where that is nothing."""
    shared = tuple(a & b for a, b in zip(one, other, strict=True))
    return shared if all(shared) else None


class _Search:
    """Input by input: pieces that the same rules let through go the same way, and a way is walked once."""

    def __init__(self, room: Box, boxes: Sequence[Box]) -> None:
        self.room = room
        self.boxes = [box for box in boxes if meet(room, box) is not None]
        # Which boxes have no condition from an input on: where one of them is left, nothing is open.
        self.free = [
            sum(
                1 << index
                for index, box in enumerate(self.boxes)
                if all(own & mine == mine for own, mine in zip(box[at:], room[at:], strict=True))
            )
            for at in range(len(room) + 1)
        ]
        self.known: dict[tuple[int, int], list[Box]] = {}
        self.steps = 0

    def run(self) -> list[Box]:
        if not all(self.room):
            return []
        return self._open(0, (1 << len(self.boxes)) - 1)

    def _open(self, at: int, live: int) -> list[Box]:
        if live & self.free[at]:
            return []
        if not live:
            return [self.room[at:]]
        key = (at, live)
        if key in self.known:
            return self.known[key]
        found: dict[tuple[Box, ...], int] = {}
        for following, mask in self._ways(at, live).items():
            rest = tuple(self._open(at + 1, following))
            if rest:
                found[rest] = found.get(rest, 0) | mask
        boxes = [(mask, *tail) for rest, mask in found.items() for tail in rest]
        self.known[key] = boxes[:MOST_BOXES]
        return self.known[key]

    def _ways(self, at: int, live: int) -> dict[int, int]:
        """The sets of boxes that stay in play, with the pieces of the input that keep each."""
        indexes = [index for index in range(len(self.boxes)) if live >> index & 1]
        ways: dict[int, int] = {}
        rest = self.room[at]
        while rest:
            self.steps += len(indexes) // 16 + 1
            if self.steps > MOST_STEPS:
                raise TooLarge
            bit = rest & -rest
            rest ^= bit
            following = sum(1 << index for index in indexes if self.boxes[index][at] & bit)
            ways[following] = ways.get(following, 0) | bit
        return ways
