"""Why a case cannot go on: one word for each cause, and the sentence an administrator reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service import engine
from service.errors import CHINA

CAUSES: dict[str, tuple[str, str]] = {
    # found by reading rows
    "job_failed": ("作业“{topic}”已用完重试次数：{error}", "The job “{topic}” has used up its retries: {error}"),
    "no_member": ("任务“{name}”要求的角色（{role}）目前无人担任。", "Nobody holds the role ({role}) of “{name}”."),
    "all_excluded": (
        "任务“{name}”可办的人（{role}）在本案中都须回避或已办过不得由同一人办理的环节；请增补人员或改派。",
        "Everybody who could do “{name}” ({role}) must keep away from it in this case; add somebody or assign it anew.",
    ),
    "all_absent": (
        "任务“{name}”的办理人目前都不在岗，也没有能代办的人。",
        "Whoever may do “{name}” is absent, and nobody stands in for them.",
    ),
    "assignee_left": (
        "任务“{name}”由{holder}领取，但此人已停用或不再担任该角色，他人无法办理。",
        "“{name}” is held by {holder}, who has left or lost the role, and nobody else may do it.",
    ),
    "stalled": (
        "没有人、定时器、消息或作业能使此案件继续。",
        "No person, timer, message or job can move this case on.",
    ),
    "no_sender": (
        "“{name}”等待消息“{message}”，但已没有任何案件或人员能够发送它{because}。",
        "“{name}” waits for the message “{message}”, which no case and no person can send any more{because_en}.",
    ),
    # found by reading states
    "dead_join": (
        "汇合“{name}”等待分支“{branch}”；该分支{ended}，不会再有令牌到达。",
        "The join “{name}” waits for the branch “{branch}”, which {ended_en}; no token will come.",
    ),
    "missing_form": ("任务“{name}”的表单“{form}”不在本版本中。", "The form “{form}” of “{name}” is missing."),
    "corrupt_state": ("{zh}", "{en}"),
    "missing_bundle": ("案件所用的部署包已损坏或缺失：{zh}", "The deployment of the case is damaged: {en}"),
    # repaired at once
    "lost_task": ("任务“{name}”的记录丢失，已重建。", "The row of the task “{name}” was lost and made again."),
    "lost_job": ("“{name}”的作业丢失，已重建。", "The job of “{name}” was lost and made again."),
    "lost_timer": ("定时器“{name}”没有对应的作业，已重建。", "The timer “{name}” had no job; it was made again."),
    "lost_subscription": ("“{name}”的消息订阅丢失，已重建。", "The subscription of “{name}” was made again."),
    "lost_incident": ("“{name}”处的异常记录丢失，已重建。", "The incident at “{name}” was made again."),
    "stray_row": ("“{name}”已不在办理中，多余的记录已清除。", "A row of “{name}”, which is over, was closed."),
    # seen live, gone by themselves
    "worker_down": (
        "作业进程没有运行：“{name}”的作业自 {since} 起等待。",
        "No worker is running: the job of “{name}” has been waiting since {since}.",
    ),
    "job_late": ("作业积压：“{name}”自 {since} 起等待。", "Jobs pile up: “{name}” has been waiting since {since}."),
    "clock_skew": (
        "案件最后更新于将来的时刻（{since}），服务器时钟可能被调后。",
        "The case was last changed in the future ({since}); a clock was set back.",
    ),
}
OF_ROWS = frozenset({"job_failed", "no_member", "all_excluded", "all_absent", "assignee_left", "stalled", "no_sender"})
"""Causes whose incidents the self-check opens and closes by what rows say."""
OF_STATES = frozenset({"dead_join", "missing_form", "corrupt_state", "missing_bundle"})
"""... and by what the state says."""
FOUND = frozenset({"assignee_left", "all_excluded", "all_absent", "no_sender"}) | OF_STATES
"""Only the self-check opens and closes these; a step elsewhere in the case does not."""
LIVE = frozenset({"worker_down", "job_late", "clock_skew"})
"""Not written down: true while it lasts."""


@dataclass(slots=True)
class Suspicion:
    """Something wrong with a case."""

    cause: str
    token: int | None = None
    process_id: str | None = None
    element_id: str | None = None
    element_name: str = ""
    task_id: int | None = None
    job_id: int | None = None
    zh: str = ""
    en: str = ""
    details: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    since: datetime | None = None

    @classmethod
    def at(cls, cause: str, wait: engine.Wait) -> Suspicion:
        """At a token."""
        return cls(
            cause,
            token=wait.token,
            process_id=wait.process_id,
            element_id=wait.element_id,
            element_name=wait.element_name,
        )


class _Shown(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "…"


def sentence(one: Any) -> tuple[str, str]:
    """Say it in Chinese and English; takes a Suspicion or a finding of ``queries.liveness``."""
    zh, en = CAUSES.get(one.cause, ("{zh}", "{en}"))
    data = dict(one.data)
    name = one.element_name or one.element_id or data.get("topic") or data.get("kind") or "?"
    ended = day(data.get("ended"))
    facts = _Shown(
        {
            **data,
            "name": name,
            "zh": getattr(one, "zh", ""),
            "en": getattr(one, "en", ""),
            "since": one.since.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if one.since else "…",
            "role": data.get("role") or "?",
            "topic": data.get("topic") or data.get("kind") or name,
            "error": _last_line(data.get("error") or ""),
            "ended": f"已于 {ended} {'被取消' if data.get('how') == 'cancelled' else '结束'}"
            if ended
            else "从未开始或已结束",
            "ended_en": f"ended on {data['ended'][:10]}" if data.get("ended") else "never began or has ended",
            "because": f"（对方案件 {data['partner']} 已于 {ended} 结束）" if data.get("partner") else "",
            "because_en": f" (its counterpart {data['partner']} has ended)" if data.get("partner") else "",
        }
    )
    return zh.format_map(facts), en.format_map(facts)


def day(value: str | None) -> str:
    """``2026-05-03T…`` -> 5 月 3 日"""
    if not value:
        return ""
    at = datetime.fromisoformat(value).astimezone(CHINA)
    return f"{at.month} 月 {at.day} 日"


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1][:300] if text.strip() else ""
