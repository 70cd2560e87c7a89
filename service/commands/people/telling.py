"""Tell people: in their bell, by mail at once, or in one mail on the next working morning – as each has chosen.

Reminders before and after a task is due count working days. Every mail is a job: a mail server that is down means
another try, later each time, and an incident only at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from service import clock, errors, permissions, wording, workdays
from service.commands.cases import jobs
from service.commands.cases.difference import table_of
from service.models import (
    Deputy,
    Exclusion,
    Instance,
    Membership,
    NoticeSetting,
    Notification,
    Reminder,
    ReminderPolicy,
    Task,
    TaskCandidate,
    User,
)

KINDS: dict[str, tuple[bool, str]] = {
    "case": (True, "at_once"),
    "assigned": (True, "at_once"),
    "mention": (True, "at_once"),
    "urged": (True, "at_once"),
    "offered": (False, "digest"),
    "due": (True, "digest"),
    "deputy": (True, "at_once"),
    "export": (True, "never"),
}
"""Kinds of notices, and what somebody gets who never chose: in the bell, and by mail."""
BEFORE, AFTER = (3, 1), (1, 5)
MORNING = time(8, 30)
MAIL_RETRIES = 8
MOST = 200
"""So many tasks are reminded of in one round at most, and so many people told of one."""
OFFERED = 0
"""The mark in ``Reminder.days`` of a task that its group has been told of."""
NEW = timedelta(days=1)
"""A task that nobody was told of for so long is no news."""
OUT_OF_ORDER = 5000
"""So many ids back a task may still appear, because its transaction took longer than others."""
LISTED = 20
"""So many offered tasks are named in one digest; the rest are counted."""


def tell(
    session: Session,
    user: User,
    kind: str,
    zh: str,
    en: str,
    *,
    instance: Instance | None = None,
    task: Task | None = None,
    path: str | None = None,
    subject: tuple[str, str] = ("", ""),
    text: tuple[str, str] = ("", ""),
    base_url: str = "",
) -> None:
    """Tell one person of something, as they chose for its kind. Subject and text of the mail are Chinese, English."""
    setting = session.get(NoticeSetting, (user.id, kind))
    bell, mail = (setting.bell, setting.mail) if setting else KINDS[kind]
    digest = mail == "digest" and bool(user.email)
    base_url = base_url or session.info.get("base_url", "")
    if bell or digest:
        session.add(
            Notification(
                user_id=user.id,
                instance_id=instance.id if instance else None,
                task_id=task.id if task else None,
                path=path,
                kind=kind,
                text_zh=zh,
                text_en=en,
                created_at=clock.now(),
                read_at=None if bell else clock.now(),
                digest_at=morning(clock.now()) if digest else None,
            )
        )
    if mail == "at_once" and user.email:
        english = user.locale == "en"
        said = text[english] or (en if english else zh)
        lines = [_greeting(user), "", said, ""]
        if instance is not None:
            title = wording.both(session, instance, None, "")[1] if english else instance.title
            lines += [
                f"Case: {instance.number} {title}" if english else f"案件：{instance.number} {title}",
                f"{base_url}{f'/tasks/{task.id}' if task else f'/cases/{instance.id}'}" if base_url else "",
            ]
        number = f"[{instance.number}] " if instance is not None else ""
        post(
            session,
            user,
            f"{number}{subject[english] or said}",
            "\n".join(lines),
            instance_id=instance.id if instance else None,
        )


def _greeting(user: User) -> str:
    return f"{user.name}," if user.locale == "en" else f"{user.name}："


def post(session: Session, user: User, subject: str, text: str, *, instance_id: int | None = None) -> int:
    """Queue one mail."""
    return jobs.add(
        session,
        "mail",
        authority_id=user.authority_id,
        topic="mail",
        instance_id=instance_id,
        retries=MAIL_RETRIES,
        payload={
            "to": user.email,
            "name": user.name,
            "subject": subject[:150],
            "text": text,
            "language": user.locale,
        },
    )


def morning(after: datetime) -> datetime:
    """The next working morning."""
    day = clock.today(after)
    at = datetime.combine(day, MORNING, clock.CHINA)
    if not workdays.is_workday(day) or at <= after:
        at = datetime.combine(workdays.add(day, 1), MORNING, clock.CHINA)
    return at


def choose(session: Session, user: User, chosen: Mapping[str, tuple[bool, str]]) -> None:
    """Keep what a person wants to hear of each kind. Raises InvalidInput for a way that does not exist."""
    for kind, (bell, mail) in chosen.items():
        if kind not in KINDS or mail not in ("at_once", "digest", "never"):
            raise errors.InvalidInput("没有这种通知方式。", "There is no such way of being told.", field=kind)
        session.merge(NoticeSetting(user_id=user.id, kind=kind, bell=bell, mail=mail))
    session.flush()


def chosen(session: Session, user: User) -> dict[str, tuple[bool, str]]:
    """What a person wants to hear, kind by kind."""
    rows = session.scalars(select(NoticeSetting).where(NoticeSetting.user_id == user.id))
    return {**KINDS, **{row.kind: (row.bell, row.mail) for row in rows if row.kind in KINDS}}


def digest(session: Session, *, base_url: str = "", now: datetime | None = None) -> int:
    """Send what waits for the morning, one mail a person; how many."""
    now = now or clock.now()
    due = session.scalars(
        select(Notification.user_id)
        .where(Notification.digest_at.is_not(None), Notification.digest_at <= now)
        .distinct()
        .limit(MOST)
    ).all()
    for user_id in due:
        waiting = session.scalars(
            select(Notification)
            .where(Notification.user_id == user_id, Notification.digest_at <= now)
            .order_by(Notification.id)
            .with_for_update(skip_locked=True)
        ).all()
        user = session.get_one(User, user_id)
        if waiting and user.active and user.email:
            english = user.locale == "en"
            lines = _lines(session, waiting, english)
            if lines:
                subject = f"Guohe: {len(lines)} notices" if english else f"国合平台通知（{len(lines)} 条）"
                post(session, user, subject, "\n".join([_greeting(user), "", *lines, "", f"{base_url}/inbox"]))
        for one in waiting:
            one.digest_at = None
    session.flush()
    return len(due)


def _lines(session: Session, waiting: Iterable[Notification], english: bool) -> list[str]:
    """What a digest says; of offered tasks those that still wait, the first by name and the rest counted."""
    others = [one for one in waiting if one.kind != "offered"]
    offered = [one for one in waiting if one.kind == "offered"]
    still = set(
        session.scalars(
            select(Task.id).where(
                Task.id.in_([one.task_id for one in offered]), Task.status == "open", Task.assignee_id.is_(None)
            )
        )
    )
    offered = [one for one in offered if one.task_id in still]
    lines = [f"· {one.text_en if english else one.text_zh}" for one in [*others, *offered[:LISTED]]]
    if (more := len(offered) - LISTED) > 0:
        lines.append(f"· {more} more tasks wait for your groups." if english else f"· 另有 {more} 项任务待领取。")
    return lines


def announce(session: Session, authority_id: int, *, base_url: str = "", now: datetime | None = None) -> int:
    """Tell the people of its groups of each task that is new and that nobody has taken, once; how many tasks."""
    now = now or clock.now()
    told = select(Reminder.task_id).where(Reminder.task_id == Task.id, Reminder.days == OFFERED)
    # By id, not by time: of a million open tasks only the latest are looked at. Ids may appear out of their order.
    latest = session.scalar(select(func.max(Reminder.task_id)).where(Reminder.days == OFFERED))
    if latest is None:
        latest = session.scalar(select(func.max(Task.id))) or 0
    fresh = session.scalars(
        select(Task)
        .join(Instance, Instance.id == Task.instance_id)
        .where(
            Task.id > latest - OUT_OF_ORDER,
            Task.authority_id == authority_id,
            Task.status == "open",
            Task.assignee_id.is_(None),
            Task.created_at > now - NEW,
            Instance.status.in_(("active", "incident")),
            ~told.exists(),
        )
        .order_by(Task.id)
        .limit(MOST)
    ).all()
    for task in fresh:
        _mark(session, task, {OFFERED}, now)
        name, title = wording.both(session, task.instance, task.process_id, task.name)
        zh = f"新任务“{task.name}”待领取（{task.instance.number} {task.instance.title}）。"
        en = f"The task “{name}” is new and waits for somebody ({task.instance.number} {title})."
        for person in people(session, task, now):
            tell(session, person, "offered", zh, en, instance=task.instance, task=task, base_url=base_url)
    session.flush()
    return len(fresh)


# Reminders


def policy(session: Session, authority_id: int) -> tuple[list[int], list[int]]:
    """How many working days before and after a task is due its people are reminded."""
    row = session.get(ReminderPolicy, authority_id)
    return (list(row.before), list(row.after)) if row else (list(BEFORE), list(AFTER))


def set_policy(session: Session, before: Iterable[int], after: Iterable[int], *, user: User) -> None:
    """Change it. Raises InvalidInput for what is no number of days from 1 to 60."""
    if not permissions.may_administer(user, user.authority_id):
        raise errors.Forbidden()
    lists = {"before": sorted(set(before), reverse=True), "after": sorted(set(after))}
    for name, days in lists.items():
        if any(not 1 <= day <= 60 for day in days) or len(days) > 10:
            raise errors.InvalidInput(
                "天数应为 1 到 60 之间的整数，最多十个。", "Give at most ten whole numbers from 1 to 60.", field=name
            )
    session.merge(
        ReminderPolicy(authority_id=user.authority_id, changed_at=clock.now(), changed_by_id=user.id, **lists)
    )
    session.flush()


def remind(session: Session, authority_id: int, *, base_url: str = "", now: datetime | None = None) -> int:
    """Remind of tasks that are due soon, or late, on a working day; each stage once, the nearest only."""
    now = now or clock.now()
    today = clock.today(now)
    if not workdays.is_workday(today) or now.astimezone(clock.CHINA).time() < MORNING:
        return 0
    before, after = policy(session, authority_id)
    stages = [(-days, now, _end(workdays.add(today, days))) for days in sorted(before)]
    stages += [
        (days, now - timedelta(days=90), _end(workdays.add(today, -days))) for days in sorted(after, reverse=True)
    ]
    told = 0
    for days, since, until in stages:
        for task in _due(session, authority_id, days, since, until):
            told += 1
            if days < 0:
                marks = {-one for one in before if one >= -days}
            else:
                marks = {one for one in after if one <= days} | {-one for one in before}
            _mark(session, task, marks, now)
            for person in people(session, task, now):
                _remind(session, task, person, days, base_url)
    session.flush()
    return told


def _end(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), clock.CHINA)


def _due(session: Session, authority_id: int, days: int, since: datetime, until: datetime) -> list[Task]:
    given = select(Reminder.task_id).where(Reminder.task_id == Task.id, Reminder.days == days)
    return list(
        session.scalars(
            select(Task)
            .join(Instance, Instance.id == Task.instance_id)
            .where(
                Task.authority_id == authority_id,
                Task.status == "open",
                Task.due_sort > since,
                Task.due_sort <= until,
                Instance.status.in_(("active", "incident")),
                ~given.exists(),
            )
            .order_by(Task.due_sort, Task.id)
            .limit(MOST)
        )
    )


def _mark(session: Session, task: Task, days: Iterable[int], now: datetime) -> None:
    known = set(session.scalars(select(Reminder.days).where(Reminder.task_id == task.id)))
    rows = [{"task_id": task.id, "days": one, "sent_at": now} for one in sorted(set(days) - known)]
    if rows:
        session.execute(insert(table_of(Reminder)), rows)


def _remind(session: Session, task: Task, person: User, days: int, base_url: str) -> None:
    instance = task.instance
    due = task.due_at.astimezone(clock.CHINA) if task.due_at else None
    day = f"{due:%Y-%m-%d}" if due else ""
    name, title = wording.both(session, instance, task.process_id, task.name)
    if days < 0:
        zh = f"“{task.name}”将于 {day} 到期（{instance.number} {instance.title}）。"
        en = f"“{name}” is due on {day} ({instance.number} {title})."
    else:
        zh = f"“{task.name}”已逾期，期限为 {day}（{instance.number} {instance.title}）。"
        en = f"“{name}” was due on {day} and is late ({instance.number} {title})."
    tell(session, person, "due", zh, en, instance=instance, task=task, base_url=base_url)


def people(session: Session, task: Task, now: datetime) -> list[User]:
    """Whose task it is: its holder and who stands in for them, else everybody it is offered to."""
    today = clock.today(now)
    if task.assignee_id is not None:
        holders = session.scalars(select(User).where(User.id == task.assignee_id, User.active)).all()
        standing = select(Deputy.deputy_id).where(
            Deputy.principal_id == task.assignee_id,
            Deputy.revoked_at.is_(None),
            Deputy.first_day <= today,
            Deputy.last_day >= today,
        )
        deputies = session.scalars(select(User).where(User.id.in_(standing), User.active)).all()
        return [*holders, *(one for one in deputies if permissions.appointment(one, task, task.candidates))]
    by_role = (
        select(Membership.user_id)
        .join(
            TaskCandidate,
            (TaskCandidate.organisation_id == Membership.organisation_id) & (TaskCandidate.role == Membership.role),
        )
        .where(
            TaskCandidate.task_id == task.id,
            or_(Membership.since.is_(None), Membership.since <= today),
            or_(Membership.until.is_(None), Membership.until > today),
        )
    )
    by_name = select(TaskCandidate.user_id).where(TaskCandidate.task_id == task.id)
    away = select(Exclusion.user_id).where(Exclusion.task_id == task.id, Exclusion.user_id.is_not(None))
    found = session.scalars(
        select(User)
        .where(or_(User.id.in_(by_role), User.id.in_(by_name)), User.active, User.id.not_in(away))
        .order_by(User.id)
        .limit(MOST)
    )
    return list(found)
