"""Separation of duties and deputies: who must keep away from a task, and who stands in for whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.models.base import BigId, UtcDateTime

revision = "0011"
down_revision = "0010"

LIST = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the tables and columns."""
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("on_behalf_of_id", BigId(), nullable=True))
        batch_op.add_column(sa.Column("excludes", LIST, nullable=True))
        batch_op.create_foreign_key(op.f("fk_task_on_behalf_of_id"), "user", ["on_behalf_of_id"], ["id"])
    op.create_table(
        "exclusion",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("task_id", BigId(), nullable=False),
        sa.Column("user_id", BigId(), nullable=True),
        sa.Column("organisation_id", BigId(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("because_id", BigId(), nullable=True),
        sa.Column("because", sa.String(), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (organisation_id IS NULL)", name=op.f("ck_exclusion_one_kind")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_exclusion_task_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_exclusion_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_exclusion_organisation_id")),
        sa.ForeignKeyConstraint(["because_id"], ["task.id"], name=op.f("fk_exclusion_because_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index(op.f("ix_exclusion_task_id"), "exclusion", ["task_id"])
    op.create_index(op.f("ix_exclusion_user_id_task_id"), "exclusion", ["user_id", "task_id"])
    op.create_index(op.f("ix_exclusion_organisation_id_task_id"), "exclusion", ["organisation_id", "task_id"])
    op.create_table(
        "deputy",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("authority_id", BigId(), nullable=False),
        sa.Column("principal_id", BigId(), nullable=False),
        sa.Column("deputy_id", BigId(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("process_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("signs", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by_id", BigId(), nullable=True),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name=op.f("fk_deputy_authority_id")),
        sa.ForeignKeyConstraint(["principal_id"], ["user.id"], name=op.f("fk_deputy_principal_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["deputy_id"], ["user.id"], name=op.f("fk_deputy_deputy_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role"], ["role.code"], name=op.f("fk_deputy_role")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_deputy_created_by_id")),
        sa.ForeignKeyConstraint(["revoked_by_id"], ["user.id"], name=op.f("fk_deputy_revoked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy")),
    )
    op.create_index(op.f("ix_deputy_deputy_id_last_day"), "deputy", ["deputy_id", "last_day"])
    op.create_index(op.f("ix_deputy_principal_id_last_day"), "deputy", ["principal_id", "last_day"])
