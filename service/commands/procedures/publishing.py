"""From a working copy into service: through the gate, with somebody else's agreement where asked, at its hour.

Running cases stay on their version unless they were chosen to move; those are moved by batches, which have a dry run, a
canary, a result for every case, and a way back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, engine, errors, permissions, topics
from service.commands.administration import batches
from service.commands.cases import jobs
from service.models import (
    Authority,
    Deployment,
    ProcessDefinition,
    Publication,
    PublishingPolicy,
    User,
    WorkingCopy,
)

from . import checks, deployments, merges, scenarioruns, workshop
from .checks import Checked

TOPIC = "publish"
"""The job that carries out a publication at its hour; no diagram may use it."""
ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Running cases of a deployment that are to come along, and what becomes of elements without a counterpart."""

    deployment_id: int
    ids: tuple[int, ...]
    names: Mapping[str, Mapping[str, str]]
    canary: int = 0


class GateClosed(errors.Conflict):
    """{count} findings have to be put right before this can be published."""

    zh_default = "发布前须先解决 {count} 个问题。"
    code = "gate_closed"


class ScenariosOpen(errors.Conflict):
    """All scenarios have to pass on exactly this draft: {failing} do not, {unknown} have not been played."""

    zh_default = "发布规则要求场景全部通过：有 {failing} 个未通过，{unknown} 个还没有在这一版草稿上运行。"
    code = "scenarios_open"


class Overtaken(errors.Conflict):
    """Meanwhile version {version} was published. Merge it first, or say that this should replace it."""

    zh_default = "此后已发布第 {version} 版。请先合并，或确认用本副本取代它。"
    code = "overtaken"


class NeedsAnother(errors.Forbidden):
    """Somebody else than who proposed it has to agree."""

    zh_default = "须由提出发布者以外的人批准。"
    code = "needs_another"


def policy(session: Session, authority_id: int) -> PublishingPolicy:
    """What the authority asks for; the least, where it has said nothing: no errors."""
    found = session.get(PublishingPolicy, authority_id)
    return found or PublishingPolicy(authority_id=authority_id, gate="error", second_approver=False, scenarios=False)


def set_policy(session: Session, *, user: User, gate: str, second_approver: bool, scenarios: bool) -> PublishingPolicy:
    """Say what publishing asks for. Administrators only."""
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden("只有管理员可以修改发布规则。", "Only administrators set the rules of publishing.")
    if gate not in ORDER:
        raise errors.InvalidInput(
            "门槛应为 error、warning 或 info。", "The gate is error, warning or info.", field="gate"
        )
    found = session.get(PublishingPolicy, user.authority_id)
    before = {}
    if found is not None:
        before = {"gate": found.gate, "second_approver": found.second_approver, "scenarios": found.scenarios}
    if found is None:
        found = PublishingPolicy(authority_id=user.authority_id)
        session.add(found)
    found.gate, found.second_approver, found.scenarios = gate, second_approver, scenarios  # type: ignore[assignment]
    found.changed_at, found.changed_by_id = clock.now(), user.id
    after = {"gate": gate, "second_approver": second_approver, "scenarios": scenarios}
    workshop.note(session, "publishing_policy_set", user, {"before": before, "after": after})
    session.flush()
    return found


def stopped_by(findings: Sequence[Checked], gate: str) -> list[Checked]:
    """The findings that a gate does not let through."""
    return [one for one in findings if ORDER[one.finding.severity] <= ORDER[gate]]


def propose(
    session: Session,
    copy_id: int,
    *,
    user: User,
    note: str,
    version_tag: str = "",
    effective_at: datetime | None = None,
    moves: Sequence[Move] = (),
    overwrite: bool = False,
) -> Publication:
    """Ask for a working copy to go into service as it is now: at once, at its hour, or when somebody else agrees."""
    copy = workshop.take(session, copy_id, user=user)
    if not note.strip():
        raise errors.InvalidInput("请写发布说明，办理人会看到。", "Please write a release note.", field="note")
    files = workshop.files(session, copy)
    _unless_overtaken(session, copy, overwrite)
    _through_the_gate(session, files, user.authority_id)
    _may_move(session, moves, user)
    if effective_at is not None and effective_at <= clock.now():
        effective_at = None
    rule = policy(session, copy.authority_id)
    publication = Publication(
        authority_id=copy.authority_id,
        working_copy_id=copy.id,
        revision=copy.revision,
        bundle_hash=engine.content_hash(engine.read_contents(files).files),
        status="proposed",
        note=note.strip()[:1000],
        version_tag=version_tag.strip()[:60] or None,
        effective_at=effective_at,
        needs_approval=rule.second_approver,
        proposed_at=clock.now(),
        proposed_by_id=user.id,
        moves=[
            {
                "deployment": move.deployment_id,
                "ids": list(move.ids),
                "names": {process_id: dict(pairs) for process_id, pairs in move.names.items()},
                "canary": move.canary,
            }
            for move in moves
        ],
        overwrites=overwrite,
    )
    session.add(publication)
    workshop.seal(session, copy)
    session.flush()
    workshop.note(session, "publication_proposed", user, _about(publication))
    if not rule.second_approver:
        _go(session, publication, user)
    return publication


