"""Directors of bases: the register keeps who leads one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; nobody is known to lead the bases there are."""
    with op.batch_alter_table("base", schema=None) as batch_op:
        batch_op.add_column(sa.Column("director", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("base", schema=None) as batch_op:
        batch_op.alter_column("director", server_default=None)
