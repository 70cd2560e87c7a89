"""Deployments and the process definitions in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    WithJsonSchema,
)

from .lists import PageQuery
from .values import Document, LongText, Moment, Name, Page


class Timer(Document):
    """When a process starts by itself."""

    kind: str
    value: str


class StartEvent(Document):
    """A way into a process: by hand (`none`), by a message or by a timer."""

    element_id: str
    kind: Literal["none", "message", "timer"]
    form_id: str | None
    message_name: str | None
    timer: Timer | None


class ProcessDefinition(Document):
    """One version of a process. New cases start on the latest one."""

    id: int
    process_id: str
    name: str
    version: int
    latest: bool
    version_tag: str | None
    documentation: str
    deployment_id: int
    starters: list[str] = Field(description="The roles that may start it.")
    start_events: list[StartEvent]
    properties: dict[str, Any]
    may_start: bool = Field(description="You may start it now, in the name of one of `organisations`.")
    organisations: list[str] = Field(description="Codes of the organisations in whose name you may start it.")


class ProcessDefinitionSummary(Document):
    """A line of the list of processes."""

    id: int
    process_id: str
    name: str
    version: int
    latest: bool
    version_tag: str | None
    documentation: str
    deployment_id: int
    deployed_at: Moment
    active: int = Field(description="How many cases run on this version.")


class ProcessDefinitionPage(Page[ProcessDefinitionSummary]):
    """A page of processes."""


class ProcessDefinitionQuery(PageQuery):
    """Which processes."""

    process_id: Name | None = Field(default=None, description="Only this process.")
    latest: bool = Field(default=True, description="False: all versions.")


class DeployedProcess(Document):
    """A process in a deployment."""

    id: int
    process_id: str
    name: str
    version: int
    latest: bool


class Deployment(Document):
    """A bundle that was put into service. Its content never changes."""

    id: int
    version: int = Field(description="Counts the deployments of an authority.")
    hash: str = Field(description="SHA-256 of the content. The same content is the same deployment.")
    note: str
    created_at: Moment
    process_definitions: list[DeployedProcess]

    @classmethod
    def of(cls, row: Any) -> Deployment:
        """The deployment of a row."""
        return cls(
            id=row.id,
            version=row.version,
            hash=row.bundle_hash,
            note=row.note,
            created_at=row.created_at,
            process_definitions=[
                DeployedProcess(
                    id=one.id, process_id=one.process_id, name=one.name, version=one.version, latest=one.latest
                )
                for one in row.definitions
            ],
        )


class DeploymentPage(Page[Deployment]):
    """A page of deployments, newest first."""


class DeploymentUpload(Document):
    """The files of a bundle: diagrams, tables, forms, templates. Each part's file name is its path in the bundle."""

    model_config = ConfigDict(strict=False)

    files: list[Annotated[bytes, WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"})]]
    note: LongText = ""
