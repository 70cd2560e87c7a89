"""Tell people: a line in their bell, and mail to those who have an address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service import clock, english, mail
from service.commands.inbox import escalation
from service.commands.people import telling
from service.commands.procedures import deployments
from service.models import (
    CASE_PARTIES,
    FIXED_PARTIES,
    CaseParty,
    Instance,
    Membership,
    Organisation,
    Task,
    User,
)

from . import case
from .registry import JobContext, topic


@topic("notify")
def notify(session: Session, job: JobContext) -> None:
    """Tell the holders of roles in this case, or certain people, one notice each.

    Behind the timer of an overdue task it leads to that task, and the history of the case says who was told.
    """
    instance = case.instance_of(session, job)
    people = _named(session, job, instance)
    roles = [role.strip() for role in (job.headers.get("to") or case.text(job, "to", "")).split(",") if role.strip()]
    for role in roles:
        people |= {one.id: one for one in holders(session, instance, role, job)}
    title, text = case.text(job, "noteTitle"), case.text(job, "noteText", "")
    overdue = escalation.overdue_task(session, instance, job.id)
    for user in people.values():
        tell(session, instance, user, title, text, job, task=overdue)
    if overdue is not None and people:
        escalation.escalated(session, overdue, people.values())


def _named(session: Session, job: JobContext, instance: Instance) -> dict[int, User]:
    names = case.texts(job, "recipients", [])
    if not names:
        return {}
    found = session.scalars(
        select(User).where(User.authority_id == instance.authority_id, User.username.in_(names), User.active)
    )
    return {one.id: one for one in found}


def holders(session: Session, instance: Instance, role: str, job: JobContext) -> Iterable[User]:
    """The people who hold a role today in the organisation that plays its party in the case."""
    party = role.partition(".")[0]
    today = clock.today(job.now)
    if party in CASE_PARTIES:
        playing = select(CaseParty.organisation_id).where(
            CaseParty.instance_id == instance.id, CaseParty.party == party
        )
    elif party in FIXED_PARTIES:
        playing = select(Organisation.id).where(
            Organisation.authority_id == instance.authority_id, Organisation.code == party
        )
    else:
        return []
    return session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.role == role,
            Membership.organisation_id.in_(playing),
            User.active,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
        .order_by(User.id)
    ).all()


def tell(
    session: Session, instance: Instance, user: User, title: str, text: str, job: JobContext, task: Task | None = None
) -> None:
    """Tell a person of a case, as they chose to be told."""
    bundle = deployments.bundle(session, instance.deployment_id)
    say = bundle.english.of_process(instance.process_id)

    def decided(data: str) -> str:
        return english.listed(data, bundle.decided, say)

    title_en, text_en = (english.made_of(one, bundle.told, say, decided) for one in (title, text))
    telling.tell(
        session,
        user,
        "case",
        f"{title}：{text}" if text else title,
        f"{title_en}: {text_en}" if text else title_en,
        instance=instance,
        task=task,
        subject=(title, title_en),
        text=(text or title, text_en or title_en),
        base_url=job.settings.base_url,
    )


@topic("mail", outside=True)
def send_mail(job: JobContext) -> dict[str, Any]:
    """Send one message. Run again, it carries the same message id."""
    message = mail.compose(
        to=case.text(job, "to"),
        name=case.text(job, "name", ""),
        subject=case.text(job, "subject"),
        text=case.text(job, "text"),
        key=job.key,
        at=job.now,
        sender=job.settings.mail_from,
        english=case.text(job, "language", "zh") == "en",
    )
    mail.send(message, smtp_url=job.settings.smtp_url, mailbox=job.settings.mailbox)
    return {}
