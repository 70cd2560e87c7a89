"""One task, as its page shows it, and the people it may be handed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from .. import clock, permissions, wording
from ..models import Draft, Exclusion, Instance, Organisation, Role, Task, TaskCandidate, User
from . import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """To whom an open task is offered, in words."""

    user: str | None
    organisation: str | None
    role_zh: str | None
    role_en: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as its page shows it, and what the reader may do with it.

    ``kept_away`` is why the reader must keep away from it, ``lent_by`` the absent person in whose place they may
    take it, and ``on_behalf_of`` in whose place it was taken.
    """

    id: int
    name: str
    documentation: str
    element_id: str
    process_id: str
    process_name: str
    properties: dict[str, Any]
    form_id: str | None
    deployment_id: int
    authority_id: int
    instance_id: int
    instance_status: str
    token: int
    number: str
    title: str
    status: str
    role: str | None
    office: str | None
    assignee_id: int | None
    assignee: str | None
    claimed_at: datetime | None
    due_at: datetime | None
    overdue: bool
    follow_up_at: datetime | None
    priority: int
    created_at: datetime
    completed_at: datetime | None
    completed_by: str | None
    submitted: dict[str, Any] | None
    version: int
    mine: bool
    may_claim: bool
    may_release: bool
    may_complete: bool
    may_assign: bool
    may_plan: bool
    may_supervise: bool
    owner: str | None
    owner_id: int | None
    delegation: str | None
    candidates: list[Candidate]
    kept_away: Exclusion | None
    on_behalf_of_id: int | None
    on_behalf_of: str | None
    lent_by: str | None


def task(session: Session, user: User, task_id: int) -> TaskView | None:
    """Return a task, or None where there is none that the user may see."""
    found = session.scalar(
        select(Task)
        .where(Task.id == task_id)
        .options(
            joinedload(Task.instance).joinedload(Instance.definition),
            joinedload(Task.organisation),
            joinedload(Task.assignee),
            joinedload(Task.owner),
            joinedload(Task.completed_by),
            joinedload(Task.on_behalf_of),
            selectinload(Task.candidates),
        )
    )
    if found is None or not permissions.may_see_task(user, found, found.candidates):
        return None
    shown = _view(found, user, _candidates(session, found), clock.now())
    return wording.said(session, [shown], "name", "documentation", "process_name", "title")[0]


def _view(found: Task, user: User, candidates: list[Candidate], now: datetime) -> TaskView:
    live = found.instance.status in ("active", "incident")
    supervises = live and permissions.may_supervise(user, found)
    assigns = permissions.may_work_on(user, found, found.candidates) or permissions.may_administer(
        user, found.authority_id
    )
    return TaskView(
        id=found.id,
        name=found.name,
        documentation=found.documentation,
        element_id=found.element_id,
        process_id=found.process_id,
        process_name=found.instance.definition.name,
        properties=found.properties,
        form_id=found.form_id,
        deployment_id=found.instance.deployment_id,
        authority_id=found.authority_id,
        instance_id=found.instance_id,
        instance_status=found.instance.status,
        token=found.token,
        number=found.instance.number,
        title=found.instance.title,
        status=found.status,
        role=found.role,
        office=found.organisation.name if found.organisation else None,
        assignee_id=found.assignee_id,
        assignee=found.assignee.name if found.assignee else None,
        claimed_at=found.claimed_at,
        due_at=found.due_at,
        overdue=found.status == "open" and found.due_at is not None and found.due_at < now,
        follow_up_at=found.follow_up_at,
        priority=found.priority,
        created_at=found.created_at,
        completed_at=found.completed_at,
        completed_by=_done_by(found),
        submitted=found.submitted,
        version=found.version,
        mine=found.status == "open" and found.assignee_id == user.id,
        may_claim=live and permissions.may_claim(user, found, found.candidates),
        may_release=live and permissions.may_release(user, found),
        may_complete=live and permissions.may_complete(user, found, found.candidates),
        may_assign=live and found.status == "open" and (assigns or supervises),
        may_plan=live and permissions.may_plan(user, found),
        may_supervise=supervises,
        owner=found.owner.name if found.owner else None,
        owner_id=found.owner_id,
        delegation=found.delegation,
        candidates=candidates,
        kept_away=permissions.exclusion(user, found.exclusions)
        if found.status == "open" and found.excludes is not None
        else None,
        on_behalf_of_id=found.on_behalf_of_id,
        on_behalf_of=found.on_behalf_of.name if found.on_behalf_of else None,
        lent_by=_lent_by(user, found),
    )


def _done_by(found: Task) -> str | None:
    """Who handed the task in, and in whose place."""
    if found.completed_by is None:
        return None
    return (
        f"{found.completed_by.name}（代{found.on_behalf_of.name}）" if found.on_behalf_of else found.completed_by.name
    )


def _lent_by(user: User, found: Task) -> str | None:
    """Whose place the reader would take; nobody's where the task is theirs anyway."""
    if found.assignee_id == user.id or (found.assignee_id is None and permissions.is_offered(user, found.candidates)):
        return None
    appointment = permissions.appointment(user, found, found.candidates)
    return appointment.principal.name if appointment else None


def _candidates(session: Session, found: Task) -> list[Candidate]:
    if not found.candidates:
        return []
    query = (
        select(User.name, Organisation.name, Role.name_zh, Role.name_en)
        .select_from(TaskCandidate)
        .outerjoin(User, User.id == TaskCandidate.user_id)
        .outerjoin(Organisation, Organisation.id == TaskCandidate.organisation_id)
        .outerjoin(Role, Role.code == TaskCandidate.role)
        .where(TaskCandidate.task_id == found.id)
        .order_by(TaskCandidate.id)
    )
    return [
        Candidate(user=person, organisation=organisation, role_zh=zh, role_en=en)
        for person, organisation, zh, en in session.execute(query)
    ]


def assignable(session: Session, task_id: int) -> list[tuple[int, str]]:
    """Return the people an open task may be handed to, by name: those it is offered to and who need not keep away."""
    people: dict[int, str] = {}
    away = session.scalars(select(Exclusion).where(Exclusion.task_id == task_id)).all()
    for candidate in session.scalars(select(TaskCandidate).where(TaskCandidate.task_id == task_id)).all():
        if candidate.organisation_id is not None and candidate.role is not None:
            holders = identity.holders(session, candidate.organisation_id, candidate.role)
        else:
            holders = session.scalars(select(User).where(User.id == candidate.user_id, User.active)).all()
        people.update((one.id, one.name) for one in holders if permissions.exclusion(one, away) is None)
    return sorted(people.items(), key=lambda person: (person[1], person[0]))


def draft(session: Session, user: User, task_id: int) -> Draft | None:
    """Return what the user has typed into a task's form and not handed in."""
    return session.get(Draft, (task_id, user.id))
