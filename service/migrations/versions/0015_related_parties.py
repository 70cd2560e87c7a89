"""Organisations a case names beside its parties."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.models.base import BigId

revision = "0015"
down_revision = "0014"

LIST = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "related_party",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("instance_id", BigId(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("keys", LIST, nullable=False),
        sa.Column("organisation_id", BigId(), nullable=True),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name=op.f("fk_related_party_instance_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_related_party_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_party")),
    )
    op.create_index(op.f("ix_related_party_instance_id"), "related_party", ["instance_id"])
