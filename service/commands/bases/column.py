"""What binds the bases together: the public column, the alliance, the consultation agenda, the coordination log."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.commands.cases import history
from service.commands.people import telling
from service.models import Instance, Organisation, User
from service.models.register import (
    AgendaItem,
    AllianceMember,
    Base,
    ColumnArticle,
    CoordinationNote,
    Document,
    RegisterEvent,
)

from .register import note

SECTIONS = {
    "overview": "基地概况",
    "notices": "通知通告",
    "policy": "政策法规",
    "news": "基地动态",
    "management": "基地管理",
    "cooperation": "合作信息",
}


def publish_article(
    session: Session,
    *,
    authority_id: int,
    section: str,
    title: str,
    body: str,
    base: Base | None = None,
    document: Document | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> ColumnArticle:
    """Put an article into the public column (article 19). From now on everybody can read it."""
    if section not in SECTIONS:
        raise errors.InvalidInput(
            f"专栏没有“{section}”栏目。", f"The column has no section “{section}”.", field="section"
        )
    article = ColumnArticle(
        authority_id=authority_id,
        section=section,
        title=title,
        body=body,
        base_id=base.id if base else None,
        document_id=document.id if document else None,
        published_at=clock.now(),
        instance_id=instance_id,
    )
    session.add(article)
    session.flush()
    note(
        session,
        "published",
        f"专栏发布（{SECTIONS[section]}）：{title}",
        f"Published in the column: {title}",
        authority_id=authority_id,
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
    )
    return article


def withdraw_article(session: Session, article: ColumnArticle, *, reason: str, user: User) -> ColumnArticle:
    """Take an article out of the column, for a reason that register, case and audit keep; the row stays.

    Whoever began the case that published it is told. Raises Forbidden for anybody but the column's editors,
    InvalidInput without a reason, and Conflict while the case is still at work: it counts on what it has published.
    """
    if not permissions.may_edit_column(user, article.authority_id):
        raise errors.Forbidden(
            "只有专栏编辑可以撤下文章。", "Only an editor of the column takes articles out of it.", code="not_an_editor"
        )
    reason = reason.strip()
    if not reason:
        raise errors.InvalidInput("请写明撤下的理由。", "Give the reason for withdrawing it.", field="reason")
    instance = session.get(Instance, article.instance_id) if article.instance_id else None
    if instance is not None and instance.ended_at is None:
        raise errors.Conflict(
            f"发布这篇文章的案件 {instance.number} 还在办理，不能撤下。",
            f"Case {instance.number}, which published this, is still at work: the article stays.",
        )
    article.withdrawn_at = clock.now()
    published = f"：{article.title}"
    for event in session.scalars(
        select(RegisterEvent).where(
            RegisterEvent.authority_id == article.authority_id,
            RegisterEvent.kind == "published",
            RegisterEvent.public,
            RegisterEvent.instance_id == article.instance_id
            if article.instance_id
            else RegisterEvent.instance_id.is_(None),
            RegisterEvent.text_zh.endswith(published, autoescape=True),
        )
    ):
        event.public = False
    note(
        session,
        "withdrawn",
        f"专栏撤下：{article.title}。理由：{reason}",
        f"Withdrawn from the column: {article.title}. Reason: {reason}",
        authority_id=article.authority_id,
        base=session.get(Base, article.base_id) if article.base_id else None,
        instance_id=article.instance_id,
        user=user,
    )
    data = {"article": article.id, "title": article.title, "reason": reason}
    if instance is not None:
        history.note(session, instance, "article_withdrawn", user, data)
        if instance.started_by is not None:
            telling.tell(
                session,
                instance.started_by,
                "case",
                f"“{article.title}”已从专栏撤下。理由：{reason}",
                f"“{article.title}” was withdrawn from the column. Reason: {reason}",
                instance=instance,
            )
    else:
        history.note_authority(session, article.authority_id, "article_withdrawn", user, data)
    return article


def invite_to_alliance(
    session: Session, base: Base, *, on: date, instance_id: int | None = None, user: User | None = None
) -> AllianceMember:
    """Invite a base into the alliance (article 18); one that is in it or invited stays as it is."""
    member = session.scalar(
        select(AllianceMember).where(
            AllianceMember.base_id == base.id, AllianceMember.status.in_(("invited", "member"))
        )
    )
    if member is not None:
        return member
    member = AllianceMember(
        authority_id=base.authority_id, base_id=base.id, status="invited", invited_on=on, instance_id=instance_id
    )
    session.add(member)
    note(
        session,
        "alliance_invited",
        "受邀加入国合基地联盟",
        "Invited into the alliance of bases",
        base=base,
        instance_id=instance_id,
        user=user,
    )
    return member


def answer_invitation(
    session: Session,
    base: Base,
    *,
    joins: bool,
    on: date,
    working_group: str = "",
    representative: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> AllianceMember:
    """Record that a base joins the alliance – in which working group, represented by whom – or rather not."""
    member = invite_to_alliance(session, base, on=on, instance_id=instance_id, user=user)
    member.working_group, member.representative = working_group, representative
    member.status = "member" if joins else "declined"
    member.joined_on = on if joins else None
    note(
        session,
        "alliance_joined" if joins else "alliance_declined",
        "加入国合基地联盟" if joins else "暂不加入国合基地联盟",
        "Joined the alliance" if joins else "Did not join the alliance",
        base=base,
        instance_id=instance_id,
        user=user,
        public=joins,
    )
    return member


def leave_alliance(
    session: Session, base: Base, *, on: date, instance_id: int | None = None, user: User | None = None
) -> AllianceMember:
    """Record that a base leaves the alliance."""
    member = session.scalar(
        select(AllianceMember).where(AllianceMember.base_id == base.id, AllianceMember.status == "member")
    )
    if member is None:
        raise errors.Conflict(f"“{base.name}”不是联盟成员。", f"“{base.name}” is no member of the alliance.")
    member.status, member.left_on = "left", on
    note(
        session,
        "alliance_left",
        "退出国合基地联盟",
        "Left the alliance",
        base=base,
        instance_id=instance_id,
        user=user,
        public=True,
    )
    return member


def list_on_agenda(
    session: Session,
    province: Organisation,
    *,
    year: int,
    title: str,
    listed_on: date,
    park: Organisation | None = None,
    record_number: str = "",
    instance_id: int | None = None,
    user: User | None = None,
) -> AgendaItem:
    """Put the co-building of a park on a year's ministry–province consultation (article 5(2)1)."""
    item = AgendaItem(
        authority_id=province.authority_id,
        province_id=province.id,
        year=year,
        title=title,
        park_id=park.id if park else None,
        listed_on=listed_on,
        record_number=record_number,
        instance_id=instance_id,
    )
    session.add(item)
    session.flush()
    note(
        session,
        "agenda_listed",
        f"列入 {year} 年度部省会商议题：{title}",
        f"On the agenda of the consultation of {year}: {title}",
        authority_id=province.authority_id,
        organisation_id=park.id if park else province.id,
        instance_id=instance_id,
        user=user,
    )
    return item


def note_coordination(
    session: Session,
    organisation: Organisation,
    *,
    level: str,
    noted_on: date,
    issue: str,
    action: str = "",
    base: Base | None = None,
    instance_id: int | None = None,
    user: User | None = None,
) -> CoordinationNote:
    """Add to the log of the national, regional or sectoral mechanism (articles 10.2 and 11.2)."""
    made = CoordinationNote(
        authority_id=organisation.authority_id,
        organisation_id=organisation.id,
        level=level,
        noted_on=noted_on,
        issue=issue,
        action=action,
        instance_id=instance_id,
    )
    session.add(made)
    note(
        session,
        "coordination",
        f"协调记录：{issue}",
        f"Coordination: {issue}",
        authority_id=organisation.authority_id,
        base=base,
        organisation_id=organisation.id,
        instance_id=instance_id,
        user=user,
    )
    return made
