"""What a repair would do: the same verb runs on the decoded case, and its outcome is thrown away."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions, wording
from service.commands.cases import instances
from service.commands.procedures import deployments
from service.models import CockpitPolicy, Instance, User

from . import corrections, recovery, repairkinds, repairrows
from .repairkinds import Moved, Unreadable


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


def preview(session: Session, instance_id: int, kind: str, parameters: Mapping[str, Any], *, user: User) -> Preview:
    """Say what a repair would do. Writes nothing, sends nothing."""
    instance = session.get(Instance, instance_id)
    if instance is None or not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    parameters = repairkinds.checked(kind, parameters)
    repairkinds.possible(instance, kind)
    return look(session, instance, kind, parameters)[0]


def look(
    session: Session, instance: Instance, kind: str, parameters: Mapping[str, Any]
) -> tuple[Preview, engine.Step | None]:
    """What a repair would do, and the step that would do it; a repair that only changes rows takes none."""
    shown = Preview(kind=kind, version=instance.version, needs_approval=_needs_approval(session, instance, kind))
    if not repairkinds.kind(kind).steps:
        shown.notes = _said_of_rows(session, instance, kind, parameters)
        return shown, None
    if kind == "restore":
        return _restored(session, instance, shown)
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


def _restored(session: Session, instance: Instance, shown: Preview) -> tuple[Preview, engine.Step]:
    recovered = recovery.recover(session, instance)
    run = recovered.run
    shown.after = [described(one) for one in run.waits()]
    try:
        former = instances.load(session, instance)
    except engine.EngineError:
        shown.before = repairrows.resting(session, instance, shown.after)
    else:
        if engine.same(former, run):
            raise errors.Conflict(
                "案件的状态与历史一致，不需要恢复。", "The state is what the history tells.", code="state_sound"
            )
        shown.before = [described(one) for one in former.waits()]
        shown.variables = _differences(engine.visible(former), engine.visible(run))
    shown.notes, shown.ended, shown.state = recovered.notes, run.ended, fingerprint(engine.dump(run))
    return shown, engine.Step(run, run.waits(), [])


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
    corrections.check(session, instance, run, kind, parameters)
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
            job = repairrows.sent(session, instance, parameters)
            return [_both(f"“{job.topic or job.kind}”将再发送一次。", f"“{job.topic or job.kind}” is sent once more.")]
    task = repairrows.open_task(session, instance, parameters)
    before = task.assignee.name if task.assignee else "无 / nobody"
    if kind == "release":
        return [_both(f"“{task.name}”由{before}退回候选。", f"“{task.name}” goes back from {before}.")]
    goal = repairrows.person(session, instance, task, parameters)
    return [_both(f"“{task.name}”：{before} → {goal.name}", f"“{task.name}”: {before} → {goal.name}")]


def _both(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _needs_approval(session: Session, instance: Instance, kind: str) -> bool:
    policy = session.get(CockpitPolicy, instance.authority_id)
    return policy is not None and kind in policy.second_approver


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
        (
            process.id != instance.process_id,
            node.id,
            wording.text(session, instance.deployment_id, process.id, node.label),
        )
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
