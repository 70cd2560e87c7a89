"""What service tasks do: one function per topic, found by the name that diagrams use."""

from . import (
    bases,
    checks,
    column,
    cooperation,
    cycle,
    documents,
    entries,
    experts,
    exports,
    notices,
    organisations,
    publications,
    sanctions,
    webhooks,
)
from .registry import BusinessError, Handler, JobContext, UnknownTopic, find, topic, topics

__all__ = [
    "BusinessError",
    "Handler",
    "JobContext",
    "UnknownTopic",
    "bases",
    "checks",
    "column",
    "cooperation",
    "cycle",
    "documents",
    "entries",
    "experts",
    "exports",
    "find",
    "notices",
    "organisations",
    "publications",
    "sanctions",
    "topic",
    "topics",
    "webhooks",
]
