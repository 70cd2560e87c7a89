"""Cases move to another version: a mapping is proposed, looked at case by case, then done as a repair."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions
from service.commands.cases import instances
from service.commands.procedures import deployments
from service.engine.model import Node, Process
from service.models import Draft, Instance, ProcessDefinition, Task, User

from . import repairs

Names = dict[str, dict[str, str]]


@dataclass(slots=True)
class Pair:
    """An element of the old version and what it becomes; ``why``: ``id`` | ``name`` | ``place`` | ``none``."""

    process_id: str
    source: str
    label: str
    kind: str
    target: str | None
    why: str
    tokens: int = 0


@dataclass(slots=True)
class Plan:
    """A proposed mapping: for the machine (only what changes its id), and for people (every element)."""

    names: Names = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What migrating one case would come to."""

    instance_id: int
    number: str
    ok: bool
    obstacles: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)


def propose(session: Session, source_id: int, target_id: int, *, user: User) -> Plan:
    """Propose what becomes of every element: the same id, else the same name and kind, else the same place."""
    old, new = _bundles(session, source_id, target_id, user)
    proposed = Plan()
    tokens = _tokens(session, source_id)
    for process_id, process in old.models.items():
        other = new.models.get(process_id)
        for node, goal, why in _matched(process, other):
            proposed.pairs.append(
                Pair(process_id, node.id, node.label, node.kind, goal, why, tokens.get((process_id, node.id), 0))
            )
            if goal is not None and goal != node.id:
                proposed.names.setdefault(process_id, {})[node.id] = goal
    return proposed


def _matched(old: Process, new: Process | None) -> list[tuple[Node, str | None, str]]:
    nodes = [node for _, node in old.walk()]
    if new is None:
        return [(node, None, "none") for node in nodes]
    goals = {node.id: node for _, node in new.walk()}
    taken = {node.id for node in nodes if node.id in goals and goals[node.id].kind == node.kind}
    found: dict[str, tuple[str | None, str]] = {}
    for node in nodes:
        if node.id in taken:
            found[node.id] = (node.id, "id")
    for node in nodes:
        if node.id not in found and node.name:
            same = [g for g in goals.values() if g.name == node.name and g.kind == node.kind and g.id not in taken]
            if len(same) == 1:
                found[node.id] = (same[0].id, "name")
                taken.add(same[0].id)
    befores_old, befores_new = _befores(old), _befores(new)
    for node in nodes:
        if node.id not in found:
            around = {found[b][0] for b in befores_old.get(node.id, ()) if b in found}
            same = [
                g
                for g in goals.values()
                if g.id not in taken and g.kind == node.kind and around and around <= set(befores_new.get(g.id, ()))
            ]
            if len(same) == 1:
                found[node.id] = (same[0].id, "place")
                taken.add(same[0].id)
    return [(node, *found.get(node.id, (None, "none"))) for node in nodes]


def _befores(process: Process) -> dict[str, set[str]]:
    """The elements right before each one."""
    found: dict[str, set[str]] = {}
    for scope, _ in process.walk():
        for flow in scope.flows.values():
            found.setdefault(flow.target, set()).add(flow.source)
    for flow in process.flows.values():
        found.setdefault(flow.target, set()).add(flow.source)
    return found


