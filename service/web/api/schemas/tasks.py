"""Tasks: lists, one task, its form, and what is done to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import object_session

from service import wording

from .instances import InstanceStatus
from .lists import Cursor, Limit, Paging
from .values import Document, Id, Moment, Name, Page, Text, Variables, line_of

TaskStatus = Literal["open", "completed", "cancelled"]
Box = Literal["mine", "group", "deputy", "waiting", "done", "all"]
TaskSort = Literal["due_at", "-created_at", "-priority"]


class TaskFilter(Document):
    """Which tasks. What is left out does not matter."""

    box: Box = Field(
        default="all",
        description="`mine`: you took them; `group`: you may take them; `waiting`: others have to do them in your "
        "cases; `done`: you completed them (newest first, whatever `sort` says); `all`: every task you may see.",
    )
    status: TaskStatus | None = None
    process_id: Name | None = Field(default=None, description="The process of the case, or of the task.")
    element_id: Name | None = None
    instance_id: Id | None = None
    overdue: bool | None = None
    text: Text | None = Field(default=None, description="Part of the case's number or title, or the task's name.")


class TaskQuery(TaskFilter):
    """Which tasks, in which order, and which page of them, in the address."""

    model_config = ConfigDict(strict=False)

    sort: TaskSort = "due_at"
    limit: Limit = 25
    after: Cursor | None = None


class TaskSearch(Document):
    """Which tasks, in which order, and which page of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"filter": {"box": "group", "overdue": True}, "sort": "due_at", "page": {"limit": 50}}]
        }
    )

    filter: TaskFilter = Field(default_factory=TaskFilter)
    sort: TaskSort = Field(default="due_at", description="Earliest due, newest or most urgent first.")
    page: Paging = Field(default_factory=Paging)


class TaskSummary(Document):
    """A line of a list of tasks."""

    id: int
    name: str
    element_id: str
    process_id: str
    process_name: str
    form_id: str | None
    instance_id: int
    instance_number: str
    instance_title: str
    applicant: str | None
    office: str | None
    role: str | None
    status: TaskStatus
    assignee_id: int | None
    assignee: str | None
    claimed_at: Moment | None
    due_at: Moment | None
    overdue: bool
    follow_up_at: Moment | None
    priority: int
    created_at: Moment
    completed_at: Moment | None
    version: int

    @classmethod
    def of(cls, row: Any) -> TaskSummary:
        """The line of a row."""
        return cls(**line_of(row, cls.model_fields))


class TaskPage(Page[TaskSummary]):
    """A page of tasks."""


class Candidate(Document):
    """To whom a task is offered: a person, or the holders of a role in an organisation."""

    user: str | None
    organisation: str | None
    role_zh: str | None
    role_en: str | None


class Assignable(Document):
    """Somebody a task may be handed to."""

    id: int
    name: str


class Task(Document):
    """A task, and what you may do with it."""

    id: int
    name: str
    documentation: str
    element_id: str
    process_id: str
    process_name: str
    properties: dict[str, Any]
    form_id: str | None
    instance_id: int
    instance_number: str
    instance_title: str
    status: TaskStatus
    office: str | None
    role: str | None
    assignee_id: int | None
    assignee: str | None
    claimed_at: Moment | None
    due_at: Moment | None
    overdue: bool
    follow_up_at: Moment | None
    priority: int
    created_at: Moment
    completed_at: Moment | None
    completed_by: str | None
    submitted: dict[str, Any] | None = Field(description="What was handed in; null before.")
    candidates: list[Candidate]
    assignable: list[Assignable] = Field(description="Whom you may hand it to.")
    may_claim: bool
    may_unclaim: bool
    may_assign: bool
    may_complete: bool
    version: int = Field(description="Also the beginning of the ETag.")

    @classmethod
    def of(cls, row: Any, people: Iterable[tuple[int, str]]) -> Task:
        """The task of a view, with the people it may be handed to."""
        named = {"candidates", "assignable", "may_unclaim"}
        return cls(
            **line_of(row, cls.model_fields.keys() - named),
            candidates=[
                Candidate(user=one.user, organisation=one.organisation, role_zh=one.role_zh, role_en=one.role_en)
                for one in row.candidates
            ],
            assignable=[Assignable(id=user_id, name=name) for user_id, name in people],
            may_unclaim=row.may_release,
        )


class TaskState(Document):
    """A task after what was just done to it."""

    id: int
    instance_id: int
    instance_status: InstanceStatus
    element_id: str
    name: str
    status: TaskStatus
    assignee_id: int | None
    claimed_at: Moment | None
    completed_at: Moment | None
    version: int

    @classmethod
    def of(cls, row: Any) -> TaskState:
        """The state of a row."""
        named = {name: getattr(row, name) for name in cls.model_fields if name != "instance_status"}
        if session := object_session(row):
            named["name"] = wording.text(session, row.instance.deployment_id, row.process_id, row.name)
        return cls(instance_status=row.instance.status, **named)


class TaskForm(Document):
    """A form-js form with the values it starts from."""

    form_id: str | None = Field(description="Null: the task has no form, and nothing is asked.")
    form: dict[str, Any] | None = Field(description="The schema as the modeler drew it, its texts in your language.")
    data: dict[str, Any] = Field(description="What the form shows before anybody types.")
    draft: dict[str, Any] | None = Field(description="What you have typed and not handed in.")
    draft_saved_at: Moment | None


class Completion(Document):
    """What is typed into the form of a task."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"variables": {"decision": "accept", "reason": "齐全"}}]})

    variables: Variables = Field(default_factory=dict)


class Assignment(Document):
    """To whom a task is handed: by number or by user name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assignee_id": 12}, {"username": "liming"}]})

    assignee_id: Id | None = None
    username: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Assignment:
        if (self.assignee_id is None) == (self.username is None):
            raise PydanticCustomError("one_of", "Give exactly one of assignee_id and username.")
        return self
