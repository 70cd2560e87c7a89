"""Exports know how many rows they will have."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column; what is on its way already goes on without."""
    op.add_column("export", sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
