"""Who stands in for whom, and in which tasks."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, func, or_, select

from .. import clock
from ..models import Deputy, Instance, Task, TaskCandidate
from ..models.identity import User
from .offers import is_excluded, kept_away, offered_to
from .people import PERSONAL, SIGNING, held, parties


def standing_in(user: User) -> list[Deputy]:
    """Return the appointments by which the user stands in for somebody today."""
    if not user.active:
        return []
    today = clock.today()
    return [one for one in user.standing_in if one.counts(today) and one.principal.active]


def lent(user: User, appointment: Deputy) -> set[tuple[int, str]]:
    """Return the (organisation, role) pairs whose tasks an appointment lets the deputy do.

    Only what the absent person holds today, inside the deputy's own party, and within the limits of the appointment.
    """
    mine = parties(user)
    return {
        (one.organisation_id, one.role)
        for one in held(appointment.principal)
        if (one.organisation_id, one.party) in mine and one.party not in PERSONAL and _lends(appointment, one.role)
    }


def _lends(appointment: Deputy, role: str) -> bool:
    if appointment.role is not None and appointment.role != role:
        return False
    return appointment.signs or role.partition(".")[2] not in SIGNING


def appointments(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> list[Deputy]:
    """Return the appointments that reach an open task, whether or not somebody must keep away from it.

    The task is the absent person's: in their hands, offered to them by name, or to a role of theirs that is lent.
    """
    if task.status != "open" or task.properties.get("personal") == "true":
        return []
    candidates = list(candidates)
    return [one for one in standing_in(user) if _reaches(user, one, task, candidates)]


def appointment(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> Deputy | None:
    """Return the appointment by which the user may do an open task in an absent person's place, if any."""
    if is_excluded(user, task):
        return None
    reaching = appointments(user, task, candidates)
    return next((one for one in reaching if not is_excluded(one.principal, task)), None)


def _reaches(user: User, appointment: Deputy, task: Task, candidates: list[TaskCandidate]) -> bool:
    principal = appointment.principal
    if appointment.process_id not in (None, task.process_id, task.instance.process_id):
        return False
    pairs = lent(user, appointment)
    named = bool(pairs) and appointment.role is None and any(one.user_id == principal.id for one in candidates)
    if task.assignee_id == principal.id:
        return named or (task.organisation_id, task.role) in pairs
    group = any((one.organisation_id, one.role) in pairs for one in candidates)
    return task.assignee_id is None and (named or group)


def lent_tasks(user: User) -> list[tuple[Deputy, ColumnElement[bool]]]:
    """``appointment`` as a condition on ``Task``, one for each; what is offered to the user anyway is left out."""
    own = select(TaskCandidate.task_id).where(offered_to(user), TaskCandidate.claimed.is_(False))
    found: list[tuple[Deputy, ColumnElement[bool]]] = []
    for one in standing_in(user):
        pairs = sorted(lent(user, one))
        if not pairs:
            continue
        principal = one.principal
        groups = or_(
            *(and_(TaskCandidate.organisation_id == place, TaskCandidate.role == role) for place, role in pairs)
        )
        free = select(TaskCandidate.task_id).where(TaskCandidate.claimed.is_(False))
        held = or_(*(and_(Task.organisation_id == place, Task.role == role) for place, role in pairs))
        named = select(TaskCandidate.task_id).where(TaskCandidate.user_id == principal.id)
        doors = [Task.id.in_(free.where(groups)), and_(Task.assignee_id == principal.id, held)]
        if one.role is None:
            theirs = or_(Task.assignee_id.is_(None), Task.assignee_id == principal.id)
            doors.append(and_(Task.id.in_(named), theirs))
        limits = [Task.status == "open", func.coalesce(Task.properties["personal"].as_string(), "") != "true"]
        if one.process_id is not None:
            cases = select(Instance.id).where(Instance.id == Task.instance_id, Instance.process_id == one.process_id)
            limits.append(or_(Task.process_id == one.process_id, cases.correlate(Task).exists()))
        keep_away = kept_away([user, principal], Task.id)
        found.append((one, and_(or_(*doors), *limits, ~keep_away, Task.id.not_in(own))))
    return found
