"""Jobs that live: what still waits in a case is found without reading the jobs that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

LIVE = "status IN ('queued', 'running', 'failed')"


def upgrade() -> None:
    """Add the index."""
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_live", ["instance_id"], unique=False, sqlite_where=sa.text(LIVE), postgresql_where=sa.text(LIVE)
        )