def decide(session: Session, publication_id: int, *, user: User, agree: bool, note: str = "") -> Publication:
    """Agree to a publication that somebody else has proposed, or refuse it."""
    publication = _taken(session, publication_id, user)
    if publication.status != "proposed":
        raise errors.Conflict("这次发布已经有了结果。", "This publication has been decided.", code="decided")
    if publication.proposed_by_id == user.id:
        raise NeedsAnother
    publication.decided_at, publication.decided_by_id = clock.now(), user.id
    publication.decision_note = note.strip()[:1000]
    workshop.note(session, "publication_approved" if agree else "publication_rejected", user, _about(publication))
    if agree:
        _go(session, publication, user)
    else:
        publication.status = "rejected"
    session.flush()
    return publication


def withdraw(session: Session, publication_id: int, *, user: User) -> Publication:
    """Take back what has not happened yet."""
    publication = _taken(session, publication_id, user)
    if publication.status not in ("proposed", "scheduled"):
        raise errors.Conflict("已经生效，不能撤回；可恢复原版本。", "It is in force already.", code="decided")
    publication.status = "withdrawn"
    workshop.note(session, "publication_withdrawn", user, _about(publication))
    session.flush()
    return publication


def carry_out(session: Session, publication_id: int) -> Publication:
    """Put a scheduled publication into force at its hour. What no longer holds keeps the former version running."""
    publication = session.get(Publication, publication_id, with_for_update=True, populate_existing=True)
    if publication is None or publication.status != "scheduled":
        return session.get_one(Publication, publication_id)
    user = publication.proposed_by
    try:
        with session.begin_nested():
            _deploy(session, publication, user)
    except (errors.ServiceError, engine.EngineError) as problem:
        publication.status, publication.failure = "failed", problem.zh
        workshop.note(session, "publication_failed", user, {**_about(publication), "zh": problem.zh, "en": problem.en})
    session.flush()
    return publication


def take_back(session: Session, publication_id: int, *, user: User) -> list[Deployment]:
    """Let new cases start on the versions that were in force before; cases that run stay where they are."""
    publication = _taken(session, publication_id, user)
    if publication.status != "published" or not publication.former:
        raise errors.Conflict("没有可以恢复的原版本。", "There is no former version.", code="no_former")
    reinstated = [
        deployments.reinstate(session, deployment_id, user=user, note=f"恢复：{publication.note}")
        for deployment_id in publication.former
    ]
    if publication.deployment_id is not None:
        deployments.retire(session, publication.deployment_id, user=user)
    workshop.note(
        session,
        "publication_taken_back",
        user,
        {**_about(publication), "deployments": [deployment.id for deployment in reinstated]},
    )
    return reinstated


def in_force(session: Session, authority_id: int, process_ids: Collection[str]) -> list[int]:
    """The deployments on which new cases of these processes start now, oldest first."""
    return list(
        session.scalars(
            select(ProcessDefinition.deployment_id)
            .where(
                ProcessDefinition.authority_id == authority_id,
                ProcessDefinition.process_id.in_(process_ids),
                ProcessDefinition.latest,
            )
            .distinct()
            .order_by(ProcessDefinition.deployment_id)
        )
    )


def _unless_overtaken(session: Session, copy: WorkingCopy, overwrite: bool) -> None:
    newer = merges.overtaken_by(session, copy)
    if newer is not None and not overwrite:
        raise Overtaken(version=newer.version)


