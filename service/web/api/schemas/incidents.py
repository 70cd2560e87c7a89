"""Incidents and their retries."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
)

from .lists import PageQuery
from .values import Document, Id, Moment, Name, Page, Variables, line_of


class Incident(Document):
    """Why a case cannot go on by itself."""

    id: int
    instance_id: int
    instance_number: str
    instance_title: str
    process_id: str | None
    element_id: str | None
    element_name: str
    token: int | None
    job_id: int | None
    task_id: int | None
    cause: str
    message_zh: str
    message_en: str
    details: str
    created_at: Moment
    resolved_at: Moment | None
    resolved_by: str | None

    @classmethod
    def of(cls, row: Any) -> Incident:
        """The incident of a row."""
        return cls(**line_of(row, cls.model_fields))


class IncidentPage(Page[Incident]):
    """A page of incidents, newest first."""


class IncidentQuery(PageQuery):
    """Which incidents."""

    state: Literal["open", "all"] = Field(default="open", description="`all`: resolved ones too.")
    cause: Name | None = None
    instance_id: Id | None = None
    process_id: Name | None = None


class Retry(Document):
    """Corrected variables for another try, if any."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"variables": {"score": 61}}, {}]})

    variables: Variables = Field(default_factory=dict)


class IncidentState(Document):
    """An incident after another try was asked for."""

    id: int
    instance_id: int
    cause: str
    created_at: Moment
    resolved_at: Moment | None

    @classmethod
    def of(cls, row: Any) -> IncidentState:
        """The state of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})
