"""Indexes for lists of tasks by authority and by office."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_task_authority", "task", ["authority_id", "status", "due_sort", "id"])
    op.create_index("ix_task_organisation", "task", ["organisation_id", "status", "due_sort", "id"])
