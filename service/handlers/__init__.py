"""What service tasks do: one function per topic, found by the name that diagrams use."""

from . import bases, checks, column, documents, experts, notices, organisations
from .registry import BusinessError, Handler, JobContext, UnknownTopic, find, topic, topics

__all__ = [
    "BusinessError",
    "Handler",
    "JobContext",
    "UnknownTopic",
    "bases",
    "checks",
    "column",
    "documents",
    "experts",
    "find",
    "notices",
    "organisations",
    "topic",
    "topics",
]
