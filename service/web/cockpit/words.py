"""What causes, symptoms, repairs and acts are called on a page."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask_babel import gettext as _

from service import clock
from service.commands.administration.repairkinds import KINDS
from service.web import i18n


def init_app(app: Flask) -> None:
    """Give templates these words."""
    app.jinja_env.filters.update(cause_word=cause, ago=ago, span=span, repair_word=repair, act_word=act, plain=plain)
    app.jinja_env.filters.update(rest_word=rest, sentence_of=sentence_of, iso=datetime.fromisoformat)


def cause(code: str) -> str:
    """A cause or a symptom, in a few words."""
    return causes().get(code, code)


def causes() -> dict[str, str]:
    """What causes and symptoms are called."""
    return {
        "job_failed": _("作业失败"),
        "no_member": _("角色无人担任"),
        "unknown_role": _("角色不存在"),
        "unknown_party": _("机构未确定"),
        "unknown_user": _("账号不存在"),
        "no_candidate": _("没有办理人"),
        "all_excluded": _("可办的人都须回避"),
        "all_absent": _("办理人都不在岗"),
        "assignee_left": _("办理人已离开"),
        "stalled": _("无法继续"),
        "no_sender": _("消息无人可发"),
        "dead_join": _("汇合等待已结束的分支"),
        "missing_form": _("表单缺失"),
        "corrupt_state": _("状态损坏"),
        "missing_bundle": _("部署包损坏"),
        "worker_down": _("作业进程停止"),
        "job_late": _("作业积压"),
        "clock_skew": _("时钟异常"),
        "expression": _("表达式出错"),
        "decision": _("决策表出错"),
        "reference": _("引用不存在"),
        "no-flow": _("没有成立的出口"),
        "unhandled-error": _("业务错误无人处理"),
        "timer": _("定时器有误"),
        "collection": _("集合有误"),
        "too-many-steps": _("步数过多"),
        "overdue": _("已逾期"),
        "slow": _("异常缓慢"),
        "forecast": _("预计逾期"),
        "untouched": _("长期无进展"),
        "looping": _("反复循环"),
        "orphan": _("上级案件已终止"),
    }


def rest(kind: str) -> str:
    """What a token rests at."""
    known = {
        "task": _("任务"),
        "job": _("作业"),
        "timer": _("定时器"),
        "message": _("消息"),
        "join": _("汇合"),
        "incident": _("异常"),
    }
    return known.get(kind, kind)


def repair(code: str) -> str:
    """A repair by its name."""
    found = KINDS.get(code)
    return code if found is None else found.en if i18n.choice() == "en" else found.zh


def act(code: str) -> str:
    """An act of the log, in a few words."""
    known = {
        "started": _("发起"),
        "claimed": _("领取"),
        "released": _("退回候选"),
        "assigned": _("转派"),
        "completed": _("办结"),
        "retried": _("重试"),
        "suspended": _("暂停"),
        "resumed": _("恢复"),
        "terminated": _("终止"),
        "repaired": _("修复"),
        "repair_undone": _("撤销修复"),
        "repair_proposed": _("提出修复"),
        "repair_rejected": _("否决修复"),
        "healed": _("自检修复"),
        "incident": _("异常"),
        "worked": _("自动处理"),
        "fired": _("定时触发"),
        "received": _("收到消息"),
        "ended": _("结束"),
        "deployed": _("部署"),
        "batch_started": _("开始批次"),
        "batch_finished": _("批次完成"),
        "batch_paused": _("批次暂停"),
        "batch_cancelled": _("取消批次"),
        "policy_changed": _("修改规则"),
        "anonymised": _("匿名化"),
    }
    return known.get(code, code)


def ago(at: datetime | None) -> str:
    """How long ago, in the largest unit."""
    return "" if at is None else span((clock.now() - at).total_seconds())


def span(seconds: float) -> str:
    """A duration as people say it."""
    length = timedelta(seconds=max(0.0, seconds))
    if length < timedelta(minutes=1):
        return _("不到 1 分钟")
    if length < timedelta(hours=1):
        return _("%(n)s 分钟", n=int(length.total_seconds() // 60))
    if length < timedelta(days=2):
        return _("%(n)s 小时", n=int(length.total_seconds() // 3600))
    return _("%(n)s 天", n=length.days)


def plain(value: Any) -> str:
    """A variable's value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def sentence_of(both: Any) -> str:
    """The sentence in the reader's language, of something that has both."""
    name = "en" if i18n.choice() == "en" else "zh"
    return str(both.get(name, "") if isinstance(both, dict) else getattr(both, name, ""))
