"""Cases: their start, their state, their history."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
)

from .lists import Cursor, Limit, PageQuery, Paging
from .values import Document, LongText, Moment, Name, Page, Text, Variables

InstanceStatus = Literal["active", "incident", "suspended", "completed", "terminated"]


class Start(Document):
    """What is typed into the start form, and in whose name the case is started."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"variables": {"name": "国际联合基地"}, "organisation": "pku"}]}
    )

    variables: Variables = Field(default_factory=dict)
    organisation: Name | None = Field(
        default=None, description="Code of the organisation; needed where you may start for several."
    )


class Cancellation(Document):
    """Why a case ends for good."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "重复申报"}]})

    reason: Annotated[LongText, StringConstraints(min_length=1)]


class InstanceState(Document):
    """A case after what was just done to it."""

    id: int
    number: str
    title: str
    process_id: str
    definition_id: int
    deployment_id: int
    status: InstanceStatus
    started_at: Moment
    updated_at: Moment
    ended_at: Moment | None
    version: int

    @classmethod
    def of(cls, row: Any) -> InstanceState:
        """The state of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class InstanceSummary(Document):
    """A line of the list of cases."""

    id: int
    number: str
    title: str
    process_id: str
    process_name: str
    status: InstanceStatus
    applicant: str | None
    started_at: Moment
    started_by: str | None
    updated_at: Moment
    ended_at: Moment | None
    end_event: str | None

    @classmethod
    def of(cls, row: Any) -> InstanceSummary:
        """The line of a row."""
        return cls(**{name: getattr(row, name) for name in InstanceSummary.model_fields})


class InstancePage(Page[InstanceSummary]):
    """A page of cases, newest first."""


class Party(Document):
    """Which organisation plays a party in a case."""

    party: str
    code: str
    name: str


class OpenTask(Document):
    """Where a case waits for a person. `assignee` is shown to whoever may look into the task."""

    id: int
    name: str
    element_id: str
    process_id: str
    office: str | None
    assignee: str | None
    due_at: Moment | None
    overdue: bool
    visible: bool = Field(description="You may read the task itself.")


class Instance(InstanceSummary):
    """A case."""

    definition_id: int
    definition_version: int
    deployment_id: int
    version: int
    parent_instance_id: int | None
    parties: list[Party]
    tasks: list[OpenTask]
    incidents: int = Field(description="How many incidents are open.")
    may_read_variables: bool
    may_cancel: bool


class InstanceFilter(Document):
    """Which cases. What is left out does not matter."""

    status: list[InstanceStatus] | None = Field(default=None, min_length=1, description="One of these.")
    process_id: Name | None = None
    text: Text | None = Field(default=None, description="Part of the number or the title.")
    party: Name | None = Field(default=None, description="Some organisation plays this party.")
    organisation: Name | None = Field(default=None, description="The organisation with this code plays a party.")
    started_by_me: bool = False


class InstanceQuery(InstanceFilter):
    """Which cases, and which page of them, in the address."""

    model_config = ConfigDict(strict=False)

    limit: Limit = 25
    after: Cursor | None = None


class InstanceSearch(Document):
    """Which cases, and which page of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filter": {"status": ["active", "incident"]}, "page": {"limit": 50}}]}
    )

    filter: InstanceFilter = Field(default_factory=InstanceFilter)
    sort: Literal["-started_at"] = Field(default="-started_at", description="Newest first.")
    page: Paging = Field(default_factory=Paging)


class HistoryItem(Document):
    """One fact of a case. Data and names are left out where they are not the reader's to see."""

    id: int
    at: Moment
    kind: str
    process_id: str | None
    element_id: str | None
    element_name: str
    token: int | None
    task_id: int | None
    user: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, row: Any) -> HistoryItem:
        """The fact of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class HistoryPage(Page[HistoryItem]):
    """A page of history."""


class HistoryQuery(PageQuery):
    """Which part of a history, in which order."""

    limit: Limit = 100
    kind: list[Name] | None = Field(default=None, min_length=1, max_length=50, description="Only these kinds.")
    sort: Literal["at", "-at"] = Field(default="at", description="`at`: oldest first; `-at`: newest first.")


class VariableSet(Document):
    """What a case knows now."""

    variables: dict[str, Any]
