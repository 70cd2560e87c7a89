"""Periods in which applications of a type are taken."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "filing_window",
        sa.Column("id", _ID, nullable=False),
        sa.Column("authority_id", _ID, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("instance_id", _ID, nullable=True),
        sa.CheckConstraint("closes_on >= opens_on", name="ck_filing_window_period"),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name="fk_filing_window_authority_id"),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_filing_window_instance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_filing_window"),
    )
    with op.batch_alter_table("filing_window", schema=None) as batch_op:
        batch_op.create_index(
            "ix_filing_window_authority_id_type_closes_on", ["authority_id", "type", "closes_on"], unique=False
        )
