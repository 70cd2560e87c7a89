"""What bases do: projects and their matching funds, inspections, foreign partners and plaques, talent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import errors
from service.models import Organisation, User
from service.models.register import Base, ForeignPlaque, Inspection, MatchingFund, Partner, Project, Talent

from .register import note

PLAQUE_STEPS = {
    "requested": ("请求外方认同", "Recognition abroad requested"),
    "recognised": ("外方政府主管部门已认同", "Recognised by the foreign authority"),
    "refused": ("外方未予认同", "Refused abroad"),
    "confirmed": ("经双边政府间科技合作机制确认", "Confirmed by the bilateral mechanism"),
    "placed": ("已在外方合作伙伴机构挂牌", "Plaque placed at the partner"),
    "ended": ("终止", "Ended"),
}


def add_project(
    session: Session,
    organisation: Organisation,
    *,
    number: str,
    name: str,
    programme: str,
    level: str,
    starts_on: date,
    ends_on: date | None = None,
    status: str = "ongoing",
    special: bool = False,
    partner: str = "",
    country: str = "",
    funding: Decimal | None = None,
    base: Base | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Project:
    """Enter an international project of an institution, and of its base where it has one."""
    if special and programme != "special":
        raise errors.InvalidInput(
            "只有国家国际科技合作专项的项目才能标记为“列入专项”。",
            "Only a project of the special programme can be listed in it.",
            field="special",
        )
    taken = select(Project.id).where(Project.authority_id == organisation.authority_id, Project.number == number)
    if session.scalar(taken) is not None:
        raise errors.Conflict(
            f"项目编号“{number}”已经登记。", f"The project “{number}” is already entered.", field="number"
        )
    project = Project(
        authority_id=organisation.authority_id,
        organisation_id=organisation.id,
        base_id=base.id if base else None,
        number=number,
        name=name,
        programme=programme,
        level=level,
        status=status,
        special=special,
        partner=partner,
        country=country,
        starts_on=starts_on,
        ends_on=ends_on,
        funding=funding,
        instance_id=instance_id,
    )
    session.add(project)
    session.flush()
    note(
        session,
        "project_added",
        f"登记国际科技合作项目：{name}",
        f"Project entered: {name}",
        authority_id=organisation.authority_id,
        base=base,
        organisation_id=organisation.id,
        instance_id=instance_id,
        user=user,
    )
    return project


def promise_funds(
    session: Session,
    project: Project,
    recommender: Organisation,
    *,
    promised: Decimal,
    due_on: date | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> MatchingFund:
    """Record what a recommender promises for a project of a base that is listed in the 专项 (article 16)."""
    if not project.special or project.base_id is None:
        raise errors.Conflict(
            "只有列入国家国际科技合作专项的基地项目需要经费匹配（第十六条）。",
            "Only a base's project listed in the special programme is matched (article 16).",
        )
    fund = MatchingFund(
        authority_id=project.authority_id,
        project_id=project.id,
        recommender_id=recommender.id,
        promised=promised,
        due_on=due_on,
        instance_id=instance_id,
    )
    session.add(fund)
    session.flush()
    note(
        session,
        "funds_promised",
        f"{recommender.name}承诺为“{project.name}”匹配经费 {promised} 万元",
        f"{recommender.name} promised {promised} ×10 000 CNY for “{project.name}”",
        authority_id=project.authority_id,
        base=session.get(Base, project.base_id),
        instance_id=instance_id,
        user=user,
    )
    return fund


def pay_funds(
    session: Session,
    fund: MatchingFund,
    *,
    paid: Decimal,
    paid_on: date,
    proof: Sequence[Mapping[str, Any]] = (),
    instance_id: int | None = None,
    user: User | None = None,
) -> MatchingFund:
    """Record what was paid so far. No ratio is tested (A31)."""
    fund.paid = paid
    fund.paid_on = paid_on
    fund.proof = [dict(one) for one in proof]
    project = fund.project
    note(
        session,
        "funds_paid",
        f"“{project.name}”匹配经费已到位 {paid} 万元",
        f"{paid} ×10 000 CNY paid for “{project.name}”",
        authority_id=fund.authority_id,
        base=session.get(Base, project.base_id) if project.base_id else None,
        instance_id=instance_id,
        user=user,
    )
    return fund


def inspect(
    session: Session,
    base: Base,
    recommender: Organisation,
    *,
    inspected_on: date,
    findings: str,
    project: Project | None = None,
    due_on: date | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Inspection:
    """Record a check by the recommender (article 11, item 3)."""
    made = Inspection(
        authority_id=base.authority_id,
        base_id=base.id,
        project_id=project.id if project else None,
        recommender_id=recommender.id,
        due_on=due_on,
        inspected_on=inspected_on,
        findings=findings,
        instance_id=instance_id,
    )
    session.add(made)
    note(
        session,
        "inspected",
        f"{recommender.name}监督检查" + (f"：{project.name}" if project else ""),
        f"Inspected by {recommender.name}",
        base=base,
        instance_id=instance_id,
        user=user,
    )
    return made


def add_partner(
    session: Session, base: Base, *, name: str, country: str, name_en: str = "", instance_id: int | None = None
) -> Partner:
    """Return a base's partner of this name; the first time, enter it."""
    partner = session.scalar(select(Partner).where(Partner.base_id == base.id, Partner.name == name))
    if partner is None:
        partner = Partner(
            authority_id=base.authority_id,
            base_id=base.id,
            name=name,
            name_en=name_en,
            country=country,
            instance_id=instance_id,
        )
        session.add(partner)
        session.flush()
    return partner


