"""What an administrator does to a case that cannot go on, or must not.

Every repair can be *previewed*: the same verb runs on the decoded case and the outcome is thrown away, so nothing is
written and nothing is sent. *Doing* it asks for a reason, refuses a case that has moved since, keeps a snapshot and
goes into the audit chain at once. An *undo* brings state and rows back while nothing else has happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from service import clock, engine, errors, forms, permissions
from service.models import (
    CASE_PARTIES,
    CaseParty,
    CockpitPolicy,
    Event,
    Incident,
    Instance,
    Job,
    Organisation,
    ProcessDefinition,
    Repair,
    Subscription,
    Task,
    TaskCandidate,
    User,
)

from . import audit, deployments, duties, instances, jobs, projection, repairkinds, search, snapshots
from .difference import separated
from .projection import Acted
from .repairkinds import KINDS

LONGEST_REASON = 2000
WHILE_SUSPENDED = frozenset({"terminate", "variables", "move", "back", "extend", "migrate"})
_BLIND = {"synchronize_session": False}


class Moved(errors.InstanceChanged):
    """The case has moved since you looked; look at the preview again."""

    zh_default = "预览之后案件已有变化，请重新预览后再执行。"
    code = "case_moved"


class Unreadable(errors.Conflict):
    """The state of the case, or the files it runs on, cannot be read: it can only be ended, or restored from a copy."""

    zh_default = "案件的状态或所用文件无法读取：只能终止，或从备份恢复。终止后不能撤销。"
    code = "unreadable"


@dataclass(slots=True)
class Preview:
    """What a repair would do. ``before`` and ``after`` list where the tokens rest; ``state`` is its fingerprint."""

    kind: str
    version: int
    before: list[dict[str, Any]] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)
    variables: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False
    state: str = ""
    needs_approval: bool = False

    @property
    def gone(self) -> list[dict[str, Any]]:
        """What is no longer waited for."""
        return [one for one in self.before if one not in self.after]

    @property
    def new(self) -> list[dict[str, Any]]:
        """What is waited for from then on."""
        return [one for one in self.after if one not in self.before]

    def plain(self) -> dict[str, Any]:
        """As it is kept and answered."""
        return asdict(self)


# Look first


def preview(session: Session, instance_id: int, kind: str, parameters: Mapping[str, Any], *, user: User) -> Preview:
    """Say what a repair would do. Writes nothing, sends nothing."""
    instance = session.get(Instance, instance_id)
    if instance is None or not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    parameters = repairkinds.checked(kind, parameters)
    _possible(instance, kind)
    return _looked(session, instance, kind, parameters)[0]


def _looked(
    session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any]
) -> tuple[Preview, engine.Step | None]:
    """What a repair would do, and the step that would do it; a repair that only changes rows takes none."""
    shown = Preview(kind=kind, version=instance.version, needs_approval=_needs_approval(session, instance, kind))
    if not repairkinds.kind(kind).steps:
        shown.notes = _said_of_rows(session, instance, kind, parameters)
        return shown, None
    try:
        before, root, step = _step(session, instance, kind, parameters)
    except Unreadable as unreadable:
        if kind != "terminate":
            raise
        shown.ended, shown.notes = True, [_both(unreadable.zh, unreadable.en)]
        return shown, None
    shown.before, shown.after = [described(one) for one in before], [described(one) for one in step.waits]
    shown.variables = _differences(root, engine.visible(step.run))
    shown.messages = [
        {"name": one.data.get("name"), "key": one.data.get("key")} for one in step.events if one.kind == "message"
    ]
    shown.ended = step.ended
    shown.state = fingerprint(engine.dump(step.run))
    return shown, step


def fingerprint(state: bytes) -> str:
    """A short name of a state: the same bytes, the same name."""
    return hashlib.sha256(state).hexdigest()


def _step(
    session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any]
) -> tuple[list[engine.Wait], dict[str, Any], engine.Step]:
    """Decode the case and do it there; a refusal of the engine becomes one of ours."""
    now = clock.now()
    try:
        run = instances.load(session, instance)
    except engine.EngineError as error:
        raise Unreadable() from error
    before, root = run.waits(), engine.visible(run)
    _typed(session, instance, run, kind, parameters)
    with refused():
        step = act(session, instance, kind, parameters, now=now)(run)
    if kind == "migrate":
        _nothing_lost(before, step.waits)
    return before, root, step


def _nothing_lost(before: list[engine.Wait], after: list[engine.Wait]) -> None:
    """Refuse a migration after which work would be gone."""
    lost = engine.lost(before, after)
    if lost:
        raise errors.Conflict(
            "；".join(f"“{one.element_name or one.element_id}”会丢失" for one in lost) + "。",
            "; ".join(f"“{one.element_name or one.element_id}” would be lost" for one in lost) + ".",
            code="cannot_migrate",
        )


def act(
    session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any], *, now: datetime
) -> repairkinds.Verb:
    """The verb of a repair."""
    if kind == "migrate":
        number = repairkinds.number(parameters.get("deployment"), "deployment")
        if number == instance.deployment_id:
            raise errors.Conflict("案件已在此版本上。", "The case is on this version already.", code="cannot_migrate")
        goal = deployments.bundle(session, number)
        names = parameters.get("names") or {}
        return lambda run: engine.migrate(run, goal, names, now=now)
    return lambda run: repairkinds.verb(kind, parameters, now=now, run=run)


class refused:
    """Translate what the engine refuses."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, engine.WrongToken):
            raise Moved("这个令牌已不在此处，请重新查看。", "This token is no longer there; look again.") from error
        if isinstance(error, engine.EngineError):
            raise errors.InvalidInput(error.zh, error.en, code="refused_by_engine") from error


