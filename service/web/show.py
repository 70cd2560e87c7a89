"""How things read on a page: moments, deadlines in working days, states, where a step comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import gettext as _

from service import clock, workdays

from . import i18n

CHINA = ZoneInfo("Asia/Shanghai")
SOON = 3
"""A deadline this many working days away is near."""
DIGITS = "〇一二三四五六七八九"


def init_app(app: Flask) -> None:
    """Give templates these words as filters."""
    app.jinja_env.filters.update(
        moment=moment,
        day=day,
        filesize=filesize,
        due_words=due_words,
        status_word=status_word,
        provenance=provenance,
        party=party,
        name_of=i18n.name_of,
    )


def moment(at: datetime | None) -> str:
    """2026-03-15 14:03, in China."""
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if at else ""


def day(on: date | datetime | None) -> str:
    """2026-03-15"""
    if isinstance(on, datetime):
        on = on.astimezone(CHINA).date()
    return on.isoformat() if on else ""


def filesize(size: int) -> str:
    """12.5 MB"""
    if size < 1024:
        return f"{size} B"
    if size < 1024 * 1024:
        return f"{round(size / 1024)} KB"
    return f"{size / 1024 / 1024:.1f} MB".replace(".0 ", " ")


@dataclass(frozen=True, slots=True)
class DueWords:
    """A deadline in words, and how near it is: ``late``, ``soon`` or nothing."""

    text: str
    level: str


def due_words(at: datetime) -> DueWords:
    """The deadline as people count it."""
    now = clock.now()
    days = workdays.count(clock.today(), at.astimezone(CHINA).date())
    if at < now:
        return DueWords(_late(-days), "late")
    if at.astimezone(CHINA).date() == clock.today():
        return DueWords(_("今天到期"), "soon")
    if days <= 0:
        return DueWords(_("下一个工作日前到期"), "soon")
    left = _("还剩 1 个工作日") if days == 1 else _("还剩 %(n)s 个工作日", n=days)
    return DueWords(left, "soon" if days <= SOON else "")


def _late(days: int) -> str:
    if days < 1:
        return _("刚刚逾期")
    return _("已逾期 1 个工作日") if days == 1 else _("已逾期 %(n)s 个工作日", n=days)


def status_word(code: str) -> str:
    """The state of a case."""
    return {
        "active": _("办理中"),
        "incident": _("异常待处理"),
        "suspended": _("已暂停"),
        "completed": _("已办结"),
        "terminated": _("已终止"),
        "open": _("待办"),
        "cancelled": _("已取消"),
    }.get(code, code)


def party(code: str) -> str:
    """What an organisation is in a case."""
    return {
        "applicant": _("申报机构"),
        "recommender": _("推荐部门"),
        "zone": _("国家高新区"),
        "province": _("省级人民政府"),
        "most": _("科技部"),
        "coop": _("国际合作司"),
        "torch": _("火炬中心"),
        "experts": _("专家组"),
        "secretariat": _("联盟秘书处"),
        "platform": _("平台运维"),
    }.get(code, code)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an element comes from. Only ``text`` is the regulation."""

    kind: str
    label: str
    explanation: str
    article: str = ""
    mark: str = ""


def provenance(source: str) -> Provenance:
    """Read ``text:art.8(2)1``, ``practice`` or ``assumption``."""
    kind, _colon, reference = source.strip().partition(":")
    if kind == "text":
        return Provenance(
            "text", _("办法规定"), _("《国家国际科技合作基地管理办法》有明文规定"), article(reference), _("法")
        )
    if kind == "practice":
        return Provenance("practice", _("实践做法"), _("《办法》没有规定，参照科技部和各省的通行做法"), mark=_("例"))
    return Provenance("assumption", _("系统约定"), _("《办法》没有规定，由本平台约定，可以调整"), mark=_("约"))


def article(reference: str) -> str:
    """``art.7(2)3`` -> 第七条（二）第3项"""
    if i18n.choice() == "en":
        return reference.strip()
    match = re.fullmatch(r"\s*art\.(\d+)(?:\.(\d+))?(?:\((\d+)\))?\.?(\d+)?(?:\s*s(\d+))?\s*", reference)
    if not match:
        return reference.strip()
    number, point, paragraph, item, sentence = match.groups()
    text = f"第{_chinese(int(number))}条"
    if paragraph:
        text += f"（{_chinese(int(paragraph))}）"
    if point or item:
        text += f"第{point or item}项"
    return text + (f"第{sentence}款" if sentence else "")


def _chinese(number: int) -> str:
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return head + (DIGITS[ones] if ones else "")
