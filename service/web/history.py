"""The history of a case in sentences, and where it waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from service.queries.instances import HistoryRow

from . import i18n

KINDS = frozenset(
    {
        "started",
        "claimed",
        "released",
        "assigned",
        "delegated",
        "resolved",
        "escalation",
        "urged",
        "taken_back",
        "completed",
        "incident",
        "retried",
        "suspended",
        "resumed",
        "terminated",
        "ended",
        "error",
        "escalated",
        "article_withdrawn",
    }
)
"""What a reader wants to know. Tokens walking through gateways are on the diagram."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline."""

    at: datetime
    text: str
    detail: str
    who: str
    mark: str


def lines(rows: Iterable[HistoryRow], process_id: str) -> list[Line]:
    """The facts that mean something to a reader, in the order given."""
    return [_line(row) for row in rows if row.kind != "ended" or row.process_id == process_id]


def _line(row: HistoryRow) -> Line:
    name = row.element_name or row.element_id or ""
    texts = {
        "started": (_("发起案件"), "is-done"),
        "claimed": (_("领取“%(name)s”", name=name), ""),
        "released": (_("放回“%(name)s”", name=name), ""),
        "assigned": (_("转派“%(name)s”", name=name), ""),
        "delegated": (_("委托办理“%(name)s”", name=name), ""),
        "resolved": (_("交回“%(name)s”", name=name), ""),
        "escalation": (_("“%(name)s”逾期，已上报", name=name), "is-bad"),
        "urged": (_("催办“%(name)s”", name=name), ""),
        "taken_back": (_("撤销提交“%(name)s”", name=name), ""),
        "completed": (_("办结“%(name)s”", name=name), "is-done"),
        "incident": (_("“%(name)s”出现异常", name=name), "is-bad"),
        "retried": (_("重试“%(name)s”", name=name), ""),
        "suspended": (_("案件暂停"), "is-bad"),
        "resumed": (_("案件恢复办理"), ""),
        "terminated": (_("案件终止"), "is-bad"),
        "ended": (_("案件结束：%(name)s", name=name) if name else _("案件结束"), "is-done"),
        "error": (_("“%(name)s”转入异常处理路线", name=name), ""),
        "escalated": (_("“%(name)s”上报", name=name), ""),
        "article_withdrawn": (_("专栏撤下：%(title)s", title=row.data.get("title") or ""), "is-bad"),
    }
    text, mark = texts.get(row.kind, (name, ""))
    return Line(row.at, text, _detail(row), _who(row), mark)


def _who(row: HistoryRow) -> str:
    """Who acted, and in whose place."""
    principal = row.data.get("on_behalf_of")
    if not isinstance(principal, dict):
        return row.user or ""
    return _("%(deputy)s（代%(principal)s）", deputy=row.user or "", principal=principal.get("name") or "")


def _detail(row: HistoryRow) -> str:
    if row.kind == "incident":
        return str(row.data.get("en" if i18n.choice() == "en" else "zh") or "")
    if told := row.data.get("to"):
        return _("已通知：%(who)s", who="、".join(map(str, told)))
    return str(row.data.get("reason") or "")
