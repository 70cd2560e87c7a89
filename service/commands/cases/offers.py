"""To whom a task is offered: roles of a diagram resolved to the organisations of this very case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from service import engine
from service.models import CASE_PARTIES, FIXED_PARTIES

from .knowledge import Known

Problem = tuple[str, str, str]
"""Cause, Chinese and English sentence."""


@dataclass(slots=True)
class Offer:
    """Who may do a task: ``(organisation, role, None)`` or ``(None, None, user)`` each – or why nobody may."""

    assignee_id: int | None = None
    candidates: list[tuple[int | None, str | None, int | None]] = field(default_factory=list)
    problem: Problem | None = None


class Directory:
    """What the names of roles, parties and people in a diagram mean in one case."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.parties: dict[str, int] = {}
        self.organisations: dict[str, int] = {}
        self.users: dict[str, int] = {}
        self.lanes: dict[str, str] = {}
        self.roles: set[str] = set()
        self.members: dict[str, set[int]] = defaultdict(set)
        for row in known:
            name = row.a or ""
            match row.kind:
                case "party":
                    self.parties[name] = row.id
                case "organisation":
                    self.organisations[name] = row.id
                case "user":
                    self.users[name] = row.id
                case "member":
                    self.members[name].add(row.id)
                case "role":
                    self.roles.add(name)
                    if row.b:
                        self.lanes[row.b] = name

    def offer(self, wait: engine.UserWait) -> Offer:
        """Find the people a task is for; a task nobody may do says why."""
        offer = Offer()
        problems: list[Problem] = []
        for name in wait.candidate_users:
            if name in self.users:
                offer.candidates.append((None, None, self.users[name]))
            else:
                problems.append(_unknown_user(name))
        staffed = bool(offer.candidates)
        for role in self._roles(wait):
            found = self._organisation(role)
            if isinstance(found, int):
                offer.candidates.append((found, role, None))
                staffed = staffed or found in self.members[role]
            else:
                problems.append(found)
        if wait.assignee:
            offer.assignee_id = self.users.get(wait.assignee)
            if offer.assignee_id is None:
                problems.insert(0, _unknown_user(wait.assignee))
            elif not offer.candidates:
                # Released, the task stays with the only person it was meant for.
                offer.candidates.append((None, None, offer.assignee_id))
        if offer.assignee_id is None and not staffed:
            offer.problem = problems[0] if problems else _nobody(offer)
        return offer

    def _roles(self, wait: engine.UserWait) -> Sequence[str]:
        if wait.candidate_groups or wait.candidate_users or wait.assignee:
            return wait.candidate_groups
        role = self.lanes.get(wait.lane) if wait.lane else None
        return (role,) if role else ()

    def _organisation(self, role: str) -> int | Problem:
        if role not in self.roles:
            return ("unknown_role", f"没有角色“{role}”。", f"There is no role “{role}”.")
        party = role.partition(".")[0]
        if party in self.parties:
            return self.parties[party]
        if party in FIXED_PARTIES and party in self.organisations:
            return self.organisations[party]
        if party in CASE_PARTIES:
            return (
                "unknown_party",
                f"本案尚未确定“{party}”一方，角色“{role}”无人可任。",
                f"This case names no organisation as “{party}”, so nobody holds the role “{role}”.",
            )
        return (
            "unknown_party",
            f"没有代码为“{party}”的机构，角色“{role}”无人可任。",
            f"There is no organisation with the code “{party}”, so nobody holds the role “{role}”.",
        )


def _unknown_user(name: str) -> Problem:
    return (
        "unknown_user",
        f"没有可用的账号“{name}”。",
        f"There is no active account “{name}”.",
    )


def _nobody(offer: Offer) -> Problem:
    if offer.candidates:
        roles = "、".join(role for _, role, _ in offer.candidates if role)
        return (
            "no_member",
            f"任务要求的角色（{roles}）目前无人担任。",
            f"Nobody holds the role that this task asks for ({roles}).",
        )
    return (
        "no_candidate",
        "任务没有指定办理人，也不在任何角色的泳道中。",
        "The task names nobody and lies in no role's lane.",
    )
