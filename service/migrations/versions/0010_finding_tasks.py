"""Finding tasks: words cut for an index, and views people keep. Tasks that are there already are made findable."""

import orjson
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service import words

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
AT_ONCE = 500
BASE_TYPES = {"demonstration_base": "DB", "innovation_park": "IP", "joint_centre": "JC", "transfer_centre": "TT"}

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


def upgrade() -> None:
    """Make the tables, and an entry for every task."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "search_entry",
        sa.Column("task_id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("authority_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("base_type", sa.String(), nullable=True),
        sa.Column("recommender_id", ID, nullable=True),
        sa.Column("terms", postgresql.TSVECTOR() if on_postgresql else sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_search_entry_task_id_task"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name=op.f("fk_search_entry_instance_id_instance"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_search_entry_authority_id_authority")
        ),
        sa.ForeignKeyConstraint(
            ["recommender_id"], ["organisation.id"], name=op.f("fk_search_entry_recommender_id_organisation")
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_search_entry")),
    )
    op.create_index("ix_search_entry_instance", "search_entry", ["instance_id"])
    if not on_postgresql:
        for statement in SQLITE_INDEX:
            op.get_bind().exec_driver_sql(statement)
    op.create_table(
        "inbox_view",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", JSON, nullable=False),
        sa.Column("organisation_id", ID, nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user.id"], name=op.f("fk_inbox_view_owner_id_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_inbox_view_organisation_id_organisation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["role"], ["role.code"], name=op.f("fk_inbox_view_role_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_view")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_inbox_view_owner_id_name")),
    )
    op.create_index(op.f("ix_inbox_view_organisation_id_role"), "inbox_view", ["organisation_id", "role"])
    _make_findable(on_postgresql)
    if on_postgresql:  # the index last: it is built faster than kept
        op.create_index("ix_search_entry_terms", "search_entry", ["terms"], postgresql_using="gin")


def _make_findable(on_postgresql: bool) -> None:
    connection = op.get_bind()
    cases = sa.text(
        "SELECT i.id, i.authority_id, i.process_id, i.number, i.title, d.name FROM instance i"
        " JOIN process_definition d ON d.id = i.definition_id WHERE i.id > :after ORDER BY i.id LIMIT :many"
    )
    parties = sa.text(
        "SELECT p.instance_id, p.party, o.id, o.name, o.name_en, o.region FROM case_party p"
        " JOIN organisation o ON o.id = p.organisation_id WHERE p.instance_id BETWEEN :first AND :last"
    )
    tasks = sa.text(
        "SELECT id, instance_id, element_id, process_id, name, submitted FROM task"
        " WHERE status <> 'cancelled' AND instance_id BETWEEN :first AND :last"
    )
    insert = sa.text(
        "INSERT INTO search_entry (task_id, instance_id, authority_id, name, about, said, region, base_type,"
        " recommender_id, terms) VALUES (:task_id, :instance_id, :authority_id, :name, :about, :said, :region,"
        " :base_type, :recommender_id, " + ("CAST(:terms AS tsvector))" if on_postgresql else ":terms)")
    )
    after = 0
    while rows := connection.execute(cases, {"after": after, "many": AT_ONCE}).all():
        span = {"first": rows[0].id, "last": rows[-1].id}
        after = rows[-1].id
        known = {row.id: row for row in rows}
        of_case: dict[int, list[sa.Row]] = {}
        for party in connection.execute(parties, span):
            of_case.setdefault(party.instance_id, []).append(party)
        entries = [
            _entry(known[task.instance_id], of_case.get(task.instance_id, []), task, on_postgresql)
            for task in connection.execute(tasks, span)
        ]
        if entries:
            connection.execute(insert, entries)


def _entry(case: sa.Row, parties: list[sa.Row], task: sa.Row, on_postgresql: bool) -> dict[str, object]:
    named = [text for party in parties for text in (party.name, party.name_en) if text]
    about = words.fold(" ".join([case.number, case.title, case.name, *named]))
    submitted = orjson.loads(task.submitted) if isinstance(task.submitted, str | bytes) else task.submitted
    name, said = words.fold(task.name), words.said(submitted or {})
    region = next((party.region for party in parties if party.party == "applicant"), None)
    recommender = next((party.id for party in parties if party.party == "recommender"), None)
    base_type = BASE_TYPES.get(case.process_id)
    terms = words.pairs(name) | words.pairs(about) | words.pairs(said)
    terms |= {words.tag("process", case.process_id), words.tag("process", task.process_id)}
    terms |= {words.tag("step", task.element_id), words.tag("region", region or "none")}
    terms |= {words.tag("type", base_type or "none"), words.tag("recommender", recommender or "none")}
    return {
        "task_id": task.id,
        "instance_id": case.id,
        "authority_id": case.authority_id,
        "name": name,
        "about": about,
        "said": said,
        "region": region,
        "base_type": base_type,
        "recommender_id": recommender,
        "terms": " ".join(f"'{term}'" if on_postgresql else term for term in sorted(terms)),
    }