def described(wait: engine.Wait) -> dict[str, Any]:
    """A wait as people read it."""
    kinds = {
        engine.UserWait: "task",
        engine.JobWait: "job",
        engine.TimerWait: "timer",
        engine.MessageWait: "message",
        engine.JoinWait: "join",
        engine.IncidentWait: "incident",
    }
    shown = {
        "token": wait.token,
        "kind": kinds[type(wait)],
        "element": wait.element_id,
        "name": wait.element_name or wait.element_id,
        "process": wait.process_id,
    }
    if isinstance(wait, engine.TimerWait):
        shown["due"] = wait.due.isoformat()
    elif isinstance(wait, engine.UserWait):
        shown["due"] = wait.due.isoformat() if wait.due else None
    elif isinstance(wait, engine.MessageWait):
        shown["message"] = wait.message_name
    elif isinstance(wait, engine.IncidentWait):
        shown["zh"], shown["en"] = wait.zh, wait.en
    return shown


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "before": before.get(name), "after": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name) or (name in before) != (name in after)
    ]


def _said_of_rows(
    session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any]
) -> list[dict[str, str]]:
    match kind:
        case "suspend":
            return [_both("案件暂停，待办不可办理，定时器和作业等待。", "The case stops; timers and jobs wait.")]
        case "resume":
            return [_both("案件恢复，期间到期的定时器立即触发。", "The case goes on; timers that fell due fire now.")]
        case "resend":
            job = _job(session, instance, parameters)
            return [_both(f"“{job.topic or job.kind}”将再发送一次。", f"“{job.topic or job.kind}” is sent once more.")]
    task = _task(session, instance, parameters)
    before = task.assignee.name if task.assignee else "无 / nobody"
    if kind == "release":
        return [_both(f"“{task.name}”由{before}退回候选。", f"“{task.name}” goes back from {before}.")]
    goal = _assignee(session, instance, task, parameters)
    return [_both(f"“{task.name}”：{before} → {goal.name}", f"“{task.name}”: {before} → {goal.name}")]


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