def _tokens(session: Session, deployment_id: int) -> dict[tuple[str, str], int]:
    rows = session.execute(
        select(Task.process_id, Task.element_id, func.count())
        .join(Instance, Instance.id == Task.instance_id)
        .where(Instance.deployment_id == deployment_id, Task.status == "open")
        .group_by(Task.process_id, Task.element_id)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def outcome(
    session: Session, instance_id: int, target_id: int, names: Mapping[str, Mapping[str, str]], *, user: User
) -> Outcome:
    """Say what migrating a case would come to, with its forms and drafts; nothing is written."""
    instance = session.get(Instance, instance_id)
    if instance is None or not permissions.may_administer(user, instance.authority_id):
        raise errors.NotFound()
    shown = Outcome(instance.id, instance.number, ok=False)
    if instance.ended_at is not None:
        shown.obstacles.append({"element": "", "zh": "案件已结束。", "en": "The case is over."})
        return shown
    if instance.deployment_id == target_id:
        shown.obstacles.append({"element": "", "zh": "已在此版本上。", "en": "It is on this version already."})
        return shown
    new = deployments.bundle(session, target_id)
    run = instances.load(session, instance)
    blocked = engine.obstacles(run, new, names)
    if blocked:
        shown.obstacles = [{"element": one.element_id, "zh": one.zh, "en": one.en} for one in blocked]
        return shown
    before = {wait.token: wait for wait in run.waits()}
    try:
        step = engine.migrate(run, new, names, now=clock.now())
    except engine.EngineError as error:
        shown.obstacles.append({"element": "", "zh": error.zh, "en": error.en})
        return shown
    gone = engine.lost(list(before.values()), step.waits)
    shown.ok = not gone
    shown.obstacles = [
        {
            "element": wait.element_id,
            "zh": f"“{wait.element_name}”会丢失。",
            "en": f"“{wait.element_name}” would be lost.",
        }
        for wait in gone
    ]
    still = {wait.token for wait in step.waits}
    shown.notes = [
        {"zh": f"“{wait.element_name}”不再监听。", "en": f"“{wait.element_name}” is no longer listened for."}
        for token, wait in sorted(before.items())
        if token not in still and wait not in gone
    ]
    shown.notes += _forms(session, instance, run, new, before, step)
    return shown


def _forms(
    session: Session,
    instance: Instance,
    run: engine.Run,
    new: engine.Bundle,
    before: Mapping[int, engine.Wait],
    step: engine.Step,
) -> list[dict[str, str]]:
    """What happens to forms that are being filled in."""
    drafts = set(
        session.scalars(
            select(Task.token)
            .join(Draft, Draft.task_id == Task.id)
            .where(Task.instance_id == instance.id, Task.status == "open")
        )
    )
    notes = []
    for wait in step.waits:
        was = before.get(wait.token)
        if not isinstance(wait, engine.UserWait) or not isinstance(was, engine.UserWait):
            if was is None:
                notes.append(
                    {"zh": f"新增等待“{wait.element_name}”。", "en": f"It waits for “{wait.element_name}”, too."}
                )
            continue
        same = run.bundle.forms.get(was.form_id or "") == new.forms.get(wait.form_id or "")
        if was.form_id != wait.form_id or not same:
            kept = "已填的草稿会带入同名字段" if wait.token in drafts else "尚无草稿"
            kept_en = "the draft keeps fields of the same name" if wait.token in drafts else "there is no draft"
            notes.append(
                {
                    "zh": f"“{wait.element_name}”改用新表单（{kept}）。",
                    "en": f"“{wait.element_name}” gets its new form ({kept_en}).",
                }
            )
    return notes


def candidates(session: Session, source_id: int, process_id: str | None, *, user: User) -> list[int]:
    """Return the running cases on a version."""
    _visible(session, source_id, user)
    query = select(Instance.id).where(
        Instance.deployment_id == source_id, Instance.ended_at.is_(None), Instance.authority_id == user.authority_id
    )
    if process_id:
        query = query.where(Instance.process_id == process_id)
    return list(session.scalars(query.order_by(Instance.id)))


def checked(names: object, old: engine.Bundle, new: engine.Bundle) -> Names:
    """Refuse a mapping that names what does not exist, or two elements for one."""
    if not isinstance(names, Mapping):
        raise errors.InvalidInput("映射应为 JSON 对象。", "A mapping should be a JSON object.", field="names")
    found: Names = {}
    for process_id, pairs in names.items():
        if not isinstance(pairs, Mapping) or process_id not in old.models:
            raise errors.InvalidInput(
                f"映射中的流程“{process_id}”不存在。", f"There is no process “{process_id}”.", field="names"
            )
        goals = list(pairs.values())
        for source, goal in pairs.items():
            if old.node(process_id, source) is None:
                raise errors.InvalidInput(
                    f"原版本没有元素“{source}”。", f"The old version has no element “{source}”.", field="names"
                )
            if not isinstance(goal, str) or new.node(process_id, goal) is None:
                raise errors.InvalidInput(
                    f"目标版本没有元素“{goal}”。", f"The new version has no element “{goal}”.", field="names"
                )
            if goals.count(goal) > 1:
                raise errors.InvalidInput(f"两个元素映射到“{goal}”。", f"Two elements become “{goal}”.", field="names")
        found[process_id] = dict(pairs)
    return found


def migrate(
    session: Session,
    instance_id: int,
    target_id: int,
    names: Mapping[str, Mapping[str, str]],
    *,
    user: User,
    reason: str,
    batch_id: int | None = None,
) -> Any:
    """Move one case: a repair like any other, with snapshot and undo. Refused where a token would be lost."""
    return repairs.perform(
        session,
        instance_id,
        "migrate",
        {"deployment": target_id, "names": {process: dict(pairs) for process, pairs in names.items()}},
        user=user,
        reason=reason,
        batch_id=batch_id,
    )


def _bundles(session: Session, source_id: int, target_id: int, user: User) -> tuple[engine.Bundle, engine.Bundle]:
    for deployment_id in (source_id, target_id):
        _visible(session, deployment_id, user)
    return deployments.bundle(session, source_id), deployments.bundle(session, target_id)


def _visible(session: Session, deployment_id: int, user: User) -> None:
    known: Collection[int] = session.scalars(
        select(ProcessDefinition.authority_id).where(ProcessDefinition.deployment_id == deployment_id)
    ).all()
    if not known or not all(permissions.may_administer(user, authority) for authority in known):
        raise errors.NotFound()


def read_names(session: Session, source_id: int, target_id: int, names: object, *, user: User) -> Names:
    """Check a mapping somebody has edited."""
    old, new = _bundles(session, source_id, target_id, user)
    return checked(names, old, new)


def elements(session: Session, deployment_id: int, *, user: User) -> list[tuple[str, str, str, str]]:
    """The elements of a version: (process, element, label, kind)."""
    _visible(session, deployment_id, user)
    bundle = deployments.bundle(session, deployment_id)
    return [
        (process.id, node.id, node.label, node.kind) for process in bundle.models.values() for _, node in process.walk()
    ]
