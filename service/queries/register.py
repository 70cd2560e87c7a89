"""Read the register: lists of bases with filters and paging, one base with its whole history, bans.

What the public may see of it is in ``queries/column.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from service import clock, permissions
from service.models import FIXED_PARTIES, CaseParty, Instance, Organisation, User
from service.models.register import (
    TYPES,
    Accreditation,
    AgendaItem,
    AllianceMember,
    AnnualReport,
    AnnualResult,
    Ban,
    Base,
    BaseField,
    ColumnArticle,
    Commendation,
    Document,
    FilingWindow,
    ForeignPlaque,
    ImplementationPlan,
    Inspection,
    MatchingFund,
    Notice,
    Partner,
    Plaque,
    Project,
    RecommenderLink,
    RegisterEvent,
    Sanction,
    Talent,
    Violation,
)

from .page import Page, size

PAGE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which bases a list shows. ``text`` is looked for in names, numbers and hosts; a recommender is today's."""

    type: str | None = None
    status: str | None = "active"
    region: str | None = None
    field: str | None = None
    year: int | None = None
    recommender_id: int | None = None
    host_id: int | None = None
    text: str | None = None


SORTS: dict[str, tuple[Any, ...]] = {
    "number": (Base.number,),
    "name": (Base.name, Base.number),
    "region": (Base.region, Base.number),
    "year": (Base.accredited_on.desc(), Base.number),
    "type": (Base.type, Base.number),
}


def bases(
    session: Session,
    authority_id: int,
    shown: Filter = Filter(),
    *,
    user: User | None = None,
    sort: str = "number",
    after: str | None = None,
    limit: int = PAGE,
) -> Page[Base]:
    """List bases of one authority's register, with host and recommender; with ``user`` only those they may see."""
    conditions = _conditions(authority_id, shown)
    if user is not None:
        conditions.append(seen_by(user))
    rows = select(Base).where(*conditions).options(joinedload(Base.host), selectinload(Base.fields))
    return _page(session, rows, conditions, sort, after, limit)


def _page(
    session: Session,
    rows: Select[Any],
    conditions: Sequence[ColumnElement[bool]],
    sort: str,
    after: str | None,
    limit: int,
) -> Page[Base]:
    limit = size(limit)
    start = int(after) if after and after.isascii() and after.isdigit() and len(after) < 10 else 0
    total = session.scalar(select(func.count()).select_from(Base).where(*conditions)) or 0
    order = SORTS.get(sort, SORTS["number"])
    items = session.scalars(rows.order_by(*order, Base.id).offset(start).limit(limit)).unique().all()
    following = start + limit
    return Page(items=list(items), total=total, next=str(following) if following < total else None)


