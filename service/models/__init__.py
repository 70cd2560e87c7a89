"""The tables, one noun a file. A row is written only by commands and handlers."""

from . import register
from .attachment import Attachment
from .audit import AuditAnchor, AuditHead, AuditRecord
from .base import Model
from .batch import Batch, BatchItem, SavedView
from .comment import Comment
from .deployment import Deployment, DeploymentFile, ProcessDefinition
from .duties import Deputy, Exclusion, RelatedParty
from .event import Event
from .export import Export
from .grace import Grace
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
from .liveness import Heartbeat, StepNorm, Symptom, Watch
from .message import Correlation, PublishedMessage, Subscription
from .notification import Notification
from .rehearsal import DryRun, ScenarioRun
from .repair import CockpitPolicy, Repair
from .search import InboxView, SearchEntry
from .task import NO_DUE, Draft, Task, TaskCandidate
from .telling import CalendarFeed, NoticeSetting, Reminder, ReminderPolicy, Webhook, WebhookDelivery
from .workcalendar import CalendarYear
from .workshop import (
    Publication,
    PublishingPolicy,
    Revision,
    WorkingCopy,
    WorkingFile,
)

__all__ = [
    "CASE_PARTIES",
    "FIXED_PARTIES",
    "NO_DUE",
    "ApiToken",
    "Attachment",
    "AuditAnchor",
    "AuditHead",
    "AuditRecord",
    "Authority",
    "Batch",
    "BatchItem",
    "CalendarFeed",
    "CalendarYear",
    "CaseParty",
    "CockpitPolicy",
    "Comment",
    "Correlation",
    "Counter",
    "Deployment",
    "DeploymentFile",
    "Deputy",
    "Draft",
    "DryRun",
    "Event",
    "Exclusion",
    "Export",
    "Grace",
    "Heartbeat",
    "InboxView",
    "Incident",
    "Instance",
    "Job",
    "Membership",
    "Model",
    "NoticeSetting",
    "Notification",
    "Organisation",
    "ProcessDefinition",
    "Publication",
    "PublishedMessage",
    "PublishingPolicy",
    "RelatedParty",
    "Reminder",
    "ReminderPolicy",
    "Repair",
    "Revision",
    "Role",
    "SavedView",
    "ScenarioRun",
    "SearchEntry",
    "SignInFailure",
    "StepNorm",
    "Subscription",
    "Symptom",
    "Task",
    "TaskCandidate",
    "User",
    "UserSession",
    "Watch",
    "Webhook",
    "WebhookDelivery",
    "WorkingCopy",
    "WorkingFile",
    "register",
]
