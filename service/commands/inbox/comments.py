"""Comments on a case: written for a circle of readers, naming people who are told so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from service import clock, errors, permissions
from service.commands.people import telling
from service.models import CaseParty, Comment, Instance, Membership, Organisation, Task, User
from service.models.comment import Audience

LONGEST = 4000
MOST_NAMED = 20
_MENTION = re.compile(r"[@＠]([\w.\-·]{1,40})")


def write(
    session: Session, instance_id: int, text: str, *, user: User, audience: str, task_id: int | None = None
) -> Comment:
    """Say something on a case. ``@name`` tells that person; whoever may not read it cannot be named."""
    instance = _seen(session, instance_id, user)
    if audience not in permissions.comment_audiences(user, instance, instance.parties):
        raise errors.Forbidden("您不能发表这个范围的意见。", "You may not write for these readers.")
    text = text.strip()
    if not text:
        raise errors.InvalidInput("请写下意见。", "Write something first.", field="text")
    if len(text) > LONGEST:
        raise errors.InvalidInput(
            f"意见最多 {LONGEST} 字，现有 {len(text)} 字。",
            f"A comment has at most {LONGEST} characters; this one has {len(text)}.",
            field="text",
        )
    named = mentioned(session, instance, text, audience)
    comment = Comment(
        authority_id=instance.authority_id,
        instance_id=instance.id,
        task_id=task_id,
        author_id=user.id,
        audience=cast(Audience, audience),
        text=text,
        created_at=clock.now(),
    )
    session.add(comment)
    session.flush()
    for one in named:
        if one.id != user.id:
            _tell(session, instance, one, user, text, task_id)
    return comment


def withdraw(session: Session, comment_id: int, *, user: User) -> Comment:
    """Take back what one has said: that it was said stays, its text is not shown any more."""
    comment = session.get(Comment, comment_id)
    if comment is None or comment.author_id != user.id:
        raise errors.NotFound()
    _seen(session, comment.instance_id, user)
    comment.withdrawn_at = comment.withdrawn_at or clock.now()
    session.flush()
    return comment


def mentioned(session: Session, instance: Instance, text: str, audience: str) -> list[User]:
    """The people a text names, by name or account. One who may not read it is refused by name."""
    after = [match.group(1) for match in _MENTION.finditer(text)]
    if not after:
        return []
    if len(after) > MOST_NAMED:
        raise errors.InvalidInput(
            f"一条意见最多提到 {MOST_NAMED} 次他人。",
            f"A comment names people {MOST_NAMED} times at most.",
            field="text",
        )
    # Chinese is written without blanks: the name is a beginning of what follows.
    beginnings = {word[:length] for word in after for length in range(1, len(word) + 1)}
    known = session.scalars(
        select(User).where(
            User.authority_id == instance.authority_id,
            User.active,
            or_(User.name.in_(beginnings), User.username.in_(beginnings)),
        )
    ).all()
    may_read = {one.id for one in readers(session, instance, audience)}
    found: dict[int, User] = {}
    for word in after:
        meant = sorted((one for one in known if _named(one, word)), key=lambda one: -_named(one, word))
        if not meant:
            continue
        allowed = [one for one in meant if one.id in may_read and _named(one, word) == _named(meant[0], word)]
        if not allowed:
            raise errors.InvalidInput(
                f"{meant[0].name}看不到这个范围的意见，不能被提到；请换一个范围。",
                f"{meant[0].name} may not read this comment, so it cannot name them; choose other readers.",
                field="text",
            )
        found.update({one.id: one for one in allowed})
    return list(found.values())


def _named(one: User, word: str) -> int:
    """How much of the word is this person's name."""
    return max((len(name) for name in (one.name, one.username) if word.startswith(name)), default=0)


def readers(session: Session, instance: Instance, audience: str) -> list[User]:
    """The people who read comments of this circle, by name: the desks, and the members of the parties it reaches."""
    of_case = session.scalars(select(CaseParty).where(CaseParty.instance_id == instance.id)).all()
    reached = [
        one
        for one in of_case
        if audience == "applicant" or (audience == "recommender" and one.party in permissions.RECOMMENDING)
    ]
    today = clock.today()
    rows = session.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            User.active,
            Organisation.authority_id == instance.authority_id,
            or_(
                *[Membership.role.startswith(f"{desk}.") for desk in sorted(permissions.DESKS)],
                *[
                    (Membership.organisation_id == one.organisation_id) & Membership.role.startswith(f"{one.party}.")
                    for one in reached
                ],
            ),
        )
        .options(selectinload(User.memberships))
        .distinct()
    ).all()
    return sorted((one for one in rows if any(m.holds(today) for m in one.memberships)), key=lambda one: one.name)


def readers_of(session: Session, instance_id: int, audiences: list[str]) -> list[User]:
    """Whom somebody who may write for these circles may name at all."""
    instance = session.get(Instance, instance_id)
    return readers(session, instance, audiences[-1]) if instance is not None and audiences else []


def _seen(session: Session, instance_id: int, user: User) -> Instance:
    instance = session.scalar(
        select(Instance)
        .where(Instance.id == instance_id, permissions.instances_seen_by(user))
        .options(selectinload(Instance.parties))
    )
    if instance is None:
        raise errors.NotFound()
    return instance


def _tell(session: Session, instance: Instance, one: User, by: User, text: str, task_id: int | None) -> None:
    said = " ".join(text.split())
    said = said if len(said) <= 80 else said[:80] + "…"
    task = session.get(Task, task_id) if task_id is not None else None
    telling.tell(
        session,
        one,
        "mention",
        f"{by.name}在案件 {instance.number} 的意见中提到了您：{said}",
        f"{by.name} mentioned you on case {instance.number}: {said}",
        instance=instance,
        task=task,
    )


def names(people: Iterable[User]) -> list[str]:
    """How people are named in a comment: by name, where two share one by account."""
    people = list(people)
    shared = {one.name for one in people if [other.name for other in people].count(one.name) > 1}
    return [one.username if one.name in shared else one.name for one in people]
