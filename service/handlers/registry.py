"""The topics and how a handler is called.

``@topic("x")`` marks a function of session and job that runs inside the transaction that records it: its rows are
written exactly once. ``@topic("x", outside=True)`` marks a function of the job alone that acts on the world first;
it may run twice, with the same ``job.key``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service import errors
from service.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What a handler gets to see of its job: fixed headers, the variables at the token, and the moment."""

    id: int
    key: str
    topic: str
    headers: Mapping[str, str]
    variables: Mapping[str, Any]
    instance_id: int | None
    now: datetime
    settings: Settings


class BusinessError(Exception):
    """An outcome the diagram has a way for: it is thrown as a BPMN error and never tried again."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class UnknownTopic(errors.ServiceError):
    """No handler knows the topic “{topic}”."""

    zh_default = "没有处理“{topic}”的程序。"
    code = "unknown_topic"


@dataclass(frozen=True, slots=True)
class Handler:
    """The function of a topic. ``outside`` says that it acts on the world and takes no session."""

    topic: str
    function: Callable[..., Mapping[str, Any] | None]
    outside: bool = False


_handlers: dict[str, Handler] = {}

Function = Callable[..., Mapping[str, Any] | None]


def topic(name: str, *, outside: bool = False) -> Callable[[Function], Function]:
    """Make a function the handler of a topic."""

    def enter(function: Function) -> Function:
        if name in _handlers:
            raise ValueError(f"the topic “{name}” already has a handler")
        _handlers[name] = Handler(name, function, outside)
        return function

    return enter


def find(name: str) -> Handler:
    """The handler of a topic."""
    handler = _handlers.get(name)
    if handler is None:
        raise UnknownTopic(topic=name)
    return handler


def topics() -> frozenset[str]:
    """Every topic a diagram may use."""
    return frozenset(_handlers)
