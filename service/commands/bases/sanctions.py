"""What follows from assessment: yearly results, reprimand, violation, revocation, ban – and commendation.

The rules that decide (streak, grade, end of a ban, how long a notice lasts) are decision tables; here is only what
comes of them.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors
from service.models import Organisation, User
from service.models.register import (
    GRADES,
    AnnualReport,
    AnnualResult,
    Ban,
    Base,
    Commendation,
    Document,
    Notice,
    Sanction,
    Violation,
)

from .register import end, note


def record_report(
    session: Session,
    base: Base,
    year: int,
    *,
    status: str,
    filed_on: date | None = None,
    opinion: str = "",
    signatory: str = "",
    signed_on: date | None = None,
    accepted_on: date | None = None,
    content: dict | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> AnnualReport:
    """Record that a base's plan and summary of a year were accepted – or are overdue, until they come in late.

    An accepted report bears the recommender's signed opinion (article 14).
    """
    if status != "overdue" and not (opinion and signatory and signed_on):
        raise errors.InvalidInput(
            "年度报告须附推荐部门签署的意见。",
            "A yearly report needs the signed opinion of the recommender.",
            field="opinion",
        )
    report = session.scalar(select(AnnualReport).where(AnnualReport.base_id == base.id, AnnualReport.year == year))
    if report is None:
        report = AnnualReport(authority_id=base.authority_id, base_id=base.id, year=year, status=status)
        session.add(report)
    report.status = status
    report.filed_on = filed_on
    report.opinion = opinion
    report.signatory = signatory
    report.signed_on = signed_on
    report.accepted_on = accepted_on
    report.content = dict(content or {})
    report.instance_id = instance_id
    words = {
        "accepted": ("已接收", "accepted"),
        "late": ("逾期后补报并接收", "accepted late"),
        "overdue": ("逾期未报", "overdue"),
    }
    note(
        session,
        f"report_{status}",
        f"{year} 年度工作计划与总结{words[status][0]}",
        f"Plan and summary of {year} {words[status][1]}",
        base=base,
        instance_id=instance_id,
        user=user,
    )
    return report


def record_result(
    session: Session,
    base: Base,
    year: int,
    *,
    grade: str,
    result: str,
    confirmed_on: date,
    reason: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> AnnualResult:
    """Enter the confirmed result of a base's assessment of a year. A year has one result."""
    if grade not in GRADES:
        raise errors.InvalidInput(f"没有“{grade}”这个等级。", f"There is no grade “{grade}”.", field="grade")
    taken = select(AnnualResult.id).where(AnnualResult.base_id == base.id, AnnualResult.year == year)
    if session.scalar(taken) is not None:
        raise errors.Conflict(
            f"“{base.name}”{year} 年度已有考核结果。", f"“{base.name}” already has a result for {year}.", field="year"
        )
    entered = AnnualResult(
        authority_id=base.authority_id,
        base_id=base.id,
        year=year,
        grade=grade,
        result=result,
        confirmed_on=confirmed_on,
        reason=reason,
        instance_id=instance_id,
    )
    session.add(entered)
    note(
        session,
        "assessed",
        f"{year} 年度考核：{GRADES[grade]}",
        f"Assessment of {year}: {grade}",
        base=base,
        instance_id=instance_id,
        user=user,
        data={"year": year, "grade": grade, "result": result},
    )
    return entered


