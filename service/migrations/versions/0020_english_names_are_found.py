"""The English names of steps, processes and cases are found beside the Chinese."""

from pathlib import PurePosixPath

import orjson
import sqlalchemy as sa
from alembic import op

from service import english, words

revision = "0020"
down_revision = "0019"

AT_ONCE = 500


def upgrade() -> None:
    """Add to the entries of tasks what the deployments of their cases say in English."""
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == "postgresql"
    terms = "array_to_string(tsvector_to_array(e.terms), ' ')" if on_postgresql else "e.terms"
    books = {row[0]: _book(connection, row[0]) for row in connection.execute(sa.text(_WITH_ENGLISH))}
    if not books:
        return
    entries = sa.text(
        f"SELECT e.task_id, e.name, e.about, {terms} AS terms, t.name AS step, t.process_id AS step_process, i.title,"
        " i.process_id, i.deployment_id, d.name AS process FROM search_entry e JOIN task t ON t.id = e.task_id"
        " JOIN instance i ON i.id = e.instance_id JOIN process_definition d ON d.id = i.definition_id"
        " WHERE e.task_id > :after ORDER BY e.task_id LIMIT :many"
    )
    value = "CAST(:terms AS tsvector)" if on_postgresql else ":terms"
    update = sa.text(f"UPDATE search_entry SET name = :name, about = :about, terms = {value} WHERE task_id = :task_id")
    after = 0
    while rows := connection.execute(entries, {"after": after, "many": AT_ONCE}).all():
        after = rows[-1].task_id
        changed = [_entry(row, *books[row.deployment_id], on_postgresql) for row in rows if row.deployment_id in books]
        if changed:
            connection.execute(update, changed)


_WITH_ENGLISH = (
    f"SELECT DISTINCT deployment_id FROM deployment_file WHERE path = '{english.NAME}' OR path LIKE '%/{english.NAME}'"
)


def _book(connection: sa.Connection, deployment_id: int) -> tuple[english.English, dict[str, list[str]]]:
    """The English of a deployment, and of which strings the titles of its cases are made."""
    files = connection.execute(
        sa.text("SELECT path, content FROM deployment_file WHERE deployment_id = :id"), {"id": deployment_id}
    )
    content = {row.path: bytes(row.content) for row in files if english.is_file(row.path)}
    processes = connection.execute(
        sa.text("SELECT process_id, path, properties FROM process_definition WHERE deployment_id = :id"),
        {"id": deployment_id},
    )
    folders, titles = {}, {}
    for row in processes:
        known = orjson.loads(row.properties) if isinstance(row.properties, str | bytes) else row.properties
        folders[row.process_id] = str(PurePosixPath(row.path).parent)
        titles[row.process_id] = english.strings(str(known.get("title") or ""))
    return english.English(content, folders), titles


def _entry(row: sa.Row, book: english.English, titles: dict[str, list[str]], on_postgresql: bool) -> dict[str, object]:
    say = book.of_process(row.process_id)
    title = english.made_of(row.title, [titles.get(row.process_id, [])], say)
    title = say(row.title) if title == row.title else title
    name = _beside(row.name, (row.step, book.of_process(row.step_process)(row.step)))
    about = _beside(row.about, (row.title, title), (row.process, say(row.process)))
    found = {*row.terms.split(), *words.pairs(name), *words.pairs(about)}
    terms = " ".join(f"'{word}'" if on_postgresql else word for word in sorted(found))
    return {"task_id": row.task_id, "name": name, "about": about, "terms": terms}


def _beside(text: str, *named: tuple[str, str]) -> str:
    added = dict.fromkeys(words.fold(said) for written, said in named if said != written)
    return " ".join([text, *filter(None, added)])
