"""Who may do what to a task, and who sees it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from .. import clock
from ..models import FIXED_PARTIES, Task, TaskCandidate
from ..models.identity import User
from .deputies import appointment, standing_in
from .offers import is_asked, is_excluded, is_offered, offered_to, offers
from .people import PERSONAL, SIGNING, desk_authorities, expert_authorities, held, may_administer, parties


def may_claim(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An open task that nobody has taken goes to whom it is offered, and to their deputies."""
    if task.status != "open" or is_excluded(user, task):
        return False
    candidates = list(candidates)
    offered = task.assignee_id is None and is_offered(user, candidates)
    return offered or appointment(user, task, candidates) is not None


def may_work_on(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An open task is worked on by whoever took it, or may take it; never by whoever must keep away from it."""
    if task.status != "open" or not user.active or is_excluded(user, task):
        return False
    return holds(user, task) or may_claim(user, task, candidates)


def holds(user: User, task: Task) -> bool:
    """True where a task is in the user's hands; in somebody's place, only while the user may still stand there."""
    if task.assignee_id != user.id or not user.active:
        return False
    principal = task.on_behalf_of_id
    return (
        principal is None
        or may_administer(user, task.authority_id)
        or any(one.principal_id == principal for one in standing_in(user))
    )


may_complete = may_work_on
"""Handing in a task that nobody has taken takes it."""


def may_release(user: User, task: Task) -> bool:
    """Whoever took a task may put it back, and so may the person in whose place it was taken, and an administrator."""
    mine = user.active and user.id in (task.assignee_id, task.on_behalf_of_id)
    return task.status == "open" and task.assignee_id is not None and (mine or may_administer(user, task.authority_id))


def may_assign(user: User, task: Task, candidates: Iterable[TaskCandidate], assignee: User) -> bool:
    """An administrator, or somebody who may work on the task, hands it to somebody it is offered to."""
    candidates = list(candidates)
    if task.status != "open" or not is_offered(assignee, candidates) or is_excluded(assignee, task):
        return False
    return may_administer(user, task.authority_id) or may_work_on(user, task, candidates) or may_supervise(user, task)


def may_supervise(user: User, task: Task) -> bool:
    """Whoever signs for the party and office of an overdue task is answerable for it, and so is an administrator."""
    late = task.status == "open" and task.due_at is not None and task.due_at < clock.now()
    if not late or task.assignee_id == user.id or not user.active:
        return False
    party = party_of(task)
    signs = {f"{party}.{function}" for function in SIGNING} if party not in PERSONAL else set()
    return may_administer(user, task.authority_id) or any(
        one.organisation_id == task.organisation_id and one.role in signs for one in held(user)
    )


def may_delegate(user: User, task: Task, candidates: Iterable[TaskCandidate], to: User) -> bool:
    """Whoever has a task may ask a colleague it is offered to for an answer, one at a time."""
    mine = task.status == "open" and user.active and task.assignee_id == user.id
    return (
        mine
        and task.delegation != "pending"
        and to.id != user.id
        and is_offered(to, candidates)
        and not is_excluded(to, task)
    )


def may_plan(user: User, task: Task) -> bool:
    """Whoever has a task decides when to see it again and how much it presses; an administrator may do so too."""
    mine = user.active and task.assignee_id == user.id
    return task.status == "open" and (mine or may_administer(user, task.authority_id))


def may_act_for(user: User, principal: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """An administrator acts in the place of somebody whose task it is, giving a reason; never for an expert."""
    if not may_administer(user, task.authority_id) or task.properties.get("personal") == "true":
        return False
    candidates = list(candidates)
    if task.status != "open" or is_excluded(user, task) or is_excluded(principal, task):
        return False
    if party_of(task) in PERSONAL or expert_authorities(principal):
        return False
    return is_asked(principal, task, candidates)


def may_see_task(user: User, task: Task, candidates: Iterable[TaskCandidate]) -> bool:
    """A task and what was handed in with it are open to those who do or did it, their office, and the desks.

    A party's tasks are open to all of it. Experts do not read one another's opinions. A former member of an office,
    or of the experts, sees nothing of it any more.
    """
    if task.authority_id in desk_authorities(user) or is_asked(user, task, candidates):
        return True
    if task.authority_id in expert_authorities(user) and user.id in (task.completed_by_id, task.assignee_id):
        return True
    return (task.organisation_id, party_of(task)) in {one for one in parties(user) if one[1] not in FIXED_PARTIES}


def party_of(task: Task) -> str:
    return (task.role or "").partition(".")[0]


def tasks_seen_by(user: User) -> ColumnElement[bool]:
    """``may_see_task`` as a condition on ``Task``: any of the doors."""
    offered = exists().where(TaskCandidate.task_id == Task.id, offered_to(user)).correlate(Task)
    free = and_(Task.status == "open", Task.assignee_id.is_(None), offered)
    return or_(free, *_doors(user)) if user.active else false()


def task_doors(user: User) -> list[ColumnElement[bool]]:
    """The same, one condition for each way to see a task, so that a list can follow an index for each."""
    if not user.active:
        return [false()]
    free = select(TaskCandidate.task_id).where(TaskCandidate.claimed.is_(False))
    offered = [
        and_(Task.id.in_(free.where(offer)), Task.status == "open")
        for offer in offers(user, sorted(desk_authorities(user)))
    ]
    return [*offered, *_doors(user)]


def _doors(user: User) -> list[ColumnElement[bool]]:
    doors: list[ColumnElement[bool]] = [and_(Task.status == "open", Task.assignee_id == user.id)]
    doors.extend(Task.authority_id == desk for desk in sorted(desk_authorities(user)))
    if expert := expert_authorities(user):
        mine = or_(Task.completed_by_id == user.id, Task.assignee_id == user.id)
        doors.append(and_(Task.authority_id.in_(sorted(expert)), mine))
    doors.extend(
        and_(Task.organisation_id == organisation, Task.role.startswith(f"{party}."))
        for organisation, party in sorted(parties(user))
        if party not in FIXED_PARTIES
    )
    return doors
