"""Notices know of which kind they are."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column; what was told before counts as told about a case."""
    op.add_column("notification", sa.Column("kind", sa.String(), nullable=False, server_default="case"))
