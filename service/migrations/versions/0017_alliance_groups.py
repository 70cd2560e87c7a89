"""The working group of a base in the alliance, and who represents it there."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

NAMES = ("working_group", "representative")


def upgrade() -> None:
    """Add the columns, empty for members so far."""
    with op.batch_alter_table("alliance_member") as table:
        for name in NAMES:
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("alliance_member") as table:
        for name in NAMES:
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Take the columns away."""
    with op.batch_alter_table("alliance_member") as table:
        for name in NAMES:
            table.drop_column(name)
