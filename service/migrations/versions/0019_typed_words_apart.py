"""Words that were typed into forms are found apart from those of a line."""

import sqlalchemy as sa
from alembic import op

from service import words

revision = "0019"
down_revision = "0018"

AT_ONCE = 500


def upgrade() -> None:
    """Mark the pairs of what was handed in; the others, and the words for the filters, stay."""
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == "postgresql"
    terms = "array_to_string(tsvector_to_array(terms), ' ')" if on_postgresql else "terms"
    entries = sa.text(
        f"SELECT task_id, name, about, said, {terms} AS terms FROM search_entry"
        " WHERE task_id > :after AND said <> '' ORDER BY task_id LIMIT :many"
    )
    value = "CAST(:terms AS tsvector)" if on_postgresql else ":terms"
    update = sa.text(f"UPDATE search_entry SET terms = {value} WHERE task_id = :task_id")
    after = 0
    while rows := connection.execute(entries, {"after": after, "many": AT_ONCE}).all():
        after = rows[-1].task_id
        connection.execute(update, [{"task_id": row.task_id, "terms": _terms(row, on_postgresql)} for row in rows])


def _terms(row: sa.Row, on_postgresql: bool) -> str:
    tags = {word for word in row.terms.split() if ":" in word}
    found = tags | words.pairs(row.name) | words.pairs(row.about) | set(words.typed(words.pairs(row.said)))
    return " ".join(f"'{word}'" if on_postgresql else word for word in sorted(found))
