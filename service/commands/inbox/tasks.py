"""Tasks of people: take one, put it back, hand it over, hand it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, joinedload

from service import clock, engine, errors, permissions, wording
from service.commands.cases import duties, history, instances
from service.commands.cases.projection import Acted
from service.commands.people import telling
from service.commands.procedures import deployments
from service.models import Instance, Task, TaskCandidate, User
from service.models.base import BigId

from . import attachments, drafts, registered, returns


def claim(session: Session, task_id: int, *, user: User, version: int | None = None) -> Task:
    """Take a task that is offered to you: nobody else can work on it until you hand it in or put it back."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    if task.assignee_id == user.id:
        return task
    principal = _in_place_of(session, task, user)
    _is_current(task, version)
    return _give(session, task, user, user=user, kind="claimed", principal=principal)


def act_for(
    session: Session, task_id: int, *, user: User, principal: User, reason: str, version: int | None = None
) -> Task:
    """Take a task in the place of somebody it is for, as an administrator who says why. Handing it in is next."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    if not permissions.may_administer(user, task.authority_id):
        raise errors.Forbidden()
    if not reason.strip():
        raise errors.InvalidInput("请写明代办的理由。", "Say why you act in their place.", field="reason")
    duties.forbid(session, task, user, deputy_of=principal)
    if not permissions.may_act_for(user, principal, task, task.candidates):
        raise errors.InvalidInput(
            f"此任务不由{principal.name}办理，或须由本人亲自办理，不能代办。",
            f"This task is not {principal.name}'s to do, or only they may do it themselves.",
            field="principal",
        )
    _is_current(task, version)
    return _give(session, task, user, user=user, kind="claimed", principal=principal, reason=reason.strip()[:500])


def release(session: Session, task_id: int, *, user: User, version: int | None = None) -> Task:
    """Put a taken task back, for anybody it is offered to."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    if task.assignee_id is None:
        return task
    if not permissions.may_release(user, task):
        raise errors.Forbidden()
    _is_current(task, version)
    task.owner_id = task.delegation = None
    return _give(session, task, None, user=user, kind="released")


def assign(session: Session, task_id: int, *, user: User, assignee: User, version: int | None = None) -> Task:
    """Hand a task to somebody it is offered to."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    duties.forbid_assignee(session, task, assignee)
    if not permissions.may_assign(user, task, task.candidates, assignee):
        if (
            permissions.may_administer(user, task.authority_id)
            or permissions.may_work_on(user, task, task.candidates)
            or permissions.may_supervise(user, task)
        ):
            raise errors.InvalidInput(
                f"此任务没有派给{assignee.name}所在的角色。",
                f"This task is not offered to {assignee.name}.",
                field="assignee",
            )
        raise errors.Forbidden()
    _is_current(task, version)
    if task.assignee_id == assignee.id:
        return task
    task.owner_id = task.delegation = None
    return _give(session, task, assignee, user=user, kind="assigned")


def delegate(session: Session, task_id: int, *, user: User, to: User, version: int | None = None) -> Task:
    """Ask a colleague for an answer: they get the task, and it comes back to you when they resolve it."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    if not permissions.may_delegate(user, task, task.candidates, to):
        if task.assignee_id != user.id:
            raise errors.Forbidden()
        raise errors.InvalidInput(
            f"不能将此任务委托给{to.name}。", f"This task cannot be delegated to {to.name}.", field="assignee"
        )
    _is_current(task, version)
    task.owner_id, task.delegation = user.id, "pending"
    drafts.hand_on(session, task_id, user.id, to.id)
    return _give(session, task, to, user=user, kind="delegated")


def resolve(session: Session, task_id: int, *, user: User, version: int | None = None) -> Task:
    """Give a delegated task back to its owner, with what you have filled in; they hand it in."""
    task, _ = _locked(session, task_id, user)
    _is_open(session, task)
    if task.assignee_id != user.id or task.delegation != "pending" or task.owner_id is None:
        raise errors.Forbidden("这项任务不是委托给您的。", "This task has not been delegated to you.")
    _is_current(task, version)
    owner = session.get_one(User, task.owner_id)
    task.delegation = "resolved"
    drafts.hand_on(session, task_id, user.id, owner.id)
    return _give(session, task, owner, user=user, kind="resolved")


def complete(
    session: Session, task_id: int, values: Mapping[str, Any], *, user: User, version: int | None = None
) -> Task:
    """Hand in a task and run the case to its next wait states.

    Nobody need have claimed it. Of two who hand it in, exactly one succeeds; the other is told who was first.
    """
    task, instance = _locked(session, task_id, user)
    _is_open(session, task)
    if task.assignee_id == user.id:
        _still_stands_in(session, task, user)
    else:
        principal = _in_place_of(session, task, user)
        _is_current(task, version)
        if principal is not None:
            task.assignee_id, task.on_behalf_of_id, task.claimed_at = user.id, principal.id, clock.now()
    if task.delegation == "pending":
        raise errors.Conflict(
            "这项任务是委托给您的，请填写后交回委托人，由委托人提交。",
            "This task was delegated to you: give it back to its owner, who hands it in.",
            code="delegated",
        )
    _is_current(task, version)
    now = clock.now()
    bundle = deployments.bundle(session, instance.deployment_id)
    acted = Acted(user=user, task=task)

    def hand_in(run: engine.Run) -> engine.Step:
        known = registered.lists(session, instance.authority_id, bundle, task.form_id)
        acted.values = _accepted(bundle, task, values, user, {**engine.visible(run, task.token), **known})
        attachments.adopt(session, acted.values, instance=instance, user=user, task=task)
        return engine.complete(run, task.token, acted.values, now=now)

    data = _behalf(session, task)
    acted.facts.append(instances.fact("completed", task.process_id, task.element_id, task.name, data, token=task.token))
    instances.advance(session, instance, hand_in, acted=acted)
    return task