def request_plaque(
    session: Session,
    base: Base,
    partner: Partner,
    *,
    foreign_authority: str = "",
    remarks: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> ForeignPlaque:
    """Open the file on recognition abroad by one partner's authority (article 6(2)4)."""
    if base.type != "JC":
        raise errors.Conflict(
            "只有国际联合研究中心在外方挂牌（第六条第二项第4目）。",
            "Only joint research centres have plaques abroad (article 6(2)4).",
        )
    plaque = ForeignPlaque(
        authority_id=base.authority_id,
        base_id=base.id,
        partner_id=partner.id,
        status="requested",
        foreign_authority=foreign_authority,
        remarks=remarks,
        instance_id=instance_id,
    )
    session.add(plaque)
    session.flush()
    _note_plaque(session, base, partner, plaque, instance_id, user)
    return plaque


def move_plaque(
    session: Session,
    plaque: ForeignPlaque,
    status: str,
    *,
    on: date,
    mechanism: str = "",
    remarks: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> ForeignPlaque:
    """Take recognition abroad a step further. Nothing here touches the base's standing at home."""
    if status not in PLAQUE_STEPS:
        raise errors.InvalidInput(f"没有“{status}”这一步。", f"There is no step “{status}”.", field="status")
    plaque.status = status
    if status == "recognised":
        plaque.recognised_on = on
    elif status == "confirmed":
        plaque.confirmed_on, plaque.mechanism = on, mechanism
    elif status == "placed":
        plaque.placed_on = on
    else:
        plaque.ended_on = on
    if remarks:
        plaque.remarks = remarks
    base = session.get_one(Base, plaque.base_id)
    _note_plaque(session, base, plaque.partner, plaque, instance_id, user)
    return plaque


def _note_plaque(
    session: Session, base: Base, partner: Partner, plaque: ForeignPlaque, instance_id: int | None, user: User | None
) -> None:
    zh, en = PLAQUE_STEPS[plaque.status]
    note(
        session,
        f"plaque_abroad_{plaque.status}",
        f"外方挂牌（{partner.name}，{partner.country}）：{zh}",
        f"Plaque abroad ({partner.name_en or partner.name}, {partner.country}): {en}",
        base=base,
        instance_id=instance_id,
        user=user,
        public=plaque.status == "placed",
    )


def nominate_talent(
    session: Session,
    base: Base,
    *,
    name: str,
    nominated_on: date,
    country: str = "",
    field: str = "",
    remarks: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> Talent:
    """Nominate a person for the 国家引智计划 (article 17)."""
    talent = Talent(
        authority_id=base.authority_id,
        base_id=base.id,
        name=name,
        country=country,
        field=field,
        status="nominated",
        nominated_on=nominated_on,
        remarks=remarks,
        instance_id=instance_id,
    )
    session.add(talent)
    session.flush()
    note(
        session,
        "talent_nominated",
        "推荐重点人才纳入国家引智计划",
        "Nominated talent",
        base=base,
        instance_id=instance_id,
        user=user,
    )
    return talent


def decide_talent(
    session: Session,
    talent: Talent,
    *,
    supported: bool,
    decided_on: date,
    remarks: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> Talent:
    """Record whether the nomination was taken up."""
    talent.status = "supported" if supported else "declined"
    talent.decided_on = decided_on
    if remarks:
        talent.remarks = remarks
    note(
        session,
        f"talent_{talent.status}",
        "重点人才引进" + ("纳入国家引智计划支持" if supported else "未纳入"),
        "Talent " + talent.status,
        authority_id=talent.authority_id,
        base=session.get(Base, talent.base_id),
        instance_id=instance_id,
        user=user,
    )
    return talent