def _conditions(authority_id: int, shown: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Base.authority_id == authority_id]
    for column, value in (
        (Base.type, shown.type),
        (Base.status, shown.status),
        (Base.region, shown.region),
        (Base.host_id, shown.host_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if shown.year is not None:
        if not 1 <= shown.year <= 9998:
            return [false()]
        conditions.append(Base.accredited_on.between(date(shown.year, 1, 1), date(shown.year, 12, 31)))
    if shown.field is not None:
        conditions.append(Base.id.in_(select(BaseField.base_id).where(BaseField.code == shown.field)))
    if shown.recommender_id is not None:
        conditions.append(Base.id.in_(_recommended_by([shown.recommender_id], clock.today())))
    if shown.text:
        like = "%" + shown.text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        hosts = select(Organisation.id).where(Organisation.name.ilike(like, escape="\\"))
        conditions.append(
            or_(Base.name.ilike(like, escape="\\"), Base.number.ilike(like, escape="\\"), Base.host_id.in_(hosts))
        )
    return conditions


def _recommended_by(organisation_ids: Sequence[int], on: date) -> Select[Any]:
    return select(RecommenderLink.base_id).where(RecommenderLink.organisation_id.in_(organisation_ids), _in_force(on))


def _in_force(on: date) -> ColumnElement[bool]:
    return and_(RecommenderLink.since <= on, or_(RecommenderLink.until.is_(None), RecommenderLink.until > on))


def seen_by(user: User) -> ColumnElement[bool]:
    """The bases of which a user may see more than the public: desks all, a recommender and a host their own."""
    desks = permissions.desk_authorities(user)
    ours = sorted({one.organisation_id for one in permissions.held(user) if one.party not in FIXED_PARTIES})
    return or_(
        Base.authority_id.in_(sorted(desks)) if desks else false(),
        Base.host_id.in_(ours) if ours else false(),
        Base.zone_id.in_(ours) if ours else false(),
        Base.id.in_(_recommended_by(ours, clock.today())) if ours else false(),
    )


def may_see(session: Session, user: User, base: Base) -> bool:
    """True where a user may see a base's file and not only what is public."""
    return session.scalar(select(Base.id).where(Base.id == base.id, seen_by(user))) is not None


# One base


@dataclass(frozen=True, slots=True)
class BaseFile:
    """Everything the register keeps on one base."""

    base: Base
    recommender: RecommenderLink | None
    links: Sequence[RecommenderLink]
    accreditations: Sequence[Accreditation]
    documents: Sequence[Document]
    plaques: Sequence[Plaque]
    plans: Sequence[ImplementationPlan]
    reports: Sequence[AnnualReport]
    results: Sequence[AnnualResult]
    commendations: Sequence[Commendation]
    notices: Sequence[Notice]
    violations: Sequence[Violation]
    sanctions: Sequence[Sanction]
    bans: Sequence[Ban]
    projects: Sequence[Project]
    funds: Sequence[MatchingFund]
    inspections: Sequence[Inspection]
    partners: Sequence[Partner]
    foreign_plaques: Sequence[ForeignPlaque]
    talents: Sequence[Talent]
    alliance: Sequence[AllianceMember]
    articles: Sequence[ColumnArticle]
    history: Sequence[RegisterEvent]


def find(session: Session, authority_id: int, number: str) -> Base | None:
    """A base by its number in one authority's register."""
    return session.scalar(select(Base).where(Base.authority_id == authority_id, Base.number == number))


def base_file(session: Session, base: Base) -> BaseFile:
    """The whole file of a base, newest first."""

    def rows(model: Any, *order: Any, options: Sequence[Any] = ()) -> Sequence[Any]:
        return session.scalars(select(model).where(model.base_id == base.id).order_by(*order).options(*options)).all()

    links = rows(RecommenderLink, RecommenderLink.since, options=[joinedload(RecommenderLink.organisation)])
    projects = rows(Project, Project.starts_on.desc())
    return BaseFile(
        base=base,
        recommender=recommender(session, base),
        links=links,
        accreditations=rows(
            Accreditation, Accreditation.decided_on.desc(), options=[joinedload(Accreditation.document)]
        ),
        documents=rows(Document, Document.issued_on.desc(), Document.id.desc()),
        plaques=rows(Plaque, Plaque.given_on.desc()),
        plans=rows(ImplementationPlan, ImplementationPlan.version.desc()),
        reports=rows(AnnualReport, AnnualReport.year.desc()),
        results=rows(AnnualResult, AnnualResult.year.desc()),
        commendations=rows(Commendation, Commendation.year.desc()),
        notices=rows(Notice, Notice.year.desc(), options=[joinedload(Notice.document)]),
        violations=rows(Violation, Violation.found_on.desc()),
        sanctions=rows(Sanction, Sanction.decided_on.desc(), options=[joinedload(Sanction.document)]),
        bans=rows(Ban, Ban.start_on.desc()),
        projects=projects,
        funds=session.scalars(
            select(MatchingFund)
            .where(MatchingFund.project_id.in_([project.id for project in projects]))
            .options(joinedload(MatchingFund.project), joinedload(MatchingFund.recommender))
            .order_by(MatchingFund.id)
        ).all(),
        inspections=rows(Inspection, Inspection.inspected_on.desc()),
        partners=rows(Partner, Partner.name),
        foreign_plaques=rows(ForeignPlaque, ForeignPlaque.id, options=[joinedload(ForeignPlaque.partner)]),
        talents=rows(Talent, Talent.nominated_on.desc()),
        alliance=rows(AllianceMember, AllianceMember.id.desc()),
        articles=rows(ColumnArticle, ColumnArticle.id.desc()),
        history=history(session, base),
    )


def history(session: Session, base: Base) -> Sequence[RegisterEvent]:
    """What happened to a base, newest first."""
    query = select(RegisterEvent).where(RegisterEvent.base_id == base.id)
    return session.scalars(query.order_by(RegisterEvent.at.desc(), RegisterEvent.id.desc())).all()


def recommender(session: Session, base: Base, on: date | None = None) -> RecommenderLink | None:
    """Who is the base's 推荐部门 on a day."""
    query = select(RecommenderLink).where(RecommenderLink.base_id == base.id, _in_force(on or clock.today()))
    return session.scalar(query.options(joinedload(RecommenderLink.organisation)).limit(1))


def results(session: Session, base: Base, *, until: int | None = None) -> list[dict[str, Any]]:
    """The yearly results of a base in the order of years, as decision tables read them."""
    query = select(AnnualResult).where(AnnualResult.base_id == base.id)
    if until is not None:
        query = query.where(AnnualResult.year <= until)
    return [
        {"year": one.year, "grade": one.grade, "result": one.result}
        for one in session.scalars(query.order_by(AnnualResult.year))
    ]


def notices(session: Session, base: Base) -> Sequence[Notice]:
    """The notices of a base, oldest first."""
    return session.scalars(select(Notice).where(Notice.base_id == base.id).order_by(Notice.year)).all()


# Bans


def active_ban(session: Session, authority_id: int, uscc: str, on: date) -> Ban | None:
    """The ban that bars a legal entity on a day (A8–A11), the one that lasts longest.

    The day it starts and its last day are both barred; it binds the entity, whatever name an application gives.
    """
    query = select(Ban).where(
        Ban.authority_id == authority_id,
        Ban.uscc == uscc.strip().upper(),
        Ban.start_on <= on,
        Ban.last_on >= on,
    )
    return session.scalar(query.order_by(Ban.last_on.desc(), Ban.id.desc()).limit(1))


def barred_until(session: Session, authority_id: int, usccs: Collection[str | None], on: date) -> dict[str, date]:
    """The last day of the ban of each legal entity that is barred on a day, by its code."""
    rows = session.execute(
        select(Ban.uscc, func.max(Ban.last_on))
        .where(
            Ban.authority_id == authority_id,
            Ban.uscc.in_([one for one in usccs if one]),
            Ban.start_on <= on,
            Ban.last_on >= on,
        )
        .group_by(Ban.uscc)
    )
    return {uscc: last_on for uscc, last_on in rows}  # noqa: C416 (rows are no pairs to mypy)


def is_banned(session: Session, authority_id: int, uscc: str, on: date) -> bool:
    """True where a legal entity may not apply on a day."""
    return active_ban(session, authority_id, uscc, on) is not None


# What tables and desks ask


def active_bases_of(session: Session, authority_id: int, uscc: str) -> Sequence[Base]:
    """The active bases of a legal entity, whichever of its organisations holds them."""
    return session.scalars(
        select(Base)
        .join(Organisation, Organisation.id == Base.host_id)
        .where(Base.authority_id == authority_id, Base.status == "active", Organisation.uscc == uscc)
        .order_by(Base.number)
    ).all()


def projects_of(session: Session, authority_id: int, uscc: str) -> Sequence[Project]:
    """The international projects of a legal entity, newest first."""
    return session.scalars(
        select(Project)
        .join(Organisation, Organisation.id == Project.organisation_id)
        .where(Project.authority_id == authority_id, Organisation.uscc == uscc)
        .order_by(Project.starts_on.desc(), Project.id)
    ).all()


def running_projects(session: Session, base: Base) -> list[dict[str, Any]]:
    """The projects of a base that are under way, as its yearly summary lists them."""
    query = select(Project).where(Project.base_id == base.id, Project.status == "ongoing")
    return [
        {"number": one.number, "name": one.name, "programme": one.programme}
        for one in session.scalars(query.order_by(Project.starts_on, Project.id))
    ]


def partners(session: Session, base: Base) -> list[dict[str, str]]:
    """The partners abroad that the register knows of a base, each once: of its own, then of its projects."""
    own = select(Partner.name, Partner.country).where(Partner.base_id == base.id).order_by(Partner.name)
    projects = select(Project.partner, Project.country).where(Project.base_id == base.id, Project.partner != "")
    found: dict[str, str] = {}
    for name, country in (*session.execute(own), *session.execute(projects.order_by(Project.starts_on, Project.id))):
        found.setdefault(name, country)
    return [{"name": name, "country": country} for name, country in found.items()]


def former_report(session: Session, base: Base, year: int) -> dict[str, Any] | None:
    """The plan and the summary that a base handed in last before a year, without their files; None: it never did."""
    found = session.scalar(
        select(AnnualReport)
        .where(AnnualReport.base_id == base.id, AnnualReport.year < year, AnnualReport.status.in_(("accepted", "late")))
        .order_by(AnnualReport.year.desc())
        .limit(1)
    )
    if found is None:
        return None
    plan, summary = (dict(found.content.get(name) or {}) for name in ("annualPlan", "annualSummary"))
    for one in (plan, summary):
        one.pop("files", None)
    return {"year": found.year, "plan": plan, "summary": summary}


def open_cases_of(session: Session, authority_id: int, uscc: str, *, before: int | None = None) -> Sequence[Instance]:
    """The running applications of a legal entity for any type of base, or those that are older than one case.

    A case of application carries the type in its number: ``DB-2026-0001``.
    """
    query = (
        select(Instance)
        .join(CaseParty, and_(CaseParty.instance_id == Instance.id, CaseParty.party == "applicant"))
        .join(Organisation, Organisation.id == CaseParty.organisation_id)
        .where(
            Instance.authority_id == authority_id,
            or_(*[Instance.number.startswith(f"{type}-") for type in TYPES]),
            Instance.ended_at.is_(None),
            Organisation.uscc == uscc,
        )
        .order_by(Instance.id)
    )
    if before is not None:
        query = query.where(Instance.id < before)
    return session.scalars(query).unique().all()


def agenda(session: Session, authority_id: int, province_id: int, year: int) -> Sequence[AgendaItem]:
    """What stands on a year's consultation between the ministry and a province."""
    return session.scalars(
        select(AgendaItem)
        .where(AgendaItem.authority_id == authority_id, AgendaItem.province_id == province_id, AgendaItem.year == year)
        .order_by(AgendaItem.id)
    ).all()


def filing_window(session: Session, authority_id: int, type: str, on: date) -> FilingWindow | None:
    """The filing period of a type that counts on a day: the one that is open, else the next, else the last one.

    None: no period was ever announced for the type, so it is open all year.
    """
    here = select(FilingWindow).where(FilingWindow.authority_id == authority_id, FilingWindow.type == type)
    still = here.where(FilingWindow.closes_on >= on).order_by(FilingWindow.opens_on, FilingWindow.id)
    gone = here.where(FilingWindow.closes_on < on).order_by(FilingWindow.closes_on.desc(), FilingWindow.id.desc())
    return session.scalar(still.limit(1)) or session.scalar(gone.limit(1))


@dataclass(frozen=True, slots=True)
class Layout:
    """How the active bases of a type lie over regions and fields."""

    total: int
    by_region: Sequence[tuple[str, int]]
    by_field: Sequence[tuple[str, int]]


def layout(session: Session, authority_id: int, type: str | None = None) -> Layout:
    """Count the active bases by region and by field, of one type or of all."""
    chosen = [Base.authority_id == authority_id, Base.status == "active"]
    if type is not None:
        chosen.append(Base.type == type)
    regions = session.execute(
        select(Base.region, func.count())
        .where(*chosen)
        .group_by(Base.region)
        .order_by(func.count().desc(), Base.region)
    ).all()
    fields = session.execute(
        select(BaseField.code, func.count())
        .join(Base, Base.id == BaseField.base_id)
        .where(*chosen)
        .group_by(BaseField.code)
        .order_by(func.count().desc(), BaseField.code)
    ).all()
    return Layout(
        sum(count for _, count in regions),
        [(region, count) for region, count in regions],
        [(code, count) for code, count in fields],
    )


def regions(session: Session, authority_id: int) -> list[str]:
    """The regions that have bases, for a filter."""
    query = select(Base.region).where(Base.authority_id == authority_id).distinct().order_by(Base.region)
    return list(session.scalars(query))


def shortfalls(session: Session, authority_id: int, on: date) -> Sequence[MatchingFund]:
    """Matching funds that were due and have not come in full."""
    return session.scalars(
        select(MatchingFund)
        .where(
            MatchingFund.authority_id == authority_id,
            MatchingFund.due_on < on,
            MatchingFund.paid < MatchingFund.promised,
        )
        .options(joinedload(MatchingFund.project), joinedload(MatchingFund.recommender))
        .order_by(MatchingFund.due_on)
    ).all()
