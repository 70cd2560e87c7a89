"""Projects and matching funds, plaques abroad, talent, the alliance, the coordination log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors
from service.commands.bases import column, cooperation
from service.models.register import ForeignPlaque, MatchingFund, Partner, Project, Talent
from service.queries import standing

from . import case
from .registry import JobContext, topic


@topic("list_special_projects")
def list_special_projects(session: Session, job: JobContext) -> dict[str, Any]:
    """Projects listed in the 专项 of the active bases in the recommender's charge."""
    recommender = case.party(session, job, "recommender")
    return {"specialProjects": standing.special_projects(session, recommender, clock.today(job.now))}


@topic("record_matching")
def record_matching(session: Session, job: JobContext) -> dict[str, Any]:
    """Record what a recommender promises for a project, or what of it has come in."""
    project = _project(session, job)
    if case.value(job, "matching.promised", None) is not None:
        fund = cooperation.promise_funds(
            session,
            project,
            case.party(session, job, "recommender"),
            promised=case.amount(job, "matching.promised"),
            due_on=case.day(job, "matching.dueOn", None),
            instance_id=job.instance_id,
        )
    else:
        fund = _fund(session, job, project)
        cooperation.pay_funds(
            session,
            fund,
            paid=fund.paid + case.amount(job, "matching.paid"),
            paid_on=case.day(job, "matching.paidOn", clock.today(job.now)),
            proof=[*fund.proof, *case.records(job, "matching.proof")],
            instance_id=job.instance_id,
        )
    return {"matchingTotals": {"promised": float(fund.promised), "paid": float(fund.paid)}}


def _project(session: Session, job: JobContext) -> Project:
    number = case.text(job, "projectNumber")
    authority_id = case.instance_of(session, job).authority_id
    found = session.scalar(select(Project).where(Project.authority_id == authority_id, Project.number == number))
    if found is None:
        raise errors.NotFound(f"没有编号为“{number}”的项目。", f"There is no project “{number}”.")
    return found


def _fund(session: Session, job: JobContext, project: Project) -> MatchingFund:
    found = session.scalar(
        select(MatchingFund)
        .where(MatchingFund.project_id == project.id)
        .order_by((MatchingFund.instance_id == job.instance_id).desc(), MatchingFund.id.desc())
        .with_for_update()
        .limit(1)
    )
    if found is None:
        raise errors.NotFound("这个项目还没有匹配承诺。", "Nothing has been promised for this project yet.")
    return found


@topic("record_foreign_plaque")
def record_foreign_plaque(session: Session, job: JobContext) -> None:
    """Take recognition abroad a step further at one partner."""
    base, status = case.base(session, job), case.header(job, "status")
    partner = cooperation.add_partner(
        session,
        base,
        name=case.text(job, "partner.name"),
        name_en=case.text(job, "partner.nameEn", ""),
        country=case.text(job, "partner.country", ""),
        instance_id=job.instance_id,
    )
    plaque = _plaque(session, job, partner)
    if status == "requested" or plaque is None:
        plaque = cooperation.request_plaque(
            session,
            base,
            partner,
            foreign_authority=case.text(job, "detail.foreignAuthority", ""),
            instance_id=job.instance_id,
        )
    if status != "requested" and plaque.status != status:
        cooperation.move_plaque(
            session,
            plaque,
            status,
            on=case.day(job, "detail.on", case.day(job, "detail.placedOn", clock.today(job.now))),
            mechanism=case.text(job, "detail.mechanism", ""),
            remarks=case.text(job, "detail.comment", case.text(job, "detail.place", "")),
            instance_id=job.instance_id,
        )


def _plaque(session: Session, job: JobContext, partner: Partner) -> ForeignPlaque | None:
    """The file of this case; one that a revocation has closed counts too."""
    return session.scalar(
        select(ForeignPlaque)
        .where(ForeignPlaque.partner_id == partner.id, ForeignPlaque.instance_id == job.instance_id)
        .order_by(ForeignPlaque.id.desc())
        .limit(1)
    )


@topic("record_talent")
def record_talent(session: Session, job: JobContext) -> None:
    """Record a nomination, or what was decided on it."""
    status = case.header(job, "status")
    talent = session.scalar(select(Talent).where(Talent.instance_id == job.instance_id))
    if talent is None:
        talent = cooperation.nominate_talent(
            session,
            case.base(session, job),
            name=case.text(job, "nomination.name"),
            nominated_on=clock.today(job.now),
            country=case.text(job, "nomination.country", ""),
            field=case.text(job, "nomination.field", ""),
            remarks=case.text(job, "nomination.plan", ""),
            instance_id=job.instance_id,
        )
    if status != "nominated":
        cooperation.decide_talent(
            session,
            talent,
            supported=status == "supported",
            decided_on=clock.today(job.now),
            remarks=case.text(job, "detail.reason", case.text(job, "detail.comment", "")),
            instance_id=job.instance_id,
        )


@topic("record_coordination")
def record_coordination(session: Session, job: JobContext) -> None:
    """Add to the log of the regional mechanism or of the national one (articles 11.2 and 10.2)."""
    level = case.header(job, "level")
    column.note_coordination(
        session,
        case.party(session, job, "coop" if level == "national" else "recommender"),
        level=level,
        noted_on=clock.today(job.now),
        issue=case.text(job, "issue"),
        action=case.text(job, "action", ""),
        base=case.base(session, job) if case.value(job, "base", None) else None,
        instance_id=job.instance_id,
    )


@topic("record_alliance")
def record_alliance(session: Session, job: JobContext) -> None:
    """Record the answer to an invitation into the alliance."""
    column.answer_invitation(
        session,
        case.base(session, job),
        joins=case.header(job, "status") == "member",
        on=clock.today(job.now),
        working_group=case.text(job, "detail.group", ""),
        representative=case.text(job, "detail.representative", ""),
        instance_id=job.instance_id,
    )