def commend(
    session: Session,
    base: Base,
    year: int,
    *,
    reason: str,
    decided_on: date,
    document: Document | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Commendation:
    """Record that the ministry commended a base."""
    made = Commendation(
        authority_id=base.authority_id,
        base_id=base.id,
        year=year,
        reason=reason,
        decided_on=decided_on,
        document_id=document.id if document else None,
        instance_id=instance_id,
    )
    session.add(made)
    note(
        session,
        "commended",
        f"{year} 年度受到表彰" + (f"（{document.number}）" if document else ""),
        f"Commended for {year}",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
    )
    return made


def reprimand(
    session: Session,
    base: Base,
    year: int,
    *,
    issued_on: date,
    document: Document | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Notice:
    """Record the 通报 of a base; a base and year has at most one."""
    taken = select(Notice.id).where(Notice.base_id == base.id, Notice.year == year)
    if session.scalar(taken) is not None:
        raise errors.Conflict(
            f"“{base.name}”{year} 年度已经通报过。", f"“{base.name}” was already reprimanded for {year}.", field="year"
        )
    notice = Notice(
        authority_id=base.authority_id,
        base_id=base.id,
        year=year,
        issued_on=issued_on,
        document_id=document.id if document else None,
        instance_id=instance_id,
    )
    session.add(notice)
    note(
        session,
        "reprimanded",
        "因连续三年考核不合格被通报" + (f"（{document.number}）" if document else ""),
        "Reprimanded after three failed years in a row",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
        data={"year": year},
    )
    return notice


def lift_notices(
    session: Session,
    base: Base,
    *,
    on: date,
    passed_year: int | None,
    instance_id: int | None = None,
    user: User | None = None,
) -> int:
    """End the notices of years before the one that passed; return how many there were.

    A pass that is confirmed late for an earlier year leaves the notice of a later one standing. Without a year every
    notice ends.
    """
    standing = select(Notice).where(Notice.base_id == base.id, Notice.lifted_on.is_(None))
    if passed_year is not None:
        standing = standing.where(Notice.year < passed_year)
    open_notices = session.scalars(standing).all()
    for notice in open_notices:
        notice.lifted_on = on
        note(
            session,
            "notice_lifted",
            f"{notice.year} 年度通报的状态自 {on} 起解除" + (f"（{passed_year} 年度考核合格）" if passed_year else ""),
            f"No longer under the notice of {notice.year} from {on} on"
            + (f", as {passed_year} passed" if passed_year else ""),
            base=base,
            instance_id=instance_id,
            user=user,
        )
    return len(open_notices)


def record_violation(
    session: Session,
    base: Base,
    *,
    category: str,
    serious: bool,
    facts: str,
    found_on: date,
    committed_on: date | None = None,
    outcome: str = "recorded",
    instance_id: int | None = None,
    user: User | None = None,
) -> Violation:
    """Put a finding on record, whatever comes of it."""
    violation = Violation(
        authority_id=base.authority_id,
        base_id=base.id,
        category=category,
        serious=serious,
        facts=facts,
        found_on=found_on,
        committed_on=committed_on,
        outcome=outcome,
        instance_id=instance_id,
    )
    session.add(violation)
    note(
        session,
        "violation",
        "违纪违规认定：" + ("严重" if serious else "一般"),
        "Violation found: " + ("serious" if serious else "not serious"),
        base=base,
        instance_id=instance_id,
        user=user,
        data={"category": category, "outcome": outcome},
    )
    return violation


def standing_notice(session: Session, base: Base) -> Notice | None:
    """The latest notice of the base that nobody lifted."""
    standing = select(Notice).where(Notice.base_id == base.id, Notice.lifted_on.is_(None))
    return session.scalar(standing.order_by(Notice.year.desc()).limit(1))


def under_notice(session: Session, base: Base) -> bool:
    """True where the base has a notice nobody lifted."""
    return standing_notice(session, base) is not None


def revoke(
    session: Session,
    base: Base,
    *,
    decided_on: date,
    reason: str,
    document: Document | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Sanction:
    """Take a base's qualification away. Only a base under notice can lose it (article 13)."""
    if base.status != "active":
        raise errors.Conflict(f"“{base.name}”已不是国合基地。", f"“{base.name}” is a base no longer.")
    if not under_notice(session, base):
        raise errors.Conflict(
            f"“{base.name}”目前不是被通报基地，不能取消资格（第十三条）。",
            f"“{base.name}” is not under notice, so its qualification cannot be revoked (article 13).",
            code="not_under_notice",
        )
    sanction = Sanction(
        authority_id=base.authority_id,
        base_id=base.id,
        kind="revocation",
        decided_on=decided_on,
        reason=reason,
        document_id=document.id if document else None,
        instance_id=instance_id,
    )
    session.add(sanction)
    end(session, base, "revoked", on=decided_on)
    note(
        session,
        "revoked",
        "取消国合基地资格" + (f"（{document.number}）" if document else ""),
        "Qualification revoked",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
        data={"reason": reason},
    )
    return sanction


def ban(
    session: Session,
    organisation: Organisation,
    *,
    start_on: date,
    last_on: date,
    reason: str = "",
    base: Base | None = None,
    document: Document | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Ban:
    """Bar a legal entity from applying for any type of base; its other bases stay."""
    if not organisation.uscc:
        raise errors.InvalidInput(
            f"“{organisation.name}”没有统一社会信用代码，无法登记禁申期。",
            f"“{organisation.name}” has no social credit code, so no ban can be entered.",
            field="uscc",
        )
    entered = Ban(
        authority_id=organisation.authority_id,
        uscc=organisation.uscc,
        organisation_id=organisation.id,
        base_id=base.id if base else None,
        start_on=start_on,
        last_on=last_on,
        reason=reason,
        document_id=document.id if document else None,
        instance_id=instance_id,
    )
    session.add(entered)
    note(
        session,
        "banned",
        f"{last_on} 以前（含当日）不得再次申请资格认定",
        f"May not apply again until {last_on} is over",
        authority_id=organisation.authority_id,
        base=base,
        organisation_id=organisation.id,
        instance_id=instance_id,
        user=user,
    )
    return entered


def release_ban(
    session: Session,
    banned: Ban,
    *,
    at: datetime | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Ban:
    """Note that a ban has run out. It ended by its date already; this closes the file."""
    if banned.released_at is None:
        banned.released_at = at or clock.now()
        note(
            session,
            "ban_ended",
            "禁申期届满",
            "The ban has run out",
            authority_id=banned.authority_id,
            base=session.get(Base, banned.base_id) if banned.base_id else None,
            organisation_id=banned.organisation_id,
            instance_id=instance_id,
            user=user,
        )
    return banned