# Then do


def perform(
    session: Session,
    instance_id: int,
    kind: str,
    parameters: Mapping[str, Any],
    *,
    user: User,
    reason: str,
    version: int | None = None,
    batch_id: int | None = None,
) -> Repair:
    """Do a repair, or propose it where somebody else has to agree. ``version`` is that of the preview."""
    reason = _reason(reason)
    parameters = repairkinds.checked(kind, parameters)
    instance = _administered(session, instance_id, user)
    _possible(instance, kind)
    if version is not None and version != instance.version:
        raise Moved()
    # The case is locked: the step that is looked at here is the one that is done.
    shown, step = _looked(session, instance, kind, parameters)
    now = clock.now()
    repair = Repair(
        authority_id=instance.authority_id,
        instance_id=instance.id,
        batch_id=batch_id,
        kind=kind,
        parameters=_plain(parameters),
        reason=reason,
        status="proposed",
        preview=shown.plain(),
        expected_version=instance.version,
        asked_at=now,
        asked_by_id=user.id,
    )
    session.add(repair)
    session.flush()
    if shown.needs_approval:
        _note(session, instance, "repair_proposed", user, {"repair": repair.id, "kind": kind, "reason": reason})
        audit.seal(session)
        return repair
    _do(session, repair, instance, user=user, step=step)
    return repair


def approve(session: Session, repair_id: int, *, user: User, note: str = "") -> Repair:
    """Agree to a proposed repair and do it. Not for whoever proposed it."""
    repair, instance = _proposed(session, repair_id, user)
    if repair.asked_by_id == user.id:
        raise errors.Forbidden("不能批准自己提出的修复。", "You cannot agree to your own repair.", code="own_repair")
    if repair.expected_version != instance.version:
        raise Moved()
    repair.decided_at, repair.decided_by_id, repair.decision_note = clock.now(), user.id, note
    _do(session, repair, instance, user=user)
    return repair


def reject(session: Session, repair_id: int, *, user: User, note: str = "") -> Repair:
    """Turn a proposed repair down, or withdraw one's own."""
    repair, instance = _proposed(session, repair_id, user)
    repair.status = "rejected"
    repair.decided_at, repair.decided_by_id, repair.decision_note = clock.now(), user.id, note
    _note(session, instance, "repair_rejected", user, {"repair": repair.id, "kind": repair.kind, "reason": note})
    audit.seal(session)
    return repair


def undo(session: Session, repair_id: int, *, user: User, reason: str) -> Repair:
    """Bring back the state and the rows from before a repair. Only while nothing else has happened to the case."""
    reason = _reason(reason)
    repair = session.get(Repair, repair_id)
    if repair is None or not permissions.may_administer(user, repair.authority_id):
        raise errors.NotFound()
    instance = _administered(session, repair.instance_id, user)
    session.refresh(repair)
    if repair.status != "done" or repair.former is None:
        raise errors.Conflict("这项修复不能撤销。", "This repair cannot be undone.", code="not_undoable")
    if instance.version != repair.version:
        raise Moved("修复之后案件又有变化，不能撤销。", "The case has moved since; the repair cannot be undone.")
    _nothing_sent(session, repair, instance)
    now, repaired = clock.now(), fingerprint(instance.state)
    ended_at = repair.rows["instance"]["ended_at"]
    snapshots.bring_back(session, instance, repair.rows, now)
    run = engine.load(deployments.bundle(session, instance.deployment_id), repair.former)
    fact = _fact("undone", instance, {"repair": repair.id, "kind": repair.kind, "reason": reason})
    status = instance.status
    projection.save(session, instance, engine.Step(run, run.waits(), []), acted=Acted(user=user, facts=[fact]), now=now)
    instance.state = repair.former  # the very bytes
    instance.status = status
    instance.ended_at = datetime.fromisoformat(ended_at) if ended_at else None
    instance.end_event = repair.rows["instance"]["end_event"]
    repair.status, repair.undone_at, repair.undone_by_id = "undone", now, user.id
    session.flush()
    search.anew(session, instance, run.instance.data)
    _wake(session, instance)
    _before_after(session, instance, user, "repair_undone", repair, repaired, reason)
    return repair


