"""What tasks are found by: one row a task, with words cut for the index, and views people keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Boolean, ForeignKey, Index, Text, UniqueConstraint, event, literal
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from .base import BigId, Model
from .identity import Organisation, User


class Terms(TypeDecorator[Iterable[str]]):
    """A set of short words without spaces or quotes; a tsvector on PostgreSQL, a text that FTS5 indexes on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type that the database indexes."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str | None:
        """Write the words side by side."""
        if value is None:
            return None
        words = sorted(value)
        return " ".join(f"'{word}'" for word in words) if dialect.name == "postgresql" else " ".join(words)


@dataclass(frozen=True, slots=True)
class Cut:
    """Words of the index that stand there ``whole``, and such as have ``begun`` so."""

    whole: Sequence[str]
    begun: Sequence[str] = ()

    def on_postgresql(self) -> str:
        """As part of a tsquery."""
        return " & ".join([f"'{word}'" for word in self.whole] + [f"'{word}':*" for word in self.begun])

    def on_sqlite(self) -> str:
        """As part of a question to FTS5."""
        return " AND ".join([f'"{word}"' for word in self.whole] + [f'"{word}" *' for word in self.begun])


def _either(ways: Sequence[str], word: str) -> str:
    return f"({f' {word} '.join(f'({way})' for way in ways)})"


class SearchEntry(Model):
    """What one task is found by, written in the transaction of the step that opens or ends it.

    ``about`` is folded text that whoever sees the task's line may read: number, title, process, parties. ``said`` is
    what was handed in with it: for those who see the task itself. ``terms`` are the pairs of ``name`` and ``about``,
    those of ``said`` marked as typed, and words such as ``process:demo`` for the filters, so that any combination is
    one look into one index.
    """

    __tablename__ = "search_entry"
    __table_args__ = (
        Index("ix_search_entry_instance", "instance_id"),
        Index("ix_search_entry_terms", "terms", postgresql_using="gin").ddl_if(dialect="postgresql"),
    )

    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"), primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    name: Mapped[str]
    about: Mapped[str]
    said: Mapped[str] = mapped_column(default="")
    region: Mapped[str | None]
    base_type: Mapped[str | None]
    recommender_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    terms: Mapped[Any] = mapped_column(Terms)

    @classmethod
    def found(cls, *wanted: Sequence[Cut]) -> holds:
        """The condition that an entry has, of all that is wanted, one or another way to have it."""
        for_postgresql = " & ".join(_either([one.on_postgresql() for one in ways], "|") for ways in wanted)
        for_sqlite = " AND ".join(_either([one.on_sqlite() for one in ways], "OR") for ways in wanted)
        return holds(cls.terms, cls.task_id, literal(for_postgresql), literal(for_sqlite))


SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE search_words USING fts5(terms, content='search_entry', content_rowid='task_id',"
    " detail='none', tokenize=\"unicode61 remove_diacritics 0 tokenchars ':_.-'\")",
    "CREATE TRIGGER search_entry_in AFTER INSERT ON search_entry BEGIN"
    " INSERT INTO search_words(rowid, terms) VALUES (new.task_id, new.terms); END",
    "CREATE TRIGGER search_entry_out AFTER DELETE ON search_entry BEGIN"
    " INSERT INTO search_words(search_words, rowid, terms) VALUES ('delete', old.task_id, old.terms); END",
    "CREATE TRIGGER search_entry_over AFTER UPDATE OF terms ON search_entry BEGIN"
    " INSERT INTO search_words(search_words, rowid, terms) VALUES ('delete', old.task_id, old.terms);"
    " INSERT INTO search_words(rowid, terms) VALUES (new.task_id, new.terms); END",
)
"""The index of the words on SQLite, kept by triggers, so that no command can forget it."""

for _statement in SQLITE_INDEX:
    event.listen(SearchEntry.__table__, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="sqlite"))


class holds(FunctionElement[bool]):
    """True where an entry has all the words of a question, as each database is asked; see ``SearchEntry.found``."""

    type = Boolean()
    inherit_cache = True
    name = "holds"

    def self_group(self, against: Any = None) -> holds:
        """Stand as a condition by itself: with ``= 1`` behind it, SQLite reads the whole table for it."""
        return self


@compiles(holds, "postgresql")
def _on_postgresql(element: holds, compiler: Any, **how: Any) -> str:
    terms, _id, question, _other = element.clauses
    return f"({compiler.process(terms, **how)} @@ CAST({compiler.process(question, **how)} AS tsquery))"


@compiles(holds, "sqlite")
def _on_sqlite(element: holds, compiler: Any, **how: Any) -> str:
    _terms, task_id, _other, question = element.clauses
    found = f"SELECT rowid FROM search_words WHERE search_words MATCH {compiler.process(question, **how)}"
    return f"({compiler.process(task_id, **how)} IN ({found}))"


class carries(FunctionElement[bool]):
    """True where the words of an entry at hand have one, such as ``region:山东省``: for a look at single entries."""

    type = Boolean()
    inherit_cache = True
    name = "carries"

    def __init__(self, terms: Any, word: str) -> None:
        super().__init__(terms, literal(f"'{word}'"), literal(f" {word} "))


@compiles(carries, "postgresql")
def _carries_on_postgresql(element: carries, compiler: Any, **how: Any) -> str:
    terms, question, _other = element.clauses
    return f"({compiler.process(terms, **how)} @@ CAST({compiler.process(question, **how)} AS tsquery))"


@compiles(carries, "sqlite")
def _carries_on_sqlite(element: carries, compiler: Any, **how: Any) -> str:
    terms, _other, word = element.clauses
    return f"(instr(' ' || {compiler.process(terms, **how)} || ' ', {compiler.process(word, **how)}) > 0)"


class unindexed(FunctionElement[bool]):
    """A condition that SQLite, which knows nothing of how many rows meet it, shall not look up in an index."""

    type = Boolean()
    inherit_cache = True
    name = "unindexed"

    def self_group(self, against: Any = None) -> unindexed:
        """Stand as a condition by itself, as ``holds``."""
        return self


@compiles(unindexed)
def _unindexed(element: unindexed, compiler: Any, **how: Any) -> str:
    (condition,) = element.clauses
    sign = "+" if compiler.dialect.name == "sqlite" else ""
    return f"{sign}({compiler.process(condition, **how)})"


class InboxView(Model):
    """A choice of filters somebody keeps under a name: for themselves, or shared with a role of their organisation.

    Without a role it is shared with the whole organisation. A view holds filters alone: everybody sees in it what
    they may see.
    """

    __tablename__ = "inbox_view"
    __table_args__ = (UniqueConstraint("owner_id", "name"), Index(None, "organisation_id", "role"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id", ondelete="CASCADE"))
    role: Mapped[str | None] = mapped_column(ForeignKey("role.code"))
    created_at: Mapped[datetime]

    owner: Mapped[User] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
