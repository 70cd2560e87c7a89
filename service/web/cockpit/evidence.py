"""Why a case rests where it rests, in sentences, and which repairs fit – the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from service.commands.administration.repairkinds import KINDS
from service.commands.cases.causes import sentence
from service.models import Incident
from service.queries.liveness import Finding
from service.queries.repairs import Rest
from service.web import i18n, show

from . import words


@dataclass(slots=True)
class Link:
    """One link of the chain of evidence."""

    text: str
    at: datetime | None = None
    detail: str = ""
    mark: str = ""
    element_id: str | None = None


@dataclass(slots=True)
class Advice:
    """A repair that fits, with everything it needs that is known already."""

    kind: str
    why: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Why:
    """The whole answer: one sentence, the chain below it, the repairs."""

    verdict: str
    stuck: bool
    chain: list[Link]
    advice: list[Advice]


BY_CAUSE: dict[str, tuple[str, ...]] = {
    "job_failed": ("retry", "retry_with", "skip"),
    "no_member": ("reassign", "offer", "skip"),
    "unknown_role": ("reassign", "skip"),
    "unknown_party": ("reassign", "offer", "skip"),
    "unknown_user": ("reassign", "offer"),
    "no_candidate": ("reassign", "skip"),
    "all_excluded": ("reassign", "offer", "skip"),
    "all_absent": ("reassign", "release", "skip"),
    "assignee_left": ("reassign", "release"),
    "no_sender": ("message", "skip", "move"),
    "dead_join": ("skip", "back", "move"),
    "stalled": ("skip", "move", "terminate"),
    "missing_form": ("migrate", "skip"),
    "missing_bundle": ("migrate", "terminate"),
    "corrupt_state": ("restore", "terminate"),
}


def why(
    status: str, rests: Sequence[Rest], incidents: Sequence[Incident], live: Sequence[Finding], ended: datetime | None
) -> Why:
    """Put together what the rows say."""
    chain = [*(_of_incident(one) for one in incidents), *(_of_finding(one) for one in live)]
    chain += [_of_rest(one) for one in rests]
    advice = _advice(rests, incidents, live, status)
    if ended is not None:
        return Why(_("案件已结束。"), False, chain, [Advice("restart", _("重新打开并从某个环节继续"))])
    if status == "suspended":
        return Why(_("案件已暂停，恢复之前不会继续。"), True, chain, [Advice("resume", _("恢复办理")), *advice])
    if incidents:
        first = incidents[0]
        text = first.message_en if i18n.choice() == "en" else first.message_zh
        return Why(text, True, chain, advice)
    if live:
        return Why(_said(live[0]), True, chain, advice)
    movers = [one for one in rests if one.live]
    if not movers:
        return Why(_("没有任何人、定时器、消息或作业能使案件继续；自检将在一分钟内报告原因。"), True, chain, advice)
    return Why(_healthy(movers[0]), False, chain, advice)


def _healthy(first: Rest) -> str:
    if first.kind == "task":
        who = first.data.get("holder") or first.data.get("role") or ""
        return _("案件正常：正在等待%(who)s办理“%(name)s”。", who=who, name=first.name)
    if first.kind == "timer" and first.due is not None:
        return _("案件正常：定时器将于 %(when)s 触发。", when=show.moment(first.due))
    if first.kind == "message":
        return _("案件正常：正在等待消息“%(name)s”。", name=first.name)
    return _("案件正常：系统正在处理“%(name)s”。", name=first.name)


def _of_incident(one: Incident) -> Link:
    text = one.message_en if i18n.choice() == "en" else one.message_zh
    detail = one.details.strip().splitlines()[-1] if one.details.strip() else ""
    return Link(text, one.created_at, detail, "is-bad", one.element_id)


def _of_finding(one: Finding) -> Link:
    return Link(_said(one), one.since, "", "is-bad", one.element_id)


def _said(one: Finding) -> str:
    zh, en = sentence(one)
    return en if i18n.choice() == "en" else zh


def _of_rest(one: Rest) -> Link:
    data = one.data
    match one.kind:
        case "task":
            office = " · ".join(part for part in (data.get("office"), data.get("role")) if part)
            if data.get("holder"):
                text = _("任务“%(name)s”由%(who)s办理。", name=one.name, who=data["holder"])
            elif one.live:
                text = _("任务“%(name)s”等待领取：%(who)s。", name=one.name, who=office)
            else:
                text = _("任务“%(name)s”目前无人可以办理：%(who)s。", name=one.name, who=office or "—")
            detail = _("已超过期限 %(when)s", when=show.moment(one.due)) if data.get("overdue") else ""
            return Link(text, one.since, detail, "" if one.live else "is-bad", one.element_id)
        case "timer":
            text = _(
                "定时器“%(name)s”将于 %(when)s 触发。", name=one.name, when=show.moment(one.due) if one.due else ""
            )
        case "message":
            text = _("等待消息“%(name)s”，关联键 %(key)s。", name=one.name, key=data.get("key") or "—")
        case _:
            text = _(
                "作业“%(name)s”：已试 %(n)s 次，尚余 %(m)s 次。", name=one.name, n=data["attempts"], m=data["retries"]
            )
    return Link(text, one.since, "", "" if one.live else "is-bad", one.element_id)


def _advice(rests: Sequence[Rest], incidents: Sequence[Incident], live: Sequence[Finding], status: str) -> list[Advice]:
    found: list[Advice] = []
    seen: set[tuple[str, Any]] = set()

    def add(kind: str, reason: str, **parameters: Any) -> None:
        key = (kind, parameters.get("token"))
        if key not in seen:
            seen.add(key)
            found.append(Advice(kind, reason, parameters))

    unreadable = [one for one in incidents if one.cause == "corrupt_state"]
    for incident in unreadable or incidents:
        kinds = BY_CAUSE.get(incident.cause, ("retry", "retry_with", "skip", "move"))
        for kind in kinds:
            asks_where = "token" in KINDS[kind].asks
            if not asks_where or incident.token is not None:
                target = {"token": incident.token} if asks_where else {}
                add(kind, words.cause(incident.cause), **target)
    if unreadable:
        return found  # nothing else can be done to a case that cannot be read
    for finding in live:
        if finding.cause == "worker_down":
            found.append(Advice("", _("请启动 guohe worker（或 guohe serve）。")))
            break
    for rest in rests:
        token = {"token": rest.token}
        if rest.token is None:
            continue
        if rest.kind == "task":
            for kind in ("reassign", "extend", "skip", "back", "move"):
                add(kind, rest.name, **token)
        elif rest.kind == "timer":
            for kind in ("fire", "extend"):
                add(kind, rest.name, **token)
        elif rest.kind == "message":
            for kind in ("message", "skip"):
                add(kind, rest.name, **token)
    add("variables", _("案件数据有误时"))
    if status != "suspended":
        add("suspend", _("需要时间核实时"))
    add("terminate", _("案件不应继续时"))
    return found
