"""How far a case is and how a deadline is counted, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.commands.cases import clocks, outlook
from service.models import Instance, Task
from service.queries import progress

from . import i18n, show

if TYPE_CHECKING:
    from service.models import User


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a deadline stands, and how it came about, one sentence a step."""

    text: str
    steps: list[str]


def course(session: Session, user: User, instance_id: int) -> str | None:
    """第 4 步，共 9 步：专家评审中，预计 2026-05-12 前后办结。 None where the diagram has no such steps."""
    diagrams = progress.progress(session, user, instance_id)
    instance = session.get(Instance, instance_id)
    if not diagrams or instance is None:
        return None
    if instance.ended_at is not None:
        return None
    states: dict[str, str] = dict(diagrams[0].elements)
    found = outlook.course(session, instance, states)
    if found is None:
        return None
    where = {"n": found.number, "total": found.total, "name": found.name}
    if found.expected is None:
        return _("第 %(n)s 步，共 %(total)s 步：%(name)s", **where)
    return _("第 %(n)s 步，共 %(total)s 步：%(name)s，预计 %(day)s 前后办结", day=show.day(found.expected), **where)


def clock(session: Session, task: Task) -> Clock | None:
    """The working-day clock of a task with its calculation; None where it has no deadline."""
    found = clocks.of_task(session, task)
    if found is None:
        return None
    explained, stood = found
    steps = [
        _("%(day)s 到达本环节，当日为第 0 日。", day=show.day(explained.start)),
        _("期限 %(n)s 个工作日（按国务院办公厅公布的放假调休安排）。", n=explained.total),
    ]
    for begin, end in stood:
        steps.append(_("%(begin)s 至 %(end)s 退回在外，停止计算。", begin=show.day(begin), end=show.day(end)))
    if explained.free:
        steps.append(_("其间放假：%(days)s。", days="、".join(one.isoformat() for one in explained.free)))
    steps.append(_("已计 %(n)s 个工作日，%(day)s 截止。", n=explained.elapsed, day=show.day(explained.deadline)))
    if explained.provisional:
        steps.append(_("有的年份尚未公布放假安排，日期为暂定。"))
    return Clock(explained.en if i18n.choice() == "en" else explained.zh, steps)
