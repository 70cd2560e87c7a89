"""Which page of a list."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
)

from .values import Document

Cursor = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), Field(description="`next` of the page before this one.")
]
Limit = Annotated[int, Field(ge=1, le=200, description="How many items a page holds at most.")]


class Paging(Document):
    """Which page of a list."""

    limit: Limit = 25
    after: Cursor | None = None


class PageQuery(Document):
    """Which page of a list, in the address."""

    model_config = ConfigDict(strict=False)

    limit: Limit = 25
    after: Cursor | None = None
