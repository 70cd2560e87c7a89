"""What goes in and what comes out: every document of the API, with an example of each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

CHINA = ZoneInfo("Asia/Shanghai")
LARGEST_ID = 2**63 - 1
LARGEST_NUMBER = 2**53 - 1
"""Beyond this, JSON numbers lose digits on their way."""
DEEPEST = 32

LONGEST_CODE = 200
"""How long the id of a process may be in an address."""

PROBLEM_EXTRAS = ("who", "when", "given", "current")
"""What an error knows beyond its sentences and may tell."""

Item = TypeVar("Item")


def in_china(moment: datetime) -> str:
    """ISO 8601 with the offset of Beijing."""
    return moment.astimezone(CHINA).isoformat(timespec="milliseconds")


Moment = Annotated[
    datetime,
    PlainSerializer(in_china, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-02T09:00:00.000+08:00"]}),
]


def _printable(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("characters", "It contains characters that cannot be kept.")
    return text


def _plain(variables: dict[str, Any]) -> dict[str, Any]:
    """Refuse what no database or browser would give back as it was sent."""
    for name, value in variables.items():
        _refuse_odd(name, 1)
        _refuse_odd(value, 1)
    return variables


def _refuse_odd(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise PydanticCustomError("depth", "It is nested too deeply.")
    match value:
        case str():
            _printable(value)
        case bool() | None:
            pass
        case int() | float() if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
            raise PydanticCustomError("number", "The number is too large to be kept exactly; send it as text.")
        case list():
            for one in value:
                _refuse_odd(one, depth + 1)
        case dict():
            for name, one in value.items():
                _printable(name)
                _refuse_odd(one, depth + 1)


Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)]
"""A name or a few words."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
LongText = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_printable)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Variables = Annotated[
    dict[str, Any],
    AfterValidator(_plain),
    WithJsonSchema({"type": "object", "additionalProperties": True, "description": "Name → any JSON value."}),
]
"""Values by name, as they stand in a form."""


