"""What every table has in common: names of constraints, portable column types, the id of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, LargeBinary, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

LARGEST_ID = 2**63 - 1


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Goes in aware, comes out aware and in UTC, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment: nobody could say later which one it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}; give it a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment its zone back where the database does not keep one."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class BigId(TypeDecorator[int]):
    """An id. One that no row can have (from a URL, say) is looked up as 0, which no row has either."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite numbers rows by itself only in a column called INTEGER."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        """Keep the value inside 64 bits, so that an absurd id is not found instead of a crash."""
        return value if value is None or 0 <= value <= LARGEST_ID else 0


class Model(DeclarativeBase):
    """A table of Guohe. (A *base* is a thing of the register.)"""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: String(),
        bytes: LargeBinary(),
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
        list[Any]: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
        list[str]: JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"),
    }


RowId = Annotated[int, mapped_column(BigId(), primary_key=True)]
"""The number the database gives a new row."""