def _nothing_sent(session: Session, repair: Repair, instance: Instance) -> None:
    """What the repair has sent cannot be taken back; what has not left yet is."""
    sent = session.scalars(
        select(Job).where(
            Job.instance_id == instance.id,
            Job.token.is_(None),
            Job.kind.in_(("message", "mail")),
            Job.created_at >= (repair.decided_at or repair.asked_at),
        )
    ).all()
    if any(job.status in ("done", "running") for job in sent):
        raise errors.Conflict(
            "修复已向外发出消息或邮件，不能撤销。", "The repair has sent something; it cannot be undone.", code="sent"
        )
    for job in sent:
        if job.status == "queued":
            job.status, job.finished_at = "cancelled", clock.now()
    session.flush()


def _do(session: Session, repair: Repair, instance: Instance, *, user: User, step: engine.Step | None = None) -> None:
    kind, parameters, now = repair.kind, repair.parameters, clock.now()
    former, before = instance.state, fingerprint(instance.state)
    repair.rows = snapshots.take(session, instance)
    repair.former = former
    fact = _fact(kind, instance, {"repair": repair.id, "reason": repair.reason, "parameters": parameters})
    if KINDS[kind].steps and step is None:
        step = _looked(session, instance, kind, parameters)[1]
    if KINDS[kind].steps and step is None:
        repair.former = None  # nothing that an undo could read
        _end_unread(session, instance)
        _note(session, instance, fact.kind, user, dict(fact.data))
    elif step is not None:
        _advance(session, instance, kind, parameters, user, fact, step, now)
    else:
        _change_rows(session, instance, kind, parameters, user)
        _note(session, instance, fact.kind, user, dict(fact.data))
    session.flush()
    repair.status, repair.version = "done", instance.version
    _before_after(session, instance, user, "repaired", repair, before, repair.reason)


def _before_after(
    session: Session, instance: Instance, user: User, kind: str, repair: Repair, before: str, reason: str
) -> None:
    """One line for the log: who, why, from which state to which – sealed at once."""
    shown = repair.preview
    session.add(
        Event(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            at=clock.now(),
            kind=kind,
            process_id=instance.process_id,
            user_id=user.id,
            data={
                "repair": repair.id,
                "kind": repair.kind,
                "parameters": repair.parameters,
                "reason": reason,
                "proposed_by": repair.asked_by_id,
                "before": {"state": before, "waits": shown.get("before"), "version": repair.expected_version},
                "after": {
                    "state": fingerprint(instance.state),
                    "waits": shown.get("after"),
                    "version": instance.version,
                },
            },
        )
    )
    session.flush()
    if repair.batch_id is None:  # the worker that works a batch off seals every few seconds anyway
        audit.seal(session)


def _advance(
    session: Session,
    instance: Instance,
    kind: str,
    parameters: Mapping[str, Any],
    user: User,
    fact: engine.Happened,
    step: engine.Step,
    now: datetime,
) -> None:
    """Write what the step has changed, and the rows that belong to this kind of repair."""
    acted = Acted(user=user, facts=[fact])
    token = parameters.get("token")
    if kind in ("retry", "retry_with", "fire"):
        _name_what_is_done(session, instance, kind, token, acted)
    elif kind == "message":
        acted.subscription_id = session.scalar(
            select(Subscription.id).where(Subscription.instance_id == instance.id, Subscription.token == token)
        )
    elif kind == "offer":
        acted.offer_again = token
    if kind == "extend":
        _reschedule_rows(session, instance, int(token or 0), repairkinds.due_of(parameters))
    elif kind == "migrate":
        _change_version(session, instance, int(parameters["deployment"]))
        _follow_names(session, instance, step)
    elif kind == "restart":
        instance.ended_at, instance.end_event = None, None
    instance_state(instance).info["locked"] = session.get_transaction()
    suspended = instance.status == "suspended"
    projection.save(session, instance, step, acted=acted, now=now)
    if suspended and not step.ended:
        instance.status = "suspended"
        session.flush()


