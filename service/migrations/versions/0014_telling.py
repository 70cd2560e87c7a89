"""How people are told: settings, reminders, calendar feeds, webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.models.base import BigId, UtcDateTime

revision = "0014"
down_revision = "0013"

LIST = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.add_column("notification", sa.Column("digest_at", UtcDateTime(), nullable=True))
    op.create_index(op.f("ix_notification_digest_at"), "notification", ["digest_at"])
    op.create_table(
        "notice_setting",
        sa.Column("user_id", BigId(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bell", sa.Boolean(), nullable=False),
        sa.Column(
            "mail", sa.Enum("at_once", "digest", "never", native_enum=False, length=20, name="mail"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notice_setting_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notice_setting")),
    )
    op.create_table(
        "reminder_policy",
        sa.Column("authority_id", BigId(), nullable=False),
        sa.Column("before", LIST, nullable=False),
        sa.Column("after", LIST, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by_id", BigId(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"], ["authority.id"], name=op.f("fk_reminder_policy_authority_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user.id"], name=op.f("fk_reminder_policy_changed_by_id")),
        sa.PrimaryKeyConstraint("authority_id", name=op.f("pk_reminder_policy")),
    )
    op.create_table(
        "reminder",
        sa.Column("task_id", BigId(), nullable=False),
        sa.Column("days", NUMBER, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_reminder_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "days", name=op.f("pk_reminder")),
    )
    op.create_table(
        "calendar_feed",
        sa.Column("user_id", BigId(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_calendar_feed_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_table(
        "webhook",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("authority_id", BigId(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", LIST, nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("cursor", NUMBER, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", BigId(), nullable=False),
        sa.ForeignKeyConstraint(["authority_id"], ["authority.id"], name=op.f("fk_webhook_authority_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_webhook_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_authority_id_id"), "webhook", ["authority_id", "id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", BigId(), nullable=False),
        sa.Column("webhook_id", BigId(), nullable=False),
        sa.Column("job_id", BigId(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_webhook_delivery_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_webhook_id_id"), "webhook_delivery", ["webhook_id", "id"])
    op.create_index(op.f("ix_webhook_delivery_job_id"), "webhook_delivery", ["job_id"])
