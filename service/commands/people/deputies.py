"""Deputies: a person who will be absent names who stands in, or an administrator does it for them."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.commands.cases import history
from service.models import Deputy, ProcessDefinition, Role, User

from . import telling

LONGEST = timedelta(days=366)


def appoint(
    session: Session,
    principal: User,
    deputy: User,
    *,
    user: User,
    first_day: date,
    last_day: date,
    process_id: str | None = None,
    role: str | None = None,
    signs: bool = False,
    reason: str = "",
) -> Deputy:
    """Let ``deputy`` do the tasks of ``principal`` from the first day to the last, both included.

    Raises Forbidden to anybody but the principal and an administrator, and InvalidInput – naming the field – for a day
    that is past, a deputy who may not stand in, is absent too, or whose own deputy the principal is.
    """
    own = user.id == principal.id
    if not own and not permissions.may_administer(user, principal.authority_id):
        raise errors.Forbidden()
    if not own and not reason.strip():
        raise errors.InvalidInput(
            "替他人安排代理，请写明理由。", "Say why you arrange this for somebody else.", field="reason"
        )
    _days(first_day, last_day)
    _scope(session, principal, process_id, role)
    made = Deputy(
        authority_id=principal.authority_id,
        principal_id=principal.id,
        deputy_id=deputy.id,
        first_day=first_day,
        last_day=last_day,
        process_id=process_id or None,
        role=role or None,
        signs=signs,
        reason=reason.strip()[:500],
        created_at=clock.now(),
        created_by_id=user.id,
    )
    _suits(made, principal, deputy)
    _goes_round(session, principal, deputy, first_day, last_day)
    session.add(made)
    session.flush()
    session.expire(deputy, ["standing_in"])
    _note(session, made, principal, deputy, user, "deputy_appointed")
    days = f"{first_day:%Y-%m-%d} 至 {last_day:%Y-%m-%d}"
    _tell(session, deputy, f"{days}由您代理{principal.name}的任务。", f"You stand in for {principal.name}, {days}.")
    if not own:
        _tell(session, principal, f"{days}由{deputy.name}代理您的任务。", f"{deputy.name} stands in for you, {days}.")
    return made


def revoke(session: Session, deputy_id: int, *, user: User) -> Deputy:
    """End an arrangement at once. Tasks taken under it can no longer be handed in by the deputy."""
    found = session.get(Deputy, deputy_id)
    if found is None:
        raise errors.NotFound()
    if user.id != found.principal_id and not permissions.may_administer(user, found.authority_id):
        raise errors.Forbidden() if user.id == found.deputy_id else errors.NotFound()
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by_id = clock.now(), user.id
        session.flush()
        _note(session, found, found.principal, found.deputy, user, "deputy_revoked")
        name = found.principal.name
        _tell(session, found.deputy, f"您不再代理{name}的任务。", f"You no longer stand in for {name}.")
    return found


def _days(first_day: date, last_day: date) -> None:
    if first_day < clock.today():
        raise errors.InvalidInput("开始日期不能早于今天。", "The first day is past.", field="first_day")
    if last_day < first_day:
        raise errors.InvalidInput(
            "结束日期不能早于开始日期。", "The last day comes before the first.", field="last_day"
        )
    if last_day - first_day > LONGEST:
        raise errors.InvalidInput("代理期最长一年。", "Nobody stands in for more than a year.", field="last_day")


def _scope(session: Session, principal: User, process_id: str | None, role: str | None) -> None:
    if role and role not in {one.role for one in permissions.held(principal)}:
        known = session.get(Role, role)
        name = known.name_zh if known else role
        raise errors.InvalidInput(
            f"{principal.name}不担任“{name}”。", f"{principal.name} does not hold the role “{role}”.", field="role"
        )
    known_process = select(ProcessDefinition.id).where(
        ProcessDefinition.authority_id == principal.authority_id, ProcessDefinition.process_id == process_id
    )
    if process_id and session.scalar(known_process.limit(1)) is None:
        raise errors.InvalidInput(f"没有流程“{process_id}”。", f"There is no process “{process_id}”.", field="process")


def _suits(made: Deputy, principal: User, deputy: User) -> None:
    """Refuse who could do nothing in the principal's place, and say why."""
    if deputy.id == principal.id:
        raise errors.InvalidInput("不能由本人代理本人。", "Nobody stands in for themselves.", field="deputy")
    if not deputy.active or deputy.authority_id != principal.authority_id:
        raise errors.InvalidInput("此账号不可用。", "This account cannot be used.", field="deputy")
    made.principal = principal
    if permissions.lent(deputy, made):
        return
    parties = {one.party for one in permissions.held(principal)}
    if parties and parties <= permissions.PERSONAL:
        raise errors.InvalidInput(
            "专家评审和平台管理须由本人办理，不能委托代理。",
            "Expert opinions and the platform's administration are personal; nobody stands in for them.",
            field="deputy",
        )
    mine = permissions.parties(deputy)
    if not any((one.organisation_id, one.party) in mine for one in permissions.held(principal)):
        raise errors.InvalidInput(
            f"{deputy.name}与{principal.name}不在同一机构任职，不能代理。",
            f"{deputy.name} holds no office where {principal.name} does and cannot stand in.",
            field="deputy",
        )
    raise errors.InvalidInput(
        "按所选限制没有任何事项可以代理：签署类岗位须勾选“可代为签署”。",
        "Within these limits nothing could be done: tick signing for roles that sign.",
        field="signs",
    )


def _goes_round(session: Session, principal: User, deputy: User, first_day: date, last_day: date) -> None:
    """Refuse a deputy who is absent at that time – all the more where the way leads back to the principal."""
    at_the_time = session.scalars(
        select(Deputy).where(
            Deputy.authority_id == principal.authority_id,
            Deputy.revoked_at.is_(None),
            Deputy.first_day <= last_day,
            Deputy.last_day >= first_day,
        )
    ).all()
    reached, way = {deputy.id}, [deputy.id]
    while way:
        person = way.pop()
        for one in at_the_time:
            if one.principal_id == person and one.deputy_id not in reached:
                reached.add(one.deputy_id)
                way.append(one.deputy_id)
    if principal.id in reached:
        raise errors.InvalidInput(
            f"循环代理：同一时期{deputy.name}的任务（直接或辗转）由{principal.name}代理。",
            f"This goes round in a circle: {principal.name} stands in for {deputy.name} at that time.",
            field="deputy",
        )
    if len(reached) > 1:
        raise errors.InvalidInput(
            f"{deputy.name}在此期间也不在岗，已委托他人代理；代理不能转委托，请另选。",
            f"{deputy.name} is absent at that time, too, and cannot pass your tasks on; choose somebody else.",
            field="deputy",
        )


def _note(session: Session, made: Deputy, principal: User, deputy: User, user: User, kind: str) -> None:
    behalf = {"id": principal.id, "username": principal.username, "name": principal.name}
    data = {
        "deputy": deputy.username,
        "principal": principal.username,
        "first_day": made.first_day.isoformat(),
        "last_day": made.last_day.isoformat(),
        "process": made.process_id,
        "role": made.role,
        "signs": made.signs,
        **({"reason": made.reason} if made.reason else {}),
        **({"on_behalf_of": behalf} if user.id != principal.id else {}),
    }
    history.note_authority(session, made.authority_id, kind, user, data)


def _tell(session: Session, user: User, zh: str, en: str) -> None:
    telling.tell(session, user, "deputy", zh, en)


__all__ = ["appoint", "revoke"]
