"""Exports that a worker writes, and notices that lead to a page of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.models.base import BigId, UtcDateTime

revision = "0016"
down_revision = "0015"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.add_column("notification", sa.Column("path", sa.String(), nullable=True))
    op.create_table(
        "export",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("authority_id", BigId(), nullable=False),
        sa.Column("user_id", BigId(), nullable=False),
        sa.Column("job_id", BigId(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column(
            "status",
            sa.Enum("running", "done", "failed", "cancelled", native_enum=False, length=20, name="status"),
            nullable=False,
        ),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("rows", NUMBER, nullable=False),
        sa.Column("written", BigId(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("size", BigId(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name=op.f("fk_export_authority_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_export_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_export_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_user_id_id"), "export", ["user_id", "id"])
    op.create_index(op.f("ix_export_expires_at"), "export", ["expires_at"])