def _end_unread(session: Session, instance: Instance) -> None:
    """End a case whose state nobody can read: its rows are closed, and nothing of it waits any more."""
    now = clock.now()
    snapshots.close_all(session, instance, now)
    instance.status, instance.ended_at, instance.updated_at = "terminated", now, now
    session.flush()


def _name_what_is_done(session: Session, instance: Instance, kind: str, token: Any, acted: Acted) -> None:
    job_id = session.scalar(
        select(Job.id).where(
            Job.instance_id == instance.id, Job.token == token, Job.status.in_(("queued", "running", "failed"))
        )
    )
    incident_id = session.scalar(
        select(Incident.id)
        .where(Incident.instance_id == instance.id, Incident.token == token, Incident.resolved_at.is_(None))
        .limit(1)
    )
    if kind == "fire":
        acted.job_id = job_id
    else:
        acted.dropped_job_id = job_id
    acted.incident_id = incident_id


def _reschedule_rows(session: Session, instance: Instance, token: int, due: datetime) -> None:
    """The rows of a token that gets another time."""
    task = session.scalars(
        select(Task).where(Task.instance_id == instance.id, Task.token == token, Task.status == "open")
    ).one_or_none()
    if task is not None:
        task.due_at = due
        session.execute(
            update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(due_sort=due), execution_options=_BLIND
        )
    for job in session.scalars(
        select(Job).where(Job.instance_id == instance.id, Job.token == token, Job.status == "queued")
    ):
        job.due_at = due
        jobs.wake(session, [(job.id, due)])
    session.flush()


def _change_version(session: Session, instance: Instance, deployment_id: int) -> None:
    definition = session.scalars(
        select(ProcessDefinition).where(
            ProcessDefinition.deployment_id == deployment_id,
            ProcessDefinition.process_id == instance.process_id,
            ProcessDefinition.authority_id == instance.authority_id,
        )
    ).one_or_none()
    if definition is None:
        raise errors.InvalidInput(
            "目标版本没有这个流程。", "That version does not have this process.", field="deployment"
        )
    instance.definition, instance.definition_id = definition, definition.id
    instance.deployment_id = definition.deployment_id
    session.flush()


def _follow_names(session: Session, instance: Instance, step: engine.Step) -> None:
    """Open rows of tokens that stand at a renamed element stay what they are: claimed, with their drafts."""
    for wait in step.waits:
        if isinstance(wait, engine.UserWait):
            session.execute(
                update(Task)
                .where(Task.instance_id == instance.id, Task.token == wait.token, Task.status == "open")
                .values(
                    element_id=wait.element_id,
                    name=wait.element_name or wait.element_id,
                    form_id=wait.form_id,
                    documentation=wait.documentation,
                    properties=dict(wait.properties),
                    excludes=separated(step.run.bundle, wait),
                ),
                execution_options=_BLIND,
            )
        elif isinstance(wait, engine.JobWait | engine.TimerWait):
            session.execute(
                update(Job)
                .where(
                    Job.instance_id == instance.id,
                    Job.token == wait.token,
                    Job.status.in_(("queued", "running", "failed")),
                )
                .values(element_id=wait.element_id),
                execution_options=_BLIND,
            )


