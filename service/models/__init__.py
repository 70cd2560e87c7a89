"""The tables, one noun a file. A row is written only by commands and handlers."""

from . import register
from .attachment import Attachment
from .base import Model
from .deployment import Deployment, DeploymentFile, ProcessDefinition
from .event import Event
from .identity import (
    CASE_PARTIES,
    FIXED_PARTIES,
    ApiToken,
    Authority,
    Membership,
    Organisation,
    Role,
    SignInFailure,
    User,
    UserSession,
)
from .incident import Incident
from .instance import CaseParty, Counter, Instance
from .job import Job
from .message import Correlation, PublishedMessage, Subscription
from .notification import Notification
from .task import NO_DUE, Draft, Task, TaskCandidate
from .workcalendar import CalendarYear
from .workshop import (
    Publication,
    PublishingPolicy,
    Revision,
    Transfer,
    TransferCase,
    WorkingCopy,
    WorkingFile,
)

__all__ = [
    "CASE_PARTIES",
    "FIXED_PARTIES",
    "NO_DUE",
    "ApiToken",
    "Attachment",
    "Authority",
    "CalendarYear",
    "CaseParty",
    "Correlation",
    "Counter",
    "Deployment",
    "DeploymentFile",
    "Draft",
    "Event",
    "Incident",
    "Instance",
    "Job",
    "Membership",
    "Model",
    "Notification",
    "Organisation",
    "ProcessDefinition",
    "Publication",
    "PublishedMessage",
    "PublishingPolicy",
    "Revision",
    "Role",
    "SignInFailure",
    "Subscription",
    "Task",
    "TaskCandidate",
    "Transfer",
    "TransferCase",
    "User",
    "UserSession",
    "WorkingCopy",
    "WorkingFile",
    "register",
]
