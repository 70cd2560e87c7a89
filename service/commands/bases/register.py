"""The register of bases: enter a base, give it its document and plaque, change what is known, let it go.

Whatever is done leaves a line of history with the case that caused it. Nothing here rewrites whose subsidiary a
host is: accreditation leaves affiliation alone (article 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import clock, errors
from service.models import Organisation, User
from service.models.register import (
    FIELDS,
    TYPES,
    Accreditation,
    AllianceMember,
    Base,
    BaseField,
    Document,
    ForeignPlaque,
    ImplementationPlan,
    Plaque,
    RecommenderLink,
    RegisterEvent,
)

from . import documents

RULE_SET = "2011"
"""国家国际科技合作基地管理办法, dated 2011-07-29 (A29). Bases of the trial measures carry ``trial``."""


def note(
    session: Session,
    kind: str,
    zh: str,
    en: str,
    *,
    base: Base | None = None,
    authority_id: int | None = None,
    organisation_id: int | None = None,
    instance_id: int | None = None,
    user: User | None = None,
    public: bool = False,
    data: Mapping[str, Any] | None = None,
) -> RegisterEvent:
    """Write a line into the register's history: of a base, or of no base but an authority.

    ``public`` lines may be shown to everybody.
    """
    event = RegisterEvent(
        authority_id=base.authority_id if base else authority_id,
        base_id=base.id if base else None,
        organisation_id=base.host_id if base and organisation_id is None else organisation_id,
        at=clock.now(),
        kind=kind,
        text_zh=zh,
        text_en=en,
        public=public,
        data=dict(data or {}),
        instance_id=instance_id,
        user_id=user.id if user else None,
    )
    session.add(event)
    session.flush()
    return event


def register_base(
    session: Session,
    *,
    type: str,
    name: str,
    host: Organisation,
    recommender: Organisation,
    relation: str,
    fields: Iterable[str],
    decided_on: date,
    document: Document | None = None,
    zone: Organisation | None = None,
    rule_set: str = RULE_SET,
    number: str | None = None,
    region: str | None = None,
    summary: str = "",
    director: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> Base:
    """Enter a newly accredited base. The register is that of the host's authority and of no other (article 21)."""
    codes = _known_fields(fields)
    if type not in TYPES:
        raise errors.InvalidInput(f"没有“{type}”这种类型。", f"There is no type “{type}”.", field="type")
    for other in (recommender, zone):
        if other is not None and other.authority_id != host.authority_id:
            raise errors.InvalidInput(
                f"“{other.name}”不属于同一登记库。", f"“{other.name}” belongs to another register.", field="recommender"
            )
    base = Base(
        authority_id=host.authority_id,
        number=number or _base_number(session, host.authority_id, type, decided_on),
        name=name,
        type=type,
        status="active",
        host_id=host.id,
        zone_id=zone.id if zone else None,
        region=region or host.region or "",
        accredited_on=decided_on,
        accredited_under=rule_set,
        summary=summary,
        director=director,
        fields=[BaseField(code=code, authority_id=host.authority_id) for code in codes],
    )
    session.add(base)
    session.flush()
    session.add(
        Accreditation(
            authority_id=base.authority_id,
            base_id=base.id,
            type=type,
            decided_on=decided_on,
            rule_set=rule_set,
            document_id=document.id if document else None,
            instance_id=instance_id,
        )
    )
    if document is not None:
        document.base_id = base.id
    _link(session, base, recommender, relation, since=decided_on, instance_id=instance_id)
    note(
        session,
        "accredited",
        f"认定为{TYPES[type]}" + (f"（{document.number}）" if document else ""),
        "Accredited" + (f" ({document.number})" if document else ""),
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
        data={"number": base.number, "type": type, "ruleSet": rule_set},
    )
    return base


def change_recommender(
    session: Session,
    base: Base,
    recommender: Organisation,
    relation: str,
    *,
    since: date,
    instance_id: int | None = None,
    user: User | None = None,
) -> RecommenderLink:
    """Give a base another 推荐部门 from a day on; until then the former one stays responsible."""
    former = session.scalar(
        select(RecommenderLink).where(RecommenderLink.base_id == base.id, RecommenderLink.until.is_(None))
    )
    if former is not None:
        if since <= former.since:
            raise errors.InvalidInput(
                f"新的推荐部门应晚于 {former.since} 生效。",
                f"The new recommender has to start after {former.since}.",
                field="since",
            )
        former.until = since
    link = _link(session, base, recommender, relation, since=since, instance_id=instance_id)
    note(
        session,
        "recommender_changed",
        f"推荐部门自 {since} 起变更为{recommender.name}",
        f"Recommended by {recommender.name} from {since} on",
        base=base,
        instance_id=instance_id,
        user=user,
        data={"from": former.organisation_id if former else None, "to": recommender.id},
    )
    return link


