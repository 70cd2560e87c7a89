"""To whom a task is offered, and who must keep away from it all the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_

from ..models import Exclusion, Task, TaskCandidate
from ..models.identity import User
from .people import groups, held


def is_offered(user: User, candidates: Iterable[TaskCandidate]) -> bool:
    """True where one of the candidates is the user, or a role the user holds."""
    mine = groups(user)
    return user.active and any(one.user_id == user.id or (one.organisation_id, one.role) in mine for one in candidates)


def offered_to(user: User) -> ColumnElement[bool]:
    """``is_offered`` as a condition on ``TaskCandidate``."""
    return or_(false(), *offers(user, []))


def offers(user: User, desks: list[int]) -> list[ColumnElement[bool]]:
    """The same, one condition for each index range, leaving out what is offered to the desks of some authorities."""
    if not user.active:
        return []
    groups = {(one.organisation_id, one.role) for one in held(user) if one.organisation.authority_id not in desks}
    pairs = [
        and_(TaskCandidate.organisation_id == organisation, TaskCandidate.role == role)
        for organisation, role in sorted(groups)
    ]
    return [TaskCandidate.user_id == user.id, *pairs]


def is_asked(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """True where an open task is the user's, or offered to them. Whether they may do it is another question."""
    if task.status != "open" or not user.active:
        return False
    return task.assignee_id == user.id or (task.assignee_id is None and is_offered(user, candidates))


# Keeping away


def exclusion(user: User, exclusions: Iterable[Exclusion]) -> Exclusion | None:
    """Return the first reason for which the user must keep away from the task that these belong to."""
    mine = {one.organisation_id for one in held(user)}
    return next((one for one in exclusions if one.user_id == user.id or one.organisation_id in mine), None)


def is_excluded(user: User, task: Task) -> bool:
    """True where the user must keep away from a task. It wins over every grant."""
    return task.excludes is not None and exclusion(user, task.exclusions) is not None


def kept_away(users: Iterable[User], task_id: Any) -> ColumnElement[bool]:
    """``is_excluded`` for any of several people, as a condition on the id of a task."""
    people = list(users)
    organisations = {one.organisation_id for user in people for one in held(user)}
    hits = [Exclusion.user_id.in_([user.id for user in people])]
    if organisations:
        hits.append(Exclusion.organisation_id.in_(sorted(organisations)))
    # Whatever it is put into: only the exclusions are its own, the task is always the one of the query around it.
    return exists().where(Exclusion.task_id == task_id, or_(*hits)).correlate_except(Exclusion)
