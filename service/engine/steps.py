"""What a step of an instance leaves behind: the waits of its tokens and what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .runner import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A token at rest. ``token`` names it inside its instance for as long as it rests there.

    ``process_id`` is the process whose diagram shows the element; ``path`` holds the ids of the
    call activities and sub-processes around it, outermost first.
    """

    token: int
    element_id: str
    element_name: str
    process_id: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWait(Wait):
    """A user or manual task somebody has to do. Expressions are already evaluated."""

    form_id: str | None = None
    assignee: str | None = None
    candidate_users: tuple[str, ...] = ()
    candidate_groups: tuple[str, ...] = ()
    lane: str | None = None
    due: datetime | None = None
    follow_up: datetime | None = None
    priority: int = 50
    documentation: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWait(Wait):
    """A service task: a worker's handler of ``topic`` has to act."""

    topic: str
    retries: int = 3
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerWait(Wait):
    """A timer that fires at ``due`` (UTC)."""

    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWait(Wait):
    """A message named ``message_name`` with ``correlation_key`` has to arrive."""

    message_name: str
    correlation_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWait(Wait):
    """A token at a converging gateway; it moves when the others arrive. Nobody outside can move it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentWait(Wait):
    """A token the engine could not move: its element failed. ``retry`` tries it again."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One fact of a step, in the order it came about.

    kind: ``entered`` | ``left`` | ``cancelled`` (element), ``flow`` (element_id is the sequence flow),
    ``variables`` (data = name -> value), ``message`` (data = name, key, variables, time_to_live: thrown, to be
    published), ``escalated`` | ``error`` (data = code), ``decision`` (data = decision, inputs, result),
    ``incident`` (data = code, zh, en), ``ended`` (data = end_event | None, cancelled: bool).
    """

    kind: str
    element_id: str
    process_id: str
    token: int | None = None
    path: tuple[str, ...] = ()
    element_name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one verb: the instance as it now is, every wait it has, and what happened."""

    run: Run
    waits: list[Wait]
    events: list[Happened]

    @property
    def ended(self) -> bool:
        """True where no token is left: the instance is over."""
        return self.run.ended