def _accepted(
    bundle: engine.Bundle, task: Task, values: Mapping[str, Any], user: User, context: Mapping[str, Any]
) -> dict[str, Any]:
    """What counts of the values: checked against the form as this task opens it."""
    schema = bundle.forms.get(task.form_id) if task.form_id is not None else None
    if task.form_id is None or schema is None:
        return instances.accepted(bundle, task.form_id, values, user=user, context=context)
    opened = returns.opened(bundle, task.form_id, schema, task.properties, context)
    return instances.accepted(
        bundle, task.form_id, values, user=user, context=opened.context, schema=opened.schema
    )  # fmt: skip


def _locked(session: Session, task_id: int, user: User) -> tuple[Task, Instance]:
    """The task with its case, which is this transaction's alone until the commit."""
    instance = instances.lock_of_task(session, task_id)
    task: Task = session.scalars(_WITH_CANDIDATES, {"id": task_id}).unique().one()
    # Whoever may not even see the task learns nothing about it, not even that it exists.
    known = permissions.may_see_task(user, task, task.candidates) or _was_offered(user, task)
    if not known and not permissions.appointments(user, task, task.candidates):
        raise errors.NotFound()
    if instance.ended_at is None and instance.status == "suspended":
        raise errors.InstanceOver()
    return task, instance


# Built once: every act on a task begins with it.
_WITH_CANDIDATES = (
    select(Task)
    .where(Task.id == bindparam("id", type_=BigId))
    .options(joinedload(Task.candidates))
    .execution_options(populate_existing=True)
)


def _was_offered(user: User, task: Task) -> bool:
    return (task.organisation_id, task.role) in permissions.groups(user) or permissions.is_offered(
        user, task.candidates
    )


def _is_open(session: Session, task: Task) -> None:
    if task.status == "completed":
        by = session.get(User, task.completed_by_id) if task.completed_by_id else None
        raise errors.TaskOver(who=by.name if by else "系统", when=task.completed_at)
    if task.status == "cancelled":
        raise errors.TaskOver(
            "此任务已随流程的推进撤销，无需再办。",
            "This task is no longer needed: the case has moved on.",
            when=task.completed_at,
        )


def _in_place_of(session: Session, task: Task, user: User) -> User | None:
    """Who is absent and lets the user take this task; None where it is the user's own to take.

    Raises Forbidden where it is neither, Excluded where one of the two must keep away, TaskTaken where somebody has it.
    """
    if permissions.is_offered(user, task.candidates) and task.assignee_id is None:
        duties.forbid(session, task, user)
        return None
    reaching = permissions.appointments(user, task, task.candidates)
    for one in reaching:
        duties.forbid(session, task, user, deputy_of=one.principal)
        return one.principal
    if not permissions.is_offered(user, task.candidates):
        raise errors.Forbidden()
    _is_free(session, task)
    return None


def _still_stands_in(session: Session, task: Task, user: User) -> None:
    """Refuse what was taken in somebody's place and is no longer lent, and what either of them must keep away from."""
    principal = session.get_one(User, task.on_behalf_of_id) if task.on_behalf_of_id else None
    duties.forbid(session, task, user, deputy_of=principal)
    if principal is not None and not permissions.holds(user, task):
        raise errors.Forbidden(
            f"您已不再代理{principal.name}，请放回此任务。",
            f"You no longer stand in for {principal.name}; put this task back.",
        )


def _behalf(session: Session, task: Task) -> dict[str, Any]:
    """What history and audit say of an act in somebody's place."""
    if task.on_behalf_of_id is None:
        return {}
    principal = session.get_one(User, task.on_behalf_of_id)
    return {"on_behalf_of": {"id": principal.id, "username": principal.username, "name": principal.name}}


def _is_free(session: Session, task: Task) -> None:
    if task.assignee_id is not None:
        holder = session.get(User, task.assignee_id)
        raise errors.TaskTaken(who=holder.name if holder else "?", when=task.claimed_at)


def _is_current(task: Task, version: int | None) -> None:
    if version is not None and version != task.version:
        raise errors.Stale(given=version, current=task.version)


def _give(
    session: Session,
    task: Task,
    assignee: User | None,
    *,
    user: User,
    kind: str,
    principal: User | None = None,
    reason: str = "",
) -> Task:
    before = task.assignee_id
    task.on_behalf_of_id = principal.id if principal else None
    task.assignee_id = assignee.id if assignee else None
    task.claimed_at = clock.now() if assignee else None
    session.execute(
        update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(claimed=assignee is not None),
        execution_options={"synchronize_session": False},
    )
    data = {"assignee": assignee.username if assignee else None, "before": before, **_behalf(session, task)}
    history.note_task(session, task, kind, user, {**data, "reason": reason} if reason else data)
    if task.excludes is not None:
        duties.refresh(session, task.instance_id)
    if assignee is not None and assignee.id != user.id:
        zh = f"{user.name}将“{task.name}”交给您办理（{task.instance.number} {task.instance.title}）。"
        name, title = wording.both(session, task.instance, task.process_id, task.name)
        en = f"{user.name} gave you “{name}” ({task.instance.number} {title})."
        telling.tell(session, assignee, "assigned", zh, en, instance=task.instance, task=task)
    return task