def change_base(
    session: Session,
    base: Base,
    *,
    name: str | None = None,
    fields: Iterable[str] | None = None,
    region: str | None = None,
    host: Organisation | None = None,
    summary: str | None = None,
    director: str | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> Base:
    """Change what the register says about a base, and keep what it said before."""
    _active(base)
    before: dict[str, Any] = {}
    given: tuple[tuple[str, Any], ...] = (
        ("name", name), ("region", region), ("summary", summary), ("director", director),
    )  # fmt: skip
    for column, value in given:
        if value is not None and value != getattr(base, column):
            before[column] = getattr(base, column)
            setattr(base, column, value)
    if host is not None and host.id != base.host_id:
        before["host"] = base.host_id
        base.host_id = host.id
    if fields is not None:
        codes = _known_fields(fields)
        former = [one.code for one in base.fields]
        if sorted(former) != codes:
            before["fields"] = former
            base.fields = [one for one in base.fields if one.code in codes] + [
                BaseField(code=code, authority_id=base.authority_id) for code in codes if code not in former
            ]
    if before:
        session.flush()
        note(
            session,
            "changed",
            "变更登记事项：" + "、".join(_COLUMNS[column] for column in before),
            "Changed: " + ", ".join(before),
            base=base,
            instance_id=instance_id,
            user=user,
            data={"before": before},
        )
    return base


_COLUMNS = {
    "name": "名称",
    "region": "所在地区",
    "summary": "简介",
    "director": "基地主任",
    "host": "依托单位",
    "fields": "重点领域",
}


def adopt_plan(
    session: Session,
    base: Base,
    *,
    goals: str,
    effective_on: date,
    attachments: Sequence[Mapping[str, Any]] = (),
    instance_id: int | None = None,
    user: User | None = None,
) -> ImplementationPlan:
    """Keep the next version of a base's 实施方案."""
    last = session.scalar(
        select(ImplementationPlan.version)
        .where(ImplementationPlan.base_id == base.id)
        .order_by(ImplementationPlan.version.desc())
        .limit(1)
    )
    plan = ImplementationPlan(
        authority_id=base.authority_id,
        base_id=base.id,
        version=(last or 0) + 1,
        effective_on=effective_on,
        goals=goals,
        attachments=[dict(one) for one in attachments],
        instance_id=instance_id,
    )
    session.add(plan)
    note(
        session,
        "plan_adopted",
        f"实施方案第 {plan.version} 版自 {effective_on} 起执行",
        f"Implementation plan {plan.version} in force from {effective_on}",
        base=base,
        instance_id=instance_id,
        user=user,
    )
    return plan


def give_plaque(
    session: Session,
    base: Base,
    *,
    inscription: str,
    given_on: date,
    instance_id: int | None = None,
    user: User | None = None,
) -> Plaque:
    """Record that a base was given its plaque."""
    plaque = Plaque(
        authority_id=base.authority_id,
        base_id=base.id,
        inscription=inscription,
        given_on=given_on,
        instance_id=instance_id,
    )
    session.add(plaque)
    note(
        session,
        "plaque_given",
        f"授牌：{inscription}",
        f"Plaque given: {inscription}",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
    )
    return plaque


def leave(
    session: Session,
    base: Base,
    *,
    on: date,
    reason: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> Base:
    """Let a base go at its own wish. It ends, and nobody is banned (A27)."""
    _active(base)
    end(session, base, "exited", on=on)
    note(
        session,
        "exited",
        f"自愿退出国合基地（{on}）",
        f"Left of its own accord ({on})",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
        data={"reason": reason},
    )
    return base


def end(session: Session, base: Base, status: str, *, on: date) -> None:
    """Close a base: take back its plaques, here and abroad, and let it leave the alliance; its history stays."""
    base.status = status
    base.ended_on = on
    session.execute(
        update(Plaque).where(Plaque.base_id == base.id, Plaque.withdrawn_on.is_(None)).values(withdrawn_on=on)
    )
    session.execute(
        update(AllianceMember)
        .where(AllianceMember.base_id == base.id, AllianceMember.left_on.is_(None))
        .values(status="left", left_on=on)
    )
    session.execute(
        update(ForeignPlaque)
        .where(ForeignPlaque.base_id == base.id, ForeignPlaque.status.not_in(("refused", "ended")))
        .values(status="ended", ended_on=on)
    )
    session.flush()


def lock(session: Session, base_id: int) -> Base:
    """Take a base for this transaction."""
    base = session.scalar(select(Base).where(Base.id == base_id).with_for_update())
    if base is None:
        raise errors.NotFound("登记库中没有这个基地。", "The register has no such base.")
    return base


def _active(base: Base) -> None:
    if base.status != "active":
        raise errors.Conflict(f"“{base.name}”已不是国合基地。", f"“{base.name}” is a base no longer.")


def _link(
    session: Session, base: Base, recommender: Organisation, relation: str, *, since: date, instance_id: int | None
) -> RecommenderLink:
    if relation not in ("affiliation", "territory"):
        raise errors.InvalidInput(
            "推荐关系应为隶属或属地。", "A recommender is one by affiliation or by territory.", field="relation"
        )
    link = RecommenderLink(
        authority_id=base.authority_id,
        base_id=base.id,
        organisation_id=recommender.id,
        relation=relation,
        since=since,
        instance_id=instance_id,
    )
    session.add(link)
    session.flush()
    session.expire(base, ["recommenders"])
    return link


def _base_number(session: Session, authority_id: int, type: str, on: date) -> str:
    return f"{type}{on.year}{documents.next_number(session, authority_id, f'base:{type}:{on.year}'):03d}"


def _known_fields(fields: Iterable[str]) -> list[str]:
    codes = sorted(set(fields))
    unknown = [code for code in codes if code not in FIELDS]
    if unknown:
        raise errors.InvalidInput(
            f"没有“{unknown[0]}”这个重点领域。", f"There is no field “{unknown[0]}”.", field="fields"
        )
    return codes
