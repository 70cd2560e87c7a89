"""One page of a list, and the mark that says where the next one begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, Subquery, func, select, tuple_, union
from sqlalchemy.orm import Session

from .. import errors
from ..models.base import LARGEST_ID

Row = TypeVar("Row")
AnySelect = Select[*tuple[Any, ...]]

LARGEST_PAGE = 200
KEY = "key"
COUNTED = 500
"""Lists are counted up to here. To count a hundred thousand rows for a number would cost more than the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some items of a list. ``capped`` says that there are more than ``total``; ``next`` goes into ``after=``."""

    items: list[Row]
    total: int
    next: str | None = None
    capped: bool = False


def size(limit: int) -> int:
    """Return a page size that is neither nothing nor everything."""
    return max(1, min(limit, LARGEST_PAGE))


def mark(*values: Any) -> str:
    """Write down where a page ended."""
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def position(after: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """Read a mark back, or refuse one that is none of this list's."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(after.encode() + b"=" * (-len(after) % 4)))
        return tuple(_as(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, binascii.Error):
        raise errors.InvalidInput("翻页标记无效。", "The page mark is not valid.", field="after") from None


def _as(kind: type, value: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    if type(value) is not kind:
        raise TypeError
    if isinstance(value, int) and abs(value) > LARGEST_ID:
        raise ValueError
    return value


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: columns that no two rows share, all up or all down, and the types of their values."""

    columns: tuple[Any, ...]
    kinds: tuple[type, ...]
    down: bool = False

    def apply(self, query: AnySelect, after: str | None, limit: int) -> AnySelect:
        """Sort a query and cut it to one page and the first row of the next."""
        if after is not None:
            query = query.where(self.beyond(after))
        return query.order_by(*self.sorting()).limit(limit + 1)

    def sorting(self) -> list[Any]:
        """The columns as a query is sorted by them."""
        return [column.desc() for column in self.columns] if self.down else list(self.columns)

    def keys(self) -> list[Any]:
        """The columns under names that a merged list has in common."""
        return [column.label(f"{KEY}{number}") for number, column in enumerate(self.columns)]

    def beyond(self, after: str) -> ColumnElement[bool]:
        """The condition that a row comes after the mark."""
        here = tuple_(*self.columns)
        values = position(after, self.kinds)
        return here < values if self.down else here > values


def counted(session: Session, *queries: AnySelect, up_to: int | None = COUNTED) -> tuple[int, bool]:
    """Count the rows of queries up to a limit (None: all), each row once, and say whether there are more."""
    heads = [query.limit(None if up_to is None else up_to + 1).subquery() for query in queries]
    # A subquery for each: SQLite takes no LIMIT inside a union otherwise.
    rows = heads[0] if len(heads) == 1 else union(*(select(*head.c) for head in heads)).subquery()
    found = session.scalar(select(func.count()).select_from(rows)) or 0
    return (found, False) if up_to is None else (min(found, up_to), found > up_to)


def chosen(parts: Sequence[tuple[AnySelect, Order]], after: str | None, limit: int) -> Subquery:
    """Return the ids of one page out of several queries, in ``id``, with the values they are sorted by.

    Each query is followed along its own index for one page at most; the heads are merged. Their orders mean the
    same, each in the columns of its own query.
    """
    heads = [order.apply(query.add_columns(*order.keys()), after, limit).subquery() for query, order in parts]
    if len(heads) == 1:
        return heads[0]
    merged = union(*(select(*head.c) for head in heads)).subquery()
    return sorted_again(select(merged), merged, parts[0][1].down).limit(limit + 1).subquery()


def sorted_again(query: AnySelect, rows: Subquery, down: bool) -> AnySelect:
    """Sort by the values that ``chosen`` sorted by."""
    keys = [column for column in rows.c if column.key.startswith(KEY)]
    return query.order_by(*(key.desc() if down else key for key in keys))
