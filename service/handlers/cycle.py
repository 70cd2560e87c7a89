"""The yearly round: one case for each active base, and what came of them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from service import clock
from service.commands.bases import sanctions
from service.commands.cases import instances, jobrows, jobs
from service.models import Correlation, Instance, Organisation, PublishedMessage
from service.models.register import AnnualReport, AnnualResult, Base, RecommenderLink
from service.queries import register as read

from . import case
from .registry import JobContext, topic


@topic("start_annual_reports")
def start_annual_reports(session: Session, job: JobContext) -> dict[str, Any]:
    """Have one report case start for each active base that has not reported and is not at it.

    Each starts in a transaction of its own, by a message; seven hundred branches would make one unwieldy case.
    """
    year = case.number(job, "cycle.year")
    reported = select(AnnualReport.base_id).where(
        AnnualReport.year == year, AnnualReport.status.in_(("accepted", "late"))
    )
    return {"started": _start(session, job, "annual_report_due", year, reported, {"cycle": job.variables["cycle"]})}


@topic("start_assessments")
def start_assessments(session: Session, job: JobContext) -> dict[str, Any]:
    """Have one assessment case start for each active base without a result of the year."""
    year = case.number(job, "cycle.year")
    assessed = select(AnnualResult.base_id).where(AnnualResult.year == year)
    return {"started": _start(session, job, "assessment_due", year, assessed, {"assessmentYear": year})}


def _start(session: Session, job: JobContext, message: str, year: int, done: Any, values: Mapping[str, Any]) -> int:
    instance = case.instance_of(session, job)
    running = _running(session, instance, message)
    rows = []
    for base, host, recommender in _active(session, instance, done):
        key = f"{year}/{base.number}"
        if key in running:
            continue
        variables = {
            **values,
            "baseNumber": base.number,
            "parties": {"applicant": host.code, "recommender": recommender.code},
            "profile": case.text(job, "profile", "strict"),
        }
        said = {"name": message, "key": key, "variables": variables}
        rows.append(
            jobrows.for_message(
                instance, instances.fact("message", instance.process_id, job.topic, data=said), now=job.now
            )
        )
    jobs.enqueue(session, rows)
    return len(rows)


def _active(session: Session, instance: Instance, done: Any) -> list[tuple[Base, Organisation, Organisation]]:
    """The active bases that are not done, with their host and their recommender of today."""
    today = clock.today()
    in_force = and_(
        RecommenderLink.base_id == Base.id,
        RecommenderLink.since <= today,
        or_(RecommenderLink.until.is_(None), RecommenderLink.until > today),
    )
    rows = session.execute(
        select(Base, RecommenderLink)
        .join(RecommenderLink, in_force)
        .where(Base.authority_id == instance.authority_id, Base.status == "active", Base.id.not_in(done))
        .options(joinedload(Base.host), joinedload(RecommenderLink.organisation))
        .order_by(Base.number)
    )
    return [(base, base.host, link.organisation) for base, link in rows.unique()]


def _running(session: Session, instance: Instance, message: str) -> set[str | None]:
    """The keys of the cases such messages have started and that still run."""
    return set(
        session.scalars(
            select(PublishedMessage.key)
            .join(Correlation, Correlation.message_id == PublishedMessage.id)
            .join(Instance, Instance.id == Correlation.instance_id)
            .where(
                PublishedMessage.authority_id == instance.authority_id,
                PublishedMessage.name == message,
                Instance.ended_at.is_(None),
            )
        )
    )


@topic("collect_reports")
def collect_reports(session: Session, job: JobContext) -> dict[str, Any]:
    """Who has reported, who late, and who not."""
    instance = case.instance_of(session, job)
    year = case.number(job, "cycle.year")
    reports = select(AnnualReport.base_id, AnnualReport.status).where(
        AnnualReport.authority_id == instance.authority_id, AnnualReport.year == year
    )
    status = {base_id: found for base_id, found in session.execute(reports)}  # noqa: C416 (rows are no pairs to mypy)
    bases = _active(session, instance, select(Base.id).where(Base.id.is_(None)))
    counted = [status.get(base.id) for base, _, _ in bases]
    missing = [
        {"number": base.number, "name": base.name, "recommender": recommender.name}
        for base, _, recommender in bases
        if status.get(base.id) not in ("accepted", "late")
    ]
    return {
        "reportSummary": {
            "total": len(bases),
            "accepted": counted.count("accepted"),
            "late": counted.count("late"),
            "overdue": counted.count("overdue"),
            "missing": missing,
        }
    }


@topic("record_annual_report")
def record_annual_report(session: Session, job: JobContext) -> None:
    """Enter the report of a base and year as accepted, late or overdue."""
    status = case.header(job, "status")
    filed = status != "overdue"
    sanctions.record_report(
        session,
        case.base(session, job),
        case.number(job, "year"),
        status=status,
        filed_on=clock.today(job.now) if filed else None,
        opinion=case.text(job, "reportOpinion.opinion", "") if filed else "",
        signatory=case.text(job, "reportOpinion.signatory", "") if filed else "",
        signed_on=case.day(job, "reportOpinion.signedOn", None) if filed else None,
        accepted_on=clock.today(job.now) if filed else None,
        content={name: case.value(job, name, {}) for name in ("annualPlan", "annualSummary")} if filed else {},
        instance_id=job.instance_id,
    )


@topic("lookup_annual_facts")
def lookup_annual_facts(session: Session, job: JobContext) -> dict[str, Any]:
    """What an assessment reads: the year's report, the results of the other years, the notices."""
    base, year = case.base(session, job), case.number(job, "year")
    report = session.scalar(select(AnnualReport).where(AnnualReport.base_id == base.id, AnnualReport.year == year))
    notices = read.notices(session, base)
    standing = [one for one in notices if one.lifted_on is None]
    results = read.results(session, base)
    return {
        "annualFacts": {
            "reportStatus": report.status if report else "none",
            "results": [one for one in results if one["year"] < year],
            "laterResults": [one for one in results if one["year"] > year],
            "unfiledYears": _unfiled(session, base, year),
            "noticeOn": case.iso(standing[-1].issued_on) if standing else None,
            "noticeYears": [one.year for one in notices],
            "standingNotices": [one.year for one in standing],
            "summary": report.content.get("annualSummary") if report else None,
        }
    }


def _unfiled(session: Session, base: Base, year: int) -> int:
    """For how many years in a row, the last being ``year``, the base has filed nothing.

    A year before it counts only where the register says that its report was due and did not come.
    """
    query = select(AnnualReport.year, AnnualReport.status).where(
        AnnualReport.base_id == base.id, AnnualReport.year <= year
    )
    status: dict[int, str] = {one: found for one, found in session.execute(query)}  # noqa: C416 (rows are no pairs to mypy)
    if status.get(year, "overdue") != "overdue":
        return 0
    unfiled = 1
    while status.get(year - unfiled) == "overdue":
        unfiled += 1
    return unfiled
