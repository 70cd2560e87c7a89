"""Tasks: what a person has to do, who may do it, and what they have typed so far."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from .base import BigId, Model, RowId
from .identity import Organisation, User
from .instance import Instance

if TYPE_CHECKING:
    from .duties import Exclusion

TaskStatus = Literal["open", "completed", "cancelled"]

Delegation = Literal["pending", "resolved"]
"""A task that its owner gave to somebody for an answer: not answered yet, or back with its owner."""

NO_DUE = datetime(9999, 12, 31, tzinfo=UTC)
"""``due_sort`` of a task without a due date: after all others."""


class Task(Model):
    """A user task of an instance, open from the step that reached it to the step that leaves it.

    ``organisation_id`` and ``role`` are the (first) group it was offered to; they stay after the end, when
    the candidates are gone. ``submitted`` is what the form held at completion. ``on_behalf_of_id`` is the person in
    whose place the assignee acts. ``excludes`` are the steps (``process/element``) whose doers may not do this one;
    None: nobody is kept away (``Exclusion``). ``owner_id`` is who
    delegated the task: it comes back to them.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index(None, "instance_id", "token"),
        Index("ix_task_authority", "authority_id", "status", "due_sort", "id"),
        Index("ix_task_assignee", "assignee_id", "status", "due_sort", "id"),
        Index("ix_task_organisation", "organisation_id", "status", "due_sort", "id"),
        Index("ix_task_completed_by", "completed_by_id", "completed_at", "id"),
        Index("ix_task_assignee_instance", "assignee_id", "instance_id"),
        Index("ix_task_completed_by_instance", "completed_by_id", "instance_id"),
        Index(
            "uq_task_open_token",
            "instance_id",
            "token",
            unique=True,
            postgresql_where=text("status = 'open'"),
            sqlite_where=text("status = 'open'"),
        ),
    )

    id: Mapped[RowId]
    authority_id: Mapped[int] = mapped_column(BigId, ForeignKey("authority.id"))
    instance_id: Mapped[int] = mapped_column(BigId, ForeignKey("instance.id", ondelete="CASCADE"))
    token: Mapped[int]
    element_id: Mapped[str]
    process_id: Mapped[str]
    name: Mapped[str]
    documentation: Mapped[str] = mapped_column(default="")
    form_id: Mapped[str | None]
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[TaskStatus] = mapped_column(
        Enum(*get_args(TaskStatus), native_enum=False, length=20, name="status"), default="open"
    )
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    role: Mapped[str | None] = mapped_column(ForeignKey("role.code"))
    assignee_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    claimed_at: Mapped[datetime | None]
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    delegation: Mapped[Delegation | None] = mapped_column(
        Enum(*get_args(Delegation), native_enum=False, length=10, name="delegation")
    )
    due_at: Mapped[datetime | None]
    due_sort: Mapped[datetime] = mapped_column(default=NO_DUE)
    follow_up_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(default=50)
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    completed_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    submitted: Mapped[dict[str, Any] | None]
    on_behalf_of_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    excludes: Mapped[list[str] | None]
    version: Mapped[int] = mapped_column()

    instance: Mapped[Instance] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    completed_by: Mapped[User | None] = relationship(foreign_keys=[completed_by_id])
    on_behalf_of: Mapped[User | None] = relationship(foreign_keys=[on_behalf_of_id])
    candidates: Mapped[list[TaskCandidate]] = relationship(
        back_populates="task", cascade="all, delete-orphan", passive_deletes=True
    )
    exclusions: Mapped[list[Exclusion]] = relationship(
        back_populates="task", foreign_keys="Exclusion.task_id", viewonly=True
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @validates("due_at")
    def _keep_due_sort(self, _key: str, due_at: datetime | None) -> datetime | None:
        self.due_sort = due_at or NO_DUE
        return due_at


class TaskCandidate(Model):
    """An open task is offered to the holders of a role in an organisation, or to one person.

    Rows exist only while the task is open: whoever completes or cancels it deletes them. ``claimed`` says
    that somebody has taken the task, and follows ``Task.assignee_id``; ``due_sort`` follows ``Task.due_sort``.
    The group inbox is read from this table's indexes alone.
    """

    __tablename__ = "task_candidate"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (organisation_id IS NULL)", name="one_kind"),
        CheckConstraint("(organisation_id IS NULL) = (role IS NULL)", name="role_in_organisation"),
        Index("ix_task_candidate_group", "organisation_id", "role", "claimed", "due_sort", "task_id"),
        Index("ix_task_candidate_user", "user_id", "claimed", "due_sort", "task_id"),
    )

    id: Mapped[RowId]
    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("organisation.id"))
    role: Mapped[str | None] = mapped_column(ForeignKey("role.code"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("user.id"))
    claimed: Mapped[bool] = mapped_column(default=False)
    due_sort: Mapped[datetime] = mapped_column(default=NO_DUE)

    task: Mapped[Task] = relationship(back_populates="candidates")


class Draft(Model):
    """What somebody has typed into the form of an open task and not handed in.

    ``base`` is what the form held when they began: what differs from it is theirs.
    """

    __tablename__ = "draft"

    task_id: Mapped[int] = mapped_column(BigId, ForeignKey("task.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    values: Mapped[dict[str, Any]]
    base: Mapped[dict[str, Any] | None]
    form_hash: Mapped[str] = mapped_column(default="")
    saved_at: Mapped[datetime]