def _change_rows(session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any], user: User) -> None:
    now = clock.now()
    if kind == "suspend":
        instance.status = "suspended"
    elif kind == "resume":
        instance.status = "active"
        session.flush()
        _restate(session, instance)
        _wake(session, instance)
    elif kind == "resend":
        job = _job(session, instance, parameters)
        jobs.add(
            session,
            job.kind,
            authority_id=job.authority_id,
            topic=job.topic,
            payload=job.payload,
            instance_id=instance.id,
        )
    else:
        task = _task(session, instance, parameters)
        goal = None if kind == "release" else _assignee(session, instance, task, parameters)
        if goal is not None:
            duties.forbid_assignee(session, task, goal)
        task.assignee_id, task.claimed_at = (goal.id, now) if goal else (None, None)
        task.on_behalf_of_id = None
        if goal is not None and not permissions.is_offered(goal, task.candidates):
            # An administrator may ask anybody of the authority; from now on the task is offered to them, too.
            session.add(TaskCandidate(task_id=task.id, user_id=goal.id, claimed=True, due_sort=task.due_sort))
        session.execute(
            update(TaskCandidate).where(TaskCandidate.task_id == task.id).values(claimed=goal is not None),
            execution_options=_BLIND,
        )
        session.execute(
            update(Incident)
            .where(
                Incident.instance_id == instance.id,
                Incident.token == task.token,
                Incident.resolved_at.is_(None),
                Incident.cause.in_((*projection.NOBODY, "assignee_left", "all_excluded", "all_absent")),
            )
            .values(resolved_at=now, resolved_by_id=user.id),
            execution_options=_BLIND,
        )
        _restate(session, instance)
        session.flush()
        duties.refresh(session, instance.id)
    instance.updated_at = now
    session.flush()


def _restate(session: Session, instance: Instance) -> None:
    if instance.status in ("active", "incident"):
        trouble = session.scalar(
            select(Incident.id).where(Incident.instance_id == instance.id, Incident.resolved_at.is_(None)).limit(1)
        )
        instance.status = "active" if trouble is None else "incident"


def _wake(session: Session, instance: Instance) -> None:
    waiting = session.execute(
        select(Job.id, Job.due_at).where(Job.instance_id == instance.id, Job.status == "queued")
    ).all()
    jobs.wake(session, [(job_id, due_at) for job_id, due_at in waiting])


# What is asked for


def _possible(instance: Instance, kind: str) -> None:
    if repairkinds.kind(kind).code == "undo":
        raise errors.InvalidInput("撤销请从修复记录进行。", "Undo a repair where it is listed.", field="kind")
    over, suspended = instance.ended_at is not None, instance.status == "suspended"
    if kind == "restart":
        if not over:
            raise errors.Conflict("案件尚未结束，不需要重新打开。", "The case is not over.", code="case_open")
    elif kind == "resend":
        return
    elif over:
        raise errors.InstanceOver()
    elif kind == "resume":
        if not suspended:
            raise errors.Conflict("此案件没有暂停。", "This case is not suspended.", code="not_suspended")
    elif (kind == "suspend" and suspended) or (
        suspended and kind not in ("terminate", "variables", "move", "back", "extend", "migrate")
    ):
        raise errors.InstanceOver()


def _needs_approval(session: Session, instance: Instance, kind: str) -> bool:
    policy = session.get(CockpitPolicy, instance.authority_id)
    return policy is not None and kind in policy.second_approver


def _typed(session: Session, instance: Instance, run: engine.Run, kind: str, parameters: Mapping[str, Any]) -> None:
    """Refuse variables of another type than they have, or that the form which owns them would refuse."""
    variables = parameters.get("variables")
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        raise errors.InvalidInput("变量应为 JSON 对象。", "Variables should be a JSON object.", field="variables")
    token = parameters.get("token")
    try:
        known = engine.visible(run, token if isinstance(token, int) else None)
    except engine.WrongToken as error:
        raise Moved("这个令牌已不在此处，请重新查看。", "This token is no longer there; look again.") from error
    for name, value in variables.items():
        if name in instances.RESERVED:
            raise errors.InvalidInput(
                f"变量“{name}”由系统设定。", f"The variable “{name}” is set by the system.", field=name
            )
        before = known.get(name)
        if before is not None and value is not None and _type(before) != _type(value):
            raise errors.InvalidInput(
                f"变量“{name}”应为{_type(before)[0]}，而不是{_type(value)[0]}。",
                f"“{name}” should be a {_type(before)[1]}, not a {_type(value)[1]}.",
                field=name,
            )
    if kind in ("variables", "retry_with"):
        _as_its_form_says(session, instance, run, variables, known)


