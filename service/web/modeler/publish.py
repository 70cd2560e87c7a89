"""Publishing: what stands in the way, what it means for every running case, and the click itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import errors, permissions, topics
from service.commands.procedures import checks, impacts, merges, publishing, scenarioruns, workshop
from service.commands.procedures.publishing import Move
from service.models import User, WorkingCopy
from service.queries import workshop as reads

from .. import here, i18n
from .workbench import blueprint

CHINA = ZoneInfo("Asia/Shanghai")


@blueprint.get("/<int:copy_id>/publish")
def publish(copy_id: int) -> str:
    """Show the gate and the impact report."""
    with here.reading() as (session, user):
        return _page(session, user, copy_id)


@blueprint.post("/<int:copy_id>/publish")
def publish_submit(copy_id: int) -> AnyResponse | tuple[str, int]:
    """Publish, ask for somebody else's agreement, or schedule it."""
    form = request.form
    try:
        with here.writing() as (session, user):
            publication = publishing.propose(
                session,
                copy_id,
                user=user,
                note=form.get("note", ""),
                version_tag=form.get("version_tag", ""),
                effective_at=_moment(form.get("effective_at", "")),
                moves=_moves(session, user, copy_id) if form.get("scope") == "chosen" else (),
                overwrite=form.get("overwrite") == "1",
            )
            status, publication_id = publication.status, publication.id
    except (publishing.GateClosed, publishing.ScenariosOpen, publishing.Overtaken, errors.InvalidInput) as refused:
        with here.reading() as (session, user):
            return _page(session, user, copy_id, refused.sentence(i18n.choice()), dict(form)), refused.status
    flash(
        {
            "published": _("已发布，新案件按新版本办理。"),
            "scheduled": _("已安排，到时自动生效。"),
            "proposed": _("已提交，等待另一位流程负责人批准。"),
        }[status],
        "good",
    )
    return redirect(url_for("modeler.publication", publication_id=publication_id), 303)


@blueprint.post("/<int:copy_id>/publish/try")
def publish_try(copy_id: int) -> str:
    """Judge the cases again, with the choices that were made; nothing is written."""
    with here.reading() as (session, user):
        return _page(session, user, copy_id, typed=dict(request.form))


@blueprint.get("/publications/<int:publication_id>")
def publication(publication_id: int) -> str:
    """Show one publication: who, what, when, and what can still be done about it."""
    with here.reading() as (session, user):
        found = reads.publication(session, user, publication_id)
        return here.page(
            session,
            "modeler/publication.html",
            publication=found,
            mine=found.proposed_by_id == user.id,
            former=[one for one in reads.deployments(session, user) if one.id in set(found.former or ())],
            batches=reads.batches(session, found.batches or []),
            in_force=reads.in_force(session, found.deployment_id),
            admin=permissions.may_administer(user, found.authority_id),
        )


@blueprint.post("/publications/<int:publication_id>/decide")
def decide_submit(publication_id: int) -> AnyResponse:
    """Agree or refuse."""
    agree = request.form.get("agree") == "1"
    with here.writing() as (session, user):
        publishing.decide(session, publication_id, user=user, agree=agree, note=request.form.get("note", ""))
    flash(_("已批准。") if agree else _("已退回，不发布。"), "good")
    return redirect(url_for("modeler.publication", publication_id=publication_id), 303)


@blueprint.post("/publications/<int:publication_id>/withdraw")
def withdraw_submit(publication_id: int) -> AnyResponse:
    """Take back what has not happened yet."""
    with here.writing() as (session, user):
        publishing.withdraw(session, publication_id, user=user)
    flash(_("已撤回。"), "good")
    return redirect(url_for("modeler.publication", publication_id=publication_id), 303)


@blueprint.post("/publications/<int:publication_id>/take-back")
def take_back_submit(publication_id: int) -> AnyResponse:
    """Start new cases on the former version again."""
    with here.writing() as (session, user):
        publishing.take_back(session, publication_id, user=user)
    flash(_("已恢复原版本，新案件按原版本办理。"), "good")
    return redirect(url_for("modeler.publication", publication_id=publication_id), 303)