class Document(BaseModel):
    """Part of a request or an answer. Takes no field it does not know and converts nothing silently."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="null")


class Nothing(Document):
    """No fields: the address says it all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class Page(Document, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(ge=0, description="How many there are in all; where `capped`, at least so many.")
    capped: bool = Field(default=False, description="Counting stopped at `total`; there are more.")
    next: str | None = Field(description="Send it as `after` for the next page; null on the last one.")


# Problems


class FieldProblem(Document):
    """What is wrong with one field, in both languages. `variables.x` is the value `x` of a form."""

    field: str
    zh: str
    en: str


class Finding(Document):
    """Something the validation found in a file of a bundle. An `error` refuses the deployment."""

    file: str
    element_id: str | None
    rule: str
    severity: Literal["error", "warning", "info"]
    zh: str
    en: str
    line: int | None

    @classmethod
    def of(cls, row: Any) -> Finding:
        """The finding of the engine."""
        return cls(
            file=row.file,
            element_id=row.element_id,
            rule=row.rule,
            severity=row.severity,
            zh=row.zh,
            en=row.en,
            line=row.line,
        )


class Problem(Document):
    """RFC 9457. `detail` speaks the language of Accept-Language; `zh` and `en` are always there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:guohe:problem:task_over",
                    "title": "任务已办结或撤销",
                    "status": 409,
                    "detail": "此任务已由李明于 2026-03-02 09:00 办结。",
                    "instance": "/api/v1/tasks/7/complete",
                    "code": "task_over",
                    "zh": "此任务已由李明于 2026-03-02 09:00 办结。",
                    "en": "This task is no longer open: 李明 completed it at 2026-03-02 09:00.",
                    "who": "李明",
                    "when": "2026-03-02T09:00:00.000+08:00",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    zh: str
    en: str
    errors: list[FieldProblem] | None = Field(default=None, min_length=1, description="The fields to correct.")
    findings: list[Finding] | None = Field(default=None, description="What is wrong with a rejected bundle.")
    who: str | None = Field(default=None, description="Who was first, or holds what is in the way.")
    when: Moment | None = Field(default=None, description="Since when.")
    given: int | str | None = Field(default=None, description="The version the caller worked from.")
    current: int | None = Field(default=None, description="The version it is now.")
    number: str | None = Field(default=None, description="Under this number the operators find an unexpected error.")


# Lists


Cursor = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), Field(description="`next` of the page before this one.")
]
Limit = Annotated[int, Field(ge=1, le=200, description="How many items a page holds at most.")]


class Paging(Document):
    """Which page of a list."""

    limit: Limit = 25
    after: Cursor | None = None


class PageQuery(Document):
    """Which page of a list, in the address."""

    model_config = ConfigDict(strict=False)

    limit: Limit = 25
    after: Cursor | None = None


# Tokens


Scope = Literal["read", "write"]


class NewToken(Document):
    """What the token is for, how far it reaches, and how long it lives."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "报表程序", "scopes": ["read"], "days": 30}]})

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S"), AfterValidator(_printable)]
    scopes: list[Scope] = Field(default=["read", "write"], min_length=1, max_length=2)
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class Token(Document):
    """A token. `hint` is how its text begins."""

    id: int
    name: str
    hint: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None

    @staticmethod
    def facts(row: Any) -> dict[str, Any]:
        """What a row says of a token."""
        return {name: getattr(row, name) for name in Token.model_fields}


class CreatedToken(Token):
    """A new token with its text, which is shown only now."""

    token: str


class TokenPage(Page[Token]):
    """A page of tokens."""


# Deployments and definitions


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


# Cases


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


# Tasks


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
        return cls(**_task(row, cls.model_fields))


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
            **_task(row, cls.model_fields.keys() - named),
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
        return cls(instance_status=row.instance.status, **named)


class TaskForm(Document):
    """A form-js form with the values it starts from."""

    form_id: str | None = Field(description="Null: the task has no form, and nothing is asked.")
    form: dict[str, Any] | None = Field(description="The schema, as the modeler drew it.")
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


# Messages


class Message(Document):
    """Something that cases wait for. The same `message_id` sent twice counts once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "ObjectionReceived",
                    "key": "DB-2026-0001",
                    "variables": {"by": "某单位"},
                    "ttl": 3600,
                    "message_id": "letter-4711",
                }
            ]
        }
    )

    name: Name
    key: Name | None = Field(default=None, description="The correlation key of whoever waits.")
    variables: Variables = Field(default_factory=dict)
    ttl: Annotated[
        int,
        Field(ge=0, le=400 * 86400, description="How many seconds it is kept for whoever comes to wait later."),
    ] = 3600
    message_id: Name | None = Field(
        default=None, description="Your own name for it (idempotency key); the header Idempotency-Key does the same."
    )


class PublishedMessage(Document):
    """A message as it was taken in. `correlated_at` is null until somebody heard it."""

    id: int
    name: str
    key: str | None
    message_id: str | None
    published_at: Moment
    expires_at: Moment
    correlated_at: Moment | None

    @classmethod
    def of(cls, row: Any) -> PublishedMessage:
        """The message of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


# Incidents


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
        return cls(**_task(row, cls.model_fields))


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


# The register


class BaseSummary(Document):
    """A line of the register of bases: what everybody may know."""

    id: int
    number: str
    name: str
    type: str
    type_name: str
    status: Literal["active", "revoked", "exited"]
    host: str
    region: str
    fields: list[str] = Field(description="Codes of the fields of article 15.")
    accredited_on: date
    ended_on: date | None


class BasePage(Page[BaseSummary]):
    """A page of the register."""


class BaseQuery(PageQuery):
    """Which bases, in which order."""

    type: Name | None = Field(default=None, description="IP, JC, TT or DB.")
    status: Literal["active", "revoked", "exited", "any"] = "active"
    region: Name | None = None
    field: Name | None = Field(default=None, description="Code of one of the fields of article 15.")
    year: Annotated[int, Field(ge=1, le=9998)] | None = Field(default=None, description="Accredited in this year.")
    text: Text | None = Field(default=None, description="Part of the name, the number or the host's name.")
    sort: Literal["number", "name", "region", "-accredited_on", "type"] = "number"


class RegisterEvent(Document):
    """A line of a base's history."""

    at: Moment
    kind: str
    zh: str
    en: str
    instance_id: int | None


class Recommender(Document):
    """Which department recommends a base, from when until when."""

    code: str
    name: str
    relation: Literal["affiliation", "territory"]
    since: date
    until: date | None


class Accreditation(Document):
    """The act that made a base."""

    type: str
    decided_on: date
    rule_set: str
    document_number: str | None
    instance_id: int | None


class AnnualResult(Document):
    """The result of one yearly assessment."""

    year: int
    grade: str
    result: Literal["pass", "fail", "excused"]
    confirmed_on: date


class IssuedDocument(Document):
    """An official document about a base."""

    kind: str
    number: str
    title: str
    issued_on: date


class BaseFile(Document):
    """What the register keeps on a base, newest first. For those it concerns."""

    accredited_under: str
    summary: str
    recommenders: list[Recommender]
    accreditations: list[Accreditation]
    documents: list[IssuedDocument]
    results: list[AnnualResult]


class Base(BaseSummary):
    """A base. `file` is null where you may see only what is public; `history` then holds its public lines."""

    history: list[RegisterEvent]
    file: BaseFile | None


_RENAMED = {"instance_number": "number", "instance_title": "title"}


def _task(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, _RENAMED.get(name, name)) for name in names}