def _as_its_form_says(
    session: Session, instance: Instance, run: engine.Run, variables: Mapping[str, Any], known: Mapping[str, Any]
) -> None:
    """Ask the form in which the variable was typed."""
    handed_in = session.execute(
        select(Task.form_id, Task.submitted)
        .where(Task.instance_id == instance.id, Task.status == "completed", Task.form_id.is_not(None))
        .order_by(Task.completed_at.desc())
    ).all()
    left = set(variables)
    for form_id, submitted in handed_in:
        mine = left & set(submitted or {})
        schema = run.bundle.forms.get(form_id)
        if not mine or schema is None:
            continue
        values = {**(submitted or {}), **{name: variables[name] for name in mine}}
        problems = forms.check(schema, values, dict(known), now=clock.now())
        wrong = {name: found for name, found in problems.items() if name in mine}
        if wrong:
            raise errors.InvalidForm(wrong, "表单不接受这个值。", "The form does not accept this value.")
        left -= mine


def _type(value: Any) -> tuple[str, str]:
    match value:
        case bool():
            return "是/否", "boolean"
        case int() | float():
            return "数字", "number"
        case str():
            return "文字", "text"
        case list():
            return "列表", "list"
        case dict():
            return "对象", "object"
    return "空", "null"


def _task(session: Session, instance: Instance, parameters: Mapping[str, Any]) -> Task:
    task = session.scalars(
        select(Task).where(
            Task.instance_id == instance.id, Task.token == parameters.get("token"), Task.status == "open"
        )
    ).one_or_none()
    if task is None:
        raise Moved("这项任务已不在办理中。", "This task is no longer open.")
    return task


def _assignee(session: Session, instance: Instance, task: Task, parameters: Mapping[str, Any]) -> User:
    name = parameters.get("assignee")
    found = session.scalars(
        select(User).where(User.username == name, User.authority_id == instance.authority_id, User.active)
    ).one_or_none()
    if found is None:
        raise errors.InvalidInput(
            f"没有可用的账号“{name}”。", f"There is no active account “{name}”.", field="assignee"
        )
    return found


def _job(session: Session, instance: Instance, parameters: Mapping[str, Any]) -> Job:
    job = session.get(Job, parameters.get("job") or 0)
    if job is None or job.instance_id != instance.id or job.token is not None or job.status not in ("done", "failed"):
        raise errors.InvalidInput(
            "没有这件已发出的邮件或消息。", "There is no such mail or message that was sent.", field="job"
        )
    return job


def _proposed(session: Session, repair_id: int, user: User) -> tuple[Repair, Instance]:
    repair = session.get(Repair, repair_id)
    if repair is None or not permissions.may_administer(user, repair.authority_id):
        raise errors.NotFound()
    instance = _administered(session, repair.instance_id, user)
    session.refresh(repair)
    if repair.status != "proposed":
        raise errors.Conflict("这项修复已经处理。", "This repair is already decided.", code="repair_decided")
    return repair, instance


def _reason(reason: str) -> str:
    text = (reason or "").replace("\x00", "").strip()
    if not text:
        raise errors.InvalidInput("请说明理由。", "Say why.", field="reason")
    if len(text) > LONGEST_REASON:
        raise errors.InvalidInput("理由过长。", "The reason is too long.", field="reason")
    return text


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in parameters.items()}


