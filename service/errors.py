"""What can go wrong for a user or a client. Commands raise it, ``web/errors.py`` shows it.

A type's docstring is its English sentence and ``zh`` its Chinese one; ``{names}`` in them are filled from the
keyword arguments. Whoever raises may give better sentences: ``errors.NotFound("没有这份文件。", "No such file.")``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


class ServiceError(Exception):
    """Something went wrong."""

    zh_default: ClassVar[str] = "出错了。"
    status: int = 500
    code: str = "error"

    def __init__(
        self,
        zh: str | None = None,
        en: str | None = None,
        status: int | None = None,
        code: str | None = None,
        *,
        field: str | None = None,
        **extra: Any,
    ) -> None:
        self.field = field
        self.extra = extra
        if status is not None:
            self.status = status
        if code is not None:
            self.code = code
        shown = _Shown({name: _shown(value) for name, value in extra.items()})
        self.zh = zh if zh is not None else self.zh_default.format_map(shown)
        self.en = en if en is not None else (self.__doc__ or "").strip().format_map(shown)
        super().__init__(self.zh, self.en)

    def sentence(self, locale: str = "zh") -> str:
        """Say it in the user's language."""
        return self.en if locale.startswith("en") else self.zh

    def __str__(self) -> str:
        return f"{self.zh} {self.en}"


class _Shown(dict[str, Any]):
    """Values for a sentence; one that nobody gave reads as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"


def _shown(value: Any) -> Any:
    return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value


class InvalidInput(ServiceError):
    """What was sent cannot be accepted."""

    zh_default = "提交的内容无法接受。"
    status = 400
    code = "invalid_input"


class InvalidForm(InvalidInput):
    """Some fields of the form need attention."""

    zh_default = "表单中有内容需要修改。"
    status = 422
    code = "invalid_form"

    def __init__(
        self, fields: dict[str, list[str]], zh: str | None = None, en: str | None = None, **extra: Any
    ) -> None:
        super().__init__(zh, en, fields=fields, **extra)
        self.fields = fields


class NotSignedIn(ServiceError):
    """Please sign in first."""

    zh_default = "请先登录。"
    status = 401
    code = "not_signed_in"


class Forbidden(ServiceError):
    """You are not allowed to do this."""

    zh_default = "您没有权限执行此操作。"
    status = 403
    code = "forbidden"


class Excluded(Forbidden):
    """You must keep away from this step: it may not be done by whoever did another one."""

    zh_default = "依规须回避，不得办理本步。"
    code = "excluded"


class NotFound(ServiceError):
    """There is no such thing, or you may not see it."""

    zh_default = "不存在，或者您无权查看。"
    status = 404
    code = "not_found"


class Conflict(ServiceError):
    """This does not fit what is already there."""

    zh_default = "与现有情况冲突。"
    status = 409
    code = "conflict"


class InstanceChanged(Conflict):
    """Somebody else changed this case at the same moment; look at it again."""

    zh_default = "此案卷刚刚被他人更新，请查看最新情况后再操作。"
    code = "instance_changed"


class TaskTaken(Conflict):
    """{who} took this task at {when}."""

    zh_default = "此任务已由{who}于 {when} 领取。"
    code = "task_taken"


class TaskOver(Conflict):
    """This task is no longer open: {who} completed it at {when}."""

    zh_default = "此任务已由{who}于 {when} 办结。"
    code = "task_over"


class InstanceOver(Conflict):
    """This case has ended or is suspended."""

    zh_default = "此案卷已结束或已暂停。"
    code = "instance_over"


class Stale(ServiceError):
    """You worked from version {given}; it is now version {current}."""

    zh_default = "您依据的是第 {given} 版，现在已是第 {current} 版。"
    status = 412
    code = "stale"


class TooLarge(ServiceError):
    """This is too large."""

    zh_default = "内容过大。"
    status = 413
    code = "too_large"


class UnsupportedMedia(ServiceError):
    """This type of content is not accepted."""

    zh_default = "不接受这种类型的内容。"
    status = 415
    code = "unsupported_media"


class TooManyAttempts(ServiceError):
    """Too many wrong passwords; try again after {when}."""

    zh_default = "密码错误次数过多，请在 {when} 之后重试。"
    status = 429
    code = "too_many_attempts"


class TooManyMessages(ServiceError):
    """This case has had more messages from the public than it can take today."""

    zh_default = "此案今日收到的公众意见过多，请明日再试，或书面寄送组织单位。"
    status = 429
    code = "too_many_messages"


class Busy(ServiceError):
    """The database is busy; please try again in a moment."""

    zh_default = "数据库繁忙，请稍后重试。"
    status = 503
    code = "busy"


class Unavailable(ServiceError):
    """The database does not answer; nothing was changed. Please try again in a moment."""

    zh_default = "数据库暂时没有响应，您的操作没有生效，请稍后重试。"
    status = 503
    code = "unavailable"


class NotReady(ServiceError):
    """Guohe cannot work with its database or its settings yet."""

    zh_default = "数据库或设置尚未就绪。"
    status = 503
    code = "not_ready"