@blueprint.post("/<int:copy_id>/merge")
def merge_submit(copy_id: int) -> AnyResponse:
    """Take over what was published meanwhile."""
    with here.writing() as (session, user):
        merged = merges.merge(session, copy_id, user=user)
    flash(_("已合并第 %(n)s 版：采用 %(count)s 个文件。", n=merged.version, count=len(merged.taken)), "good")
    if merged.conflicts:
        flash(_("两边都改了 %(paths)s，保留了本副本的内容，请对比后确认。", paths="、".join(merged.conflicts)), "warn")
    return redirect(url_for("modeler.copy", copy_id=copy_id), 303)


@blueprint.post("/policy")
def policy_submit() -> AnyResponse:
    """Say what publishing asks for."""
    with here.writing() as (session, user):
        publishing.set_policy(
            session,
            user=user,
            gate=request.form.get("gate", ""),
            second_approver=request.form.get("second_approver") == "1",
            scenarios=request.form.get("scenarios") == "1",
        )
    flash(_("发布规则已更新。"), "good")
    return redirect(url_for("modeler.copies"), 303)


def _page(session: Session, user: User, copy_id: int, problem: str = "", typed: dict[str, Any] | None = None) -> str:
    copy = reads.copy(session, user, copy_id)
    files = workshop.files(session, copy)
    found = checks.check(session, files, topics=topics.KNOWN)
    rule = publishing.policy(session, copy.authority_id)
    stopping = publishing.stopped_by(found, rule.gate)
    broken = any(one.finding.severity == "error" for one in found)
    locale = i18n.choice()
    return here.page(
        session,
        "modeler/publish.html",
        copy=copy,
        problem=problem,
        typed=typed or {},
        chosen=set(request.form.getlist("group")),
        rule=rule,
        stopping=[one.shown(locale) for one in stopping],
        others=len(found) - len(stopping),
        impact=None if broken else impacts.report(session, files, user=user, names=_names(typed)),
        overtaken=merges.overtaken_by(session, copy),
        scenarios=scenarioruns.verdict(session, files, copy.authority_id),
        admin=permissions.may_administer(user, copy.authority_id),
        locale=locale,
    )


def _names(typed: dict[str, Any] | None) -> dict[int, dict[str, dict[str, str]]]:
    """What elements without a counterpart become, by deployment: fields ``name:<deployment>:<process>:<element>``."""
    names: dict[int, dict[str, dict[str, str]]] = {}
    for field, goal in (typed or {}).items():
        if field.startswith("name:") and goal:
            _prefix, deployment, process_id, element_id = field.split(":", 3)
            if deployment.isdigit():
                names.setdefault(int(deployment), {}).setdefault(process_id, {})[element_id] = goal
    return names


def _moves(session: Session, user: User, copy_id: int) -> list[Move]:
    """The groups of cases that were ticked, as they are now."""
    chosen = set(request.form.getlist("group"))
    names = _names(dict(request.form))
    copy: WorkingCopy = reads.copy(session, user, copy_id)
    report = impacts.report(session, workshop.files(session, copy), user=user, names=names)
    ids: dict[int, list[int]] = {}
    for group in report.groups:
        if group.key in chosen:
            if group.kind not in ("automatic", "stays", "unaffected"):
                raise errors.InvalidInput(
                    _("“%(at)s”处的案件还不能迁移：%(why)s", at="、".join(group.at), why=group.verdict.zh),
                    group.verdict.en,
                    field="group",
                )
            ids.setdefault(group.deployment_id, []).extend(group.ids)
    canary = here.number("canary") or 0
    return [
        Move(deployment_id=deployment, ids=tuple(found), names=names.get(deployment, {}), canary=canary)
        for deployment, found in ids.items()
    ]


def _moment(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=CHINA)
    except ValueError:
        raise errors.InvalidInput(
            "生效时间应为 2026-03-15T09:00 的形式。",
            "The time should look like 2026-03-15T09:00.",
            field="effective_at",
        ) from None
