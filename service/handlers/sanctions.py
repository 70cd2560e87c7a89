"""What follows from an assessment or a finding: results, commendation, notice, violation, revocation, ban."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock
from service.commands.bases import register, sanctions
from service.models import Organisation
from service.models.register import GRADES, Ban
from service.queries import register as read

from . import case
from .registry import JobContext, topic


@topic("record_annual_result")
def record_annual_result(session: Session, job: JobContext) -> None:
    """Enter the confirmed result of a year."""
    sanctions.record_result(
        session,
        case.base(session, job),
        case.number(job, "year"),
        grade=case.text(job, "grade"),
        result=case.text(job, "result"),
        confirmed_on=clock.today(job.now),
        reason=case.text(job, "reason", ""),
        instance_id=job.instance_id,
    )


@topic("share_result")
def share_result(session: Session, job: JobContext) -> None:
    """Hand the result to the 专项's project review, for which it is an important reference (article 13)."""
    base, year, grade = case.base(session, job), case.number(job, "year"), case.text(job, "grade")
    register.note(
        session,
        "result_shared",
        f"{year} 年度考核结果（{GRADES.get(grade, grade)}）已供国家国际科技合作专项项目评审参考",
        f"The result of {year} ({grade}) was handed to the special programme's project review",
        authority_id=base.authority_id,
        base=base,
        instance_id=job.instance_id,
        data={"year": year, "grade": grade},
    )


@topic("record_commendation")
def record_commendation(session: Session, job: JobContext) -> None:
    """Record a commendation."""
    sanctions.commend(
        session,
        case.base(session, job),
        case.number(job, "year"),
        reason=case.text(job, "reason"),
        decided_on=clock.today(job.now),
        document=case.document(session, job),
        instance_id=job.instance_id,
    )


@topic("record_notice")
def record_notice(session: Session, job: JobContext) -> dict[str, Any]:
    """Record the 通报 with its document; say which later year has passed already, if one has."""
    document = case.document(session, job)
    base, year = case.base(session, job), case.number(job, "year")
    sanctions.reprimand(
        session,
        base,
        year,
        issued_on=document.issued_on if document else clock.today(job.now),
        document=document,
        instance_id=job.instance_id,
    )
    passed = [one["year"] for one in read.results(session, base) if one["year"] > year and one["result"] == "pass"]
    return {"notice": {"year": year, "passedIn": min(passed, default=None)}}


@topic("lift_notice")
def lift_notice(session: Session, job: JobContext) -> None:
    """End the state of being under notice of years before the one that passed (A5).

    Cases begun on a diagram that does not name that year go on as they began: every notice is lifted.
    """
    sanctions.lift_notices(
        session,
        case.base(session, job),
        on=case.day(job, "liftedOn", clock.today(job.now)),
        passed_year=case.number(job, "passedYear", None),
        instance_id=job.instance_id,
    )


@topic("record_violation")
def record_violation(session: Session, job: JobContext) -> None:
    """Put a finding on record with what came of it."""
    serious = case.value(job, "seriousness.serious", False) is True
    sanctions.record_violation(
        session,
        case.base(session, job),
        category=case.text(job, "seriousness.category", case.text(job, "finding.category")),
        serious=serious,
        facts=case.text(job, "finding.facts"),
        found_on=case.day(job, "finding.foundOn", clock.today(job.now)),
        committed_on=case.day(job, "finding.committedOn", None),
        outcome=case.header(job, "outcome"),
        instance_id=job.instance_id,
    )


@topic("revoke_base")
def revoke_base(session: Session, job: JobContext) -> None:
    """Take the qualification away. The register refuses it for a base that is not under notice."""
    sanctions.revoke(
        session,
        case.base(session, job),
        decided_on=case.day(job, "decidedOn", clock.today(job.now)),
        reason=case.text(job, "reason"),
        document=case.document(session, job),
        instance_id=job.instance_id,
    )


@topic("start_ban")
def start_ban(session: Session, job: JobContext) -> None:
    """Bar the legal entity for the term the table gives – with the units below it where the table says so (A11)."""
    base = case.base(session, job)
    unit = case.organisation(session, job, case.text(job, "applicant.code"))
    barred = [unit]
    if case.text(job, "ban.scope", "unit") == "group":
        barred += [one for one in _below(session, unit) if one.uscc and one.uscc != unit.uscc]
    for one in barred:
        sanctions.ban(
            session,
            one,
            start_on=case.day(job, "ban.startOn"),
            last_on=case.day(job, "ban.lastOn"),
            reason=f"“{base.name}”被取消国合基地资格",
            base=base,
            document=case.document(session, job),
            instance_id=job.instance_id,
        )


def _below(session: Session, unit: Organisation) -> list[Organisation]:
    """All organisations under one, however deep."""
    found: list[Organisation] = []
    layer = {unit.id}
    while layer:
        known = {unit.id, *(one.id for one in found)}
        next_ones = session.scalars(
            select(Organisation)
            .where(Organisation.parent_id.in_(layer), Organisation.id.not_in(known))
            .order_by(Organisation.code)
        ).all()
        found += next_ones
        layer = {one.id for one in next_ones}
    return found


@topic("release_ban")
def release_ban(session: Session, job: JobContext) -> None:
    """Close the file of the base's ban."""
    base = case.base(session, job)
    for banned in session.scalars(select(Ban).where(Ban.base_id == base.id, Ban.released_at.is_(None))):
        sanctions.release_ban(session, banned, at=job.now, instance_id=job.instance_id)