def _fact(kind: str, instance: Instance, data: Mapping[str, Any]) -> engine.Happened:
    kinds = {"suspend": "suspended", "resume": "resumed", "terminate": "terminated", "retry": "retried"}
    return instances.fact(kinds.get(kind, f"repair_{kind}"), instance.process_id, instance.process_id, data=data)


# What a repair can be given


def goals(session: Session, instance_id: int) -> list[tuple[str, str]]:
    """The elements a token of a case could be put on: (id, label), those of its own diagram first."""
    instance = session.get(Instance, instance_id)
    if instance is None:
        return []
    try:
        models = deployments.bundle(session, instance.deployment_id).models
    except engine.EngineError:
        return []
    found = [
        (process.id != instance.process_id, node.id, node.label)
        for process in models.values()
        for _scope, node in process.walk()
        if node.kind not in ("startEvent", "boundaryEvent") and not node.triggered_by_event
    ]
    return [(element, label) for _other, element, label in sorted(found, key=lambda one: one[0])]


def known_variables(session: Session, instance_id: int, token: int | None) -> dict[str, Any]:
    """What a token of a case sees; nothing where its state cannot be read."""
    instance = session.get(Instance, instance_id)
    if instance is None:
        return {}
    try:
        return engine.visible(instances.load(session, instance), token)
    except engine.EngineError:
        return {}


# Short ways


def suspend(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """Stop a case for a while: nobody can work on it, and its timers and jobs wait."""
    return perform(session, instance_id, "suspend", {}, user=user, reason=reason or "暂停").instance


def resume(session: Session, instance_id: int, *, user: User, reason: str = "") -> Instance:
    """Let a suspended case go on; what became due meanwhile happens now."""
    return perform(session, instance_id, "resume", {}, user=user, reason=reason or "恢复").instance


def terminate(session: Session, instance_id: int, *, user: User, reason: str) -> Instance:
    """End a case for good."""
    return perform(session, instance_id, "terminate", {}, user=user, reason=reason or "终止").instance


def name_party(
    session: Session, instance_id: int, party: str, organisation: Organisation, *, user: User, reason: str
) -> Instance:
    """Say which organisation plays a party in a case, and offer it the tasks that waited for that."""
    if party not in CASE_PARTIES or organisation.authority_id != user.authority_id:
        raise errors.InvalidInput("没有这一方。", "There is no such party.", field="party")
    instance = _administered(session, instance_id, user)
    if instance.ended_at is not None or instance.status == "suspended":
        raise errors.InstanceOver()
    before = {one.party: one.organisation.code for one in instance.parties}
    session.merge(CaseParty(instance_id=instance.id, party=party, organisation_id=organisation.id))
    session.flush()
    data = {"party": party, "organisation": organisation.code, "reason": reason, "before": before.get(party)}
    _note(session, instance, "party_named", user, data)
    tokens = session.scalars(
        select(Incident.token).where(
            Incident.instance_id == instance.id,
            Incident.resolved_at.is_(None),
            Incident.cause.in_(projection.NOBODY),
            Incident.token.is_not(None),
        )
    ).all()
    for token in sorted({token for token in tokens if token is not None}):
        instances.advance(
            session,
            instance,
            lambda run: engine.Step(run, run.waits(), []),
            acted=Acted(user=user, offer_again=token),
        )
    return instance


def _administered(session: Session, instance_id: int, user: User) -> Instance:
    instance = instances.lock(session, instance_id)
    if not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    return instance


def _note(session: Session, instance: Instance, kind: str, user: User, data: dict[str, Any]) -> None:
    session.add(
        Event(
            authority_id=instance.authority_id,
            instance_id=instance.id,
            at=clock.now(),
            kind=kind,
            process_id=instance.process_id,
            user_id=user.id,
            data=data,
        )
    )
    session.flush()