def _through_the_gate(session: Session, files: Mapping[str, bytes], authority_id: int) -> None:
    rule = policy(session, authority_id)
    stopping = stopped_by(checks.check(session, files, topics=topics.KNOWN), rule.gate)
    if stopping:
        raise GateClosed(count=len(stopping), findings=[one.finding for one in stopping])
    if rule.scenarios:
        verdict = scenarioruns.verdict(session, files, authority_id)
        if not verdict.passed:
            raise ScenariosOpen(failing=len(verdict.failing), unknown=len(verdict.unknown))


def _may_move(session: Session, moves: Sequence[Move], user: User) -> None:
    if moves and not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden(
            "迁移在办案件须由管理员进行；您可以只对新案件发布。",
            "Moving running cases is for administrators; you may publish for new cases only.",
        )
    for move in moves:
        deployment = session.get(Deployment, move.deployment_id)
        if deployment is None or deployment.authority_id != user.authority_id:
            raise errors.NotFound("没有这个部署。", "There is no such deployment.")


def _go(session: Session, publication: Publication, user: User) -> None:
    """Put it into force, or see that a worker does at its hour."""
    if publication.effective_at is not None and publication.effective_at > clock.now():
        publication.status = "scheduled"
        jobs.add(
            session,
            "service",
            authority_id=publication.authority_id,
            topic=TOPIC,
            payload={"publication": publication.id},
            due_at=publication.effective_at,
        )
        workshop.note(session, "publication_scheduled", user, _about(publication))
        session.flush()
        return
    _deploy(session, publication, user)


def _deploy(session: Session, publication: Publication, user: User) -> None:
    copy = session.get(WorkingCopy, publication.working_copy_id) if publication.working_copy_id else None
    if copy is None:
        raise errors.Conflict("工作副本已不存在。", "The working copy is gone.", code="copy_gone")
    # One publication at a time, so that nobody is overtaken between this look and the deployment.
    session.execute(
        select(Authority.id).where(Authority.id == publication.authority_id).with_for_update(key_share=True)
    )
    _unless_overtaken(session, copy, publication.overwrites)
    files = workshop.at(session, copy, publication.revision)
    _through_the_gate(session, files, publication.authority_id)
    processes = list(engine.read_contents(files).processes)
    former = in_force(session, publication.authority_id, processes)
    deployment = deployments.deploy(session, files, user=user, note=publication.note, topics=topics.KNOWN)
    publication.deployment_id = deployment.id
    publication.former = [deployment_id for deployment_id in former if deployment_id != deployment.id]
    publication.status, publication.published_at = "published", clock.now()
    copy.deployment_id = deployment.id
    session.flush()
    publication.batches = [_move(session, publication, move, deployment, user) for move in publication.moves]
    workshop.note(session, "published", user, {**_about(publication), "batches": publication.batches})
    session.flush()


def _move(
    session: Session, publication: Publication, move: Mapping[str, Any], deployment: Deployment, user: User
) -> int:
    mover = publication.proposed_by if permissions.may_administer(publication.proposed_by, user.authority_id) else user
    return batches.create(
        session,
        "migrate",
        {"deployment": deployment.id, "names": move["names"]},
        user=mover,
        reason=f"随发布迁移：{publication.note}",
        ids=move["ids"],
        canary=move["canary"],
    ).id


def _taken(session: Session, publication_id: int, user: User) -> Publication:
    publication = session.get(Publication, publication_id, with_for_update=True, populate_existing=True)
    if publication is None or not permissions.may_deploy(user, publication.authority_id):
        raise errors.NotFound("没有这次发布。", "There is no such publication.")
    return publication


def _about(publication: Publication) -> dict[str, Any]:
    return {
        "publication": publication.id,
        "working_copy": publication.working_copy_id,
        "revision": publication.revision,
        "hash": publication.bundle_hash,
        "note": publication.note,
        "deployment": publication.deployment_id,
        "effective_at": publication.effective_at.isoformat() if publication.effective_at else None,
        "moves": sum(len(move["ids"]) for move in publication.moves or ()),
    }


__all__ = [
    "TOPIC",
    "GateClosed",
    "Move",
    "NeedsAnother",
    "Overtaken",
    "ScenariosOpen",
    "carry_out",
    "decide",
    "in_force",
    "policy",
    "propose",
    "set_policy",
    "stopped_by",
    "take_back",
    "withdraw",
]
