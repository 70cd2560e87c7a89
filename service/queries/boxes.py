"""Which tasks are in a box of the inbox, and by which index ranges it is followed in its order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any, Literal

from sqlalchemy import ColumnElement, CompoundSelect, and_, exists, false, or_, select, union_all
from sqlalchemy.orm import Session

from .. import clock, permissions
from ..models import CaseParty, Instance, Task, TaskCandidate, User
from ..models.search import unindexed
from .finding import Filters
from .page import AnySelect, Order
from .seeking import Seeker, Space

Box = Literal["mine", "later", "group", "deputy", "waiting", "done", "all"]

BY_DUE = Order((Task.due_sort, Task.id), (datetime, int))
BY_DONE = Order((Task.completed_at, Task.id), (datetime, int), down=True)
OFFERS_BY_DUE = Order((TaskCandidate.due_sort, TaskCandidate.task_id), (datetime, int))


def parts(user: User, box: Box, wanted: Filters, now: datetime, *, by_candidate: bool = False) -> list[AnySelect]:
    """Select the ids of the tasks of a box, one query for each way into it; ``by_candidate``: of the group's offers."""
    if by_candidate:
        return _offered(user, wanted, now)
    of_case = wanted.of_case()
    selected = []
    for door, way in product(doors(user, box), wanted.alternatives(user, handed_in=_handed_in(box, wanted))):
        part: AnySelect = select(Task.id).where(door, *wanted.of_task(now), *way.conditions(Task.id))
        selected.append(part.join(Instance, Instance.id == Task.instance_id).where(*of_case) if of_case else part)
    return selected


def seeker(session: Session, user: User, box: Box, wanted: Filters, now: datetime) -> Seeker | None:
    """Return what seeks words in a box along its index; None where none are asked for, or no index has its order.

    A box is in the order of due dates, that of what was done in the order of its ends, the latest first.
    """
    followed = box in ("mine", "later", "group", "done") or (box == "all" and bool(wanted.status))
    if not followed or not wanted.sought or wanted.instance is not None:
        return None
    space = _group(user, wanted, now) if box == "group" else _own(user, box, wanted, now)
    return Seeker(session, user, space, wanted, handed_in=_handed_in(box, wanted))


def _handed_in(box: Box, wanted: Filters) -> bool:
    return box in ("done", "all") and wanted.status != "open"


def _group(user: User, wanted: Filters, now: datetime) -> Space:
    offers = _offers(user)
    free = _free(user, wanted, now)
    rest = [*wanted.of_range(now, due=False), *wanted.of_rest()]
    # By the ids of tasks: each has few offers, a role of a desk has very many.
    any_offer = unindexed(or_(*offers))
    return Space(
        ranges=[(free.where(offer), OFFERS_BY_DUE) for offer in offers],
        among=lambda ids: [(free.where(any_offer, TaskCandidate.task_id.in_(ids)), OFFERS_BY_DUE)],
        rest=rest,
    )


def _own(user: User, box: Box, wanted: Filters, now: datetime) -> Space:
    """A box that is followed by an index of the tasks themselves."""
    ranged, rest = wanted.of_range(now, due=True), wanted.of_rest()
    if box == "done":
        ranged, rest = [], [*ranged, *rest]
    order = BY_DONE if box == "done" else BY_DUE
    ranges = [(select(Task.id).where(door, *ranged), order) for door in doors(user, box)]
    return Space(
        ranges=ranges,
        among=lambda ids: [(query.where(Task.id.in_(ids)), order) for query, order in ranges],
        rest=rest,
    )


def _offers(user: User) -> Sequence[ColumnElement[bool]]:
    """Conditions on ``TaskCandidate``: offered to the user in person, and to each group of theirs."""
    offers: list[ColumnElement[bool]] = [TaskCandidate.user_id == user.id if user.active else false()]
    return offers + [
        and_(TaskCandidate.organisation_id == organisation, TaskCandidate.role == role)
        for organisation, role in sorted(permissions.groups(user))
    ]


def _free(user: User, wanted: Filters, now: datetime) -> Any:
    """Select the tasks offered to anybody and not taken, but those that the user must keep away from."""
    return select(TaskCandidate.task_id.label("id")).where(
        TaskCandidate.claimed.is_(False),
        ~permissions.kept_away([user], TaskCandidate.task_id),
        *wanted.of_candidate(now),
    )


def _offered(user: User, wanted: Filters, now: datetime) -> list[AnySelect]:
    """Select, for the user in person and for each group of theirs, the tasks offered and not taken."""
    offers, of_task, of_case = _offers(user), wanted.of_task(now, offered=True), wanted.of_case()
    ways = [
        (offer, way)
        for way in wanted.alternatives(user, handed_in=False)
        # Cases are sought by what was typed in them, once for all offers; lines follow the index of each.
        for offer in (offers if way.cases is None else [or_(*offers)])
    ]
    selected = []
    for offer, way in ways:
        part = _free(user, wanted, now).where(offer, *way.conditions(TaskCandidate.task_id))
        if of_task or of_case or way.cases is not None:
            part = part.join(Task, Task.id == TaskCandidate.task_id).where(*of_task)
        if of_case:
            part = part.join(Instance, Instance.id == Task.instance_id).where(*of_case)
        selected.append(part)
    return selected


def doors(user: User, box: Box) -> list[ColumnElement[bool]]:
    """Return the conditions on ``Task`` of which each puts a task into the box."""
    if not user.active:
        return [false()]
    match box:
        case "mine":
            shown = or_(Task.follow_up_at.is_(None), Task.follow_up_at <= clock.now())
            return [and_(Task.assignee_id == user.id, Task.status == "open", shown)]
        case "later":
            return [and_(Task.assignee_id == user.id, Task.status == "open", Task.follow_up_at > clock.now())]
        case "group":
            offered = select(TaskCandidate.task_id).where(permissions.offered_to(user))
            free = offered.where(TaskCandidate.claimed.is_(False))
            return [and_(Task.id.in_(free), ~permissions.kept_away([user], Task.id))]
        case "deputy":
            return [door for _, door in permissions.lent_tasks(user)] or [false()]
        case "done":
            return [and_(Task.completed_by_id == user.id, permissions.tasks_seen_by(user))]
        case "all":
            return permissions.task_doors(user)
        case "waiting":
            offered_too = exists().where(TaskCandidate.task_id == Task.id, permissions.offered_to(user))
            others = or_(Task.assignee_id.is_(None), Task.assignee_id != user.id)
            mine = Task.instance_id.in_(_cases_of_mine(user))
            return [and_(Task.status == "open", mine, others, ~and_(Task.assignee_id.is_(None), offered_too))]


def _cases_of_mine(user: User) -> CompoundSelect[int]:
    """The cases whose end the user waits for: as a party, as the one who began, or having had a hand in them."""
    known = sorted(permissions.desk_authorities(user) | permissions.expert_authorities(user))
    desks = sorted(permissions.desk_authorities(user))
    parts = [
        permissions.begun_without_parties(user),
        select(Instance.id).where(Instance.started_by_id == user.id, Instance.authority_id.in_(desks)),
        select(Task.instance_id).where(Task.completed_by_id == user.id, Task.authority_id.in_(known)),
    ]
    parts += [select(CaseParty.instance_id).where(door) for door in permissions.instance_doors(user).of_party]
    return union_all(*parts)
