"""What repairs there are: what each needs to know, and the verb of the engine it comes down to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service import engine, errors
from service.models import Instance

Verb = Callable[[engine.Run], engine.Step]
WHILE_SUSPENDED = frozenset({"terminate", "variables", "move", "back", "extend", "migrate", "restore"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A repair: its names, what it asks for, and whether it steps the engine or changes rows alone."""

    code: str
    zh: str
    en: str
    asks: tuple[str, ...] = ()
    steps: bool = True
    says_zh: str = ""
    says_en: str = ""


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("retry", "重试", "Retry", ("token",), says_zh="出错的环节再执行一次"),
        Kind(
            "retry_with", "更正变量后重试", "Retry with variables", ("token", "variables"), says_zh="先更正数据，再重试"
        ),
        Kind("reassign", "改派任务", "Reassign", ("token", "assignee"), False, says_zh="把任务交给另一人办理"),
        Kind("release", "收回任务", "Release", ("token",), False, says_zh="取消领取，任务回到候选人"),
        Kind("offer", "重新派发", "Offer again", ("token",), says_zh="按现在的角色和人员重新确定候选人"),
        Kind("extend", "调整期限", "Extend", ("token", "due"), says_zh="改变任务期限或定时器时间"),
        Kind("move", "移动令牌", "Move token", ("token", "element"), says_zh="把令牌放到另一环节"),
        Kind("back", "退回环节", "Go back", ("token", "element"), says_zh="退回到已经办过的环节"),
        Kind("skip", "跳过", "Skip", ("token", "variables"), says_zh="视同已办，继续后面的环节"),
        Kind("message", "送达消息", "Send message", ("token", "variables"), says_zh="代为送达等待中的消息"),
        Kind("fire", "立即触发定时器", "Fire timer", ("token",), says_zh="不等到期，立即触发"),
        Kind("variables", "更正变量", "Correct variables", ("variables",), says_zh="更正案件数据，不移动令牌"),
        Kind("suspend", "暂停", "Suspend", (), False, says_zh="暂停办理，定时器和作业等待"),
        Kind("resume", "恢复", "Resume", (), False, says_zh="恢复办理"),
        Kind("restore", "恢复状态", "Restore the state", (), says_zh="状态损坏时，从快照和历史重建"),
        Kind("terminate", "终止", "Terminate", (), says_zh="终止案件，取消所有待办"),
        Kind("restart", "从某环节重新开始", "Restart", ("element",), says_zh="重新打开已结束的案件"),
        Kind("resend", "重发", "Send again", ("job",), False, says_zh="把已发出的邮件或消息再发一次"),
        Kind("undo", "撤销修复", "Undo", ("repair",), False, says_zh="恢复到修复之前"),
        Kind("migrate", "迁移版本", "Migrate", ("deployment", "names"), says_zh="改用另一版本的流程"),
    )
}


class Moved(errors.InstanceChanged):
    """The case has moved since you looked; look at the preview again."""

    zh_default = "预览之后案件已有变化，请重新预览后再执行。"
    code = "case_moved"


class Unreadable(errors.Conflict):
    """The state of the case, or the files it runs on, cannot be read: restore the state from its history, or end it."""

    zh_default = "案件的状态或所用文件无法读取：请按历史恢复状态，或终止。终止后不能撤销。"
    code = "unreadable"


def kind(code: str) -> Kind:
    """The repair of this name."""
    found = KINDS.get(code)
    if found is None:
        raise errors.InvalidInput(f"没有“{code}”这种修复。", f"There is no repair “{code}”.", field="kind")
    return found


def possible(instance: Instance, code: str) -> None:
    """Refuse a repair that a case does not take as it stands."""
    if code == "undo":
        raise errors.InvalidInput("撤销请从修复记录进行。", "Undo a repair where it is listed.", field="kind")
    over, suspended = instance.ended_at is not None, instance.status == "suspended"
    if code == "restart":
        if not over:
            raise errors.Conflict("案件尚未结束，不需要重新打开。", "The case is not over.", code="case_open")
    elif code == "resend":
        return
    elif over:
        raise errors.InstanceOver()
    elif code == "resume":
        if not suspended:
            raise errors.Conflict("此案件没有暂停。", "This case is not suspended.", code="not_suspended")
    elif suspended and code not in WHILE_SUSPENDED:
        raise errors.InstanceOver()


def verb(code: str, parameters: Mapping[str, Any], *, now: datetime, run: engine.Run) -> engine.Step:
    """Do to a decoded case what the repair does."""
    token, variables = parameters.get("token"), dict(parameters.get("variables") or {})
    match code:
        case "retry" | "retry_with":
            return _retry(run, number(token, "token"), variables, now)
        case "move" | "back":
            return engine.move(run, number(token, "token"), str(parameters.get("element") or ""), now=now)
        case "skip":
            return engine.skip(run, number(token, "token"), variables, now=now)
        case "message":
            return engine.catch(run, number(token, "token"), variables, now=now)
        case "fire":
            return engine.fire(run, number(token, "token"), now=now)
        case "extend":
            return engine.reschedule(run, number(token, "token"), due_of(parameters), now=now)
        case "variables":
            chosen = number(token, "token") if token is not None else None
            return engine.set_variables(run, variables, now=now, token=chosen)
        case "terminate":
            return engine.cancel(run, now=now)
        case "restart":
            return engine.restart(run, str(parameters.get("element") or ""), now=now)
        case "offer":
            return engine.Step(run, run.waits(), [])
    raise errors.InvalidInput(f"“{code}”不移动令牌。", f"“{code}” moves no token.", field="kind")


def _retry(run: engine.Run, token: int, variables: dict[str, Any], now: datetime) -> engine.Step:
    """Try a parked token again; a job that is given up gets a new one."""
    wait = next((one for one in run.waits() if one.token == token), None)
    if isinstance(wait, engine.JobWait | engine.TimerWait):
        engine.park(run, token, "job_failed", "重试", "retry", now=now)
    return engine.retry(run, token, now=now, variables=variables or None)


def due_of(parameters: Mapping[str, Any]) -> datetime:
    """The new time that was asked for."""
    value = parameters.get("due")
    try:
        due = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        due = None
    if due is None or due.tzinfo is None:
        raise errors.InvalidInput(
            "请给出带时区的时间，例如 2026-05-03T17:30+08:00。",
            "Give a time with its zone, such as 2026-05-03T17:30+08:00.",
            field="due",
        )
    return due


def number(value: Any, field: str) -> int:
    """The number of a token, a deployment, a repair."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.InvalidInput("请指明是哪一个。", "Say which one.", field=field)
    return value


def checked(code: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse parameters a repair does not take, and values of another type, by name."""
    asks = {*kind(code).asks, *(("token",) if code == "variables" else ())}
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if name not in asks:
            raise errors.InvalidInput(f"“{code}”没有参数“{name}”。", f"“{code}” takes no “{name}”.", field=name)
        if not _fits(name, value):
            raise errors.InvalidInput(f"参数“{name}”的内容不符。", f"“{name}” is not what it should be.", field=name)
        found[name] = value
    return found


def _fits(name: str, value: Any) -> bool:
    match name:
        case "token" | "job" | "deployment" | "repair":
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
        case "variables":
            return isinstance(value, Mapping)
        case "names":
            return isinstance(value, Mapping) and all(
                isinstance(pairs, Mapping) and all(isinstance(goal, str) for goal in pairs.values())
                for pairs in value.values()
            )
        case "due":
            return isinstance(value, str | datetime)
    return isinstance(value, str) and "\x00" not in value
