"""Opaque marks between the pages of a list. A mark belongs to one list, filter and order, and says so."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .problems import InvalidFields
from .schemas import FieldProblem

Row = TypeVar("Row")
P = TypeVar("P")


class Marks:
    """The marks of one list as it is filtered and sorted now. ``field`` is where the caller puts one."""

    def __init__(self, name: str, *chosen: Any, field: str = "after") -> None:
        self._seal = f"{zlib.crc32(repr((name, chosen)).encode()):08x}"
        self._field = field

    def read(self, after: str | None) -> str | None:
        """The position that a mark of this list holds."""
        if after is None:
            return None
        try:
            seal, _, position = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode().partition(":")
        except (ValueError, binascii.Error):
            raise self.wrong() from None
        if seal != self._seal or not position:
            raise self.wrong()
        return position

    def write(self, position: str | None) -> str | None:
        """The mark for a position, if the list goes on."""
        if position is None:
            return None
        return base64.urlsafe_b64encode(f"{self._seal}:{position}".encode()).decode().rstrip("=")

    def wrong(self) -> InvalidFields:
        """Refuse a mark of another list, or one that somebody made up."""
        return InvalidFields(
            [
                FieldProblem(
                    field=self._field,
                    zh="翻页标记无效，或属于另一个查询。",
                    en="The mark is not valid, or belongs to another list.",
                )
            ]
        )


def page(model: Callable[..., P], found: Any, row: Callable[[Any], Any], marks: Marks) -> P:
    """One page of a list from what a query found."""
    return model(
        items=[row(one) for one in found.items],
        total=found.total,
        capped=getattr(found, "capped", False),
        next=marks.write(found.next),
    )


def cut(
    model: Callable[..., P],
    rows: Sequence[Row],
    row: Callable[[Row], Any],
    key: Callable[[Row], int],
    marks: Marks,
    *,
    after: str | None,
    limit: int,
) -> P:
    """One page of a short list that is read as a whole. It goes on after the row that was last."""
    start = 0
    if (position := marks.read(after)) is not None:
        keys = [str(key(one)) for one in rows]
        if position not in keys:
            raise marks.wrong()
        start = keys.index(position) + 1
    shown = rows[start : start + limit]
    more = start + limit < len(rows)
    return model(
        items=[row(one) for one in shown],
        total=len(rows),
        next=marks.write(str(key(shown[-1]))) if more else None,
    )
