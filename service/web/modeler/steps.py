"""The steps of a try-out in words, and what somebody typed as the data of a step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from service import errors, scenariotext
from service.models import DryRun, WorkingCopy

KEPT = "file:"
"""Begins the id of a file that a try-out was given: its name is all there is of it."""
EMPTY: tuple[Any, ...] = (None, "", [], {})
KEYS = ("tasks", "ended", "due", "done", "status", "documents", "bases", "notifications", "title", "parties")
"""What can be expected by example."""


VERBS = ("do", "send", "wait", "until", "expect", "begin", "claim", "release", "publish", "retry", "cancel", "given")
"""The verbs of steps, the commonest first."""


def expectation_words() -> dict[str, str]:
    """What the keys of an expectation mean."""
    return {
        **dict(keys_shown()),
        "status": _("案件状态"),
        "variables": _("变量"),
        "incidents": _("异常"),
        "parties": _("参与方"),
        "title": _("案件名称"),
        "number": _("案号"),
        "mails": _("邮件"),
        "rows": _("登记的行数"),
    }


def words_of_keys() -> dict[str, str]:
    """What the names in expected rows mean."""
    return {
        "to": _("收件人"),
        "text": _("内容"),
        "subject": _("主题"),
        "kind": _("种类"),
        "number": _("编号"),
        "title": _("标题"),
        "name": _("名称"),
        "type": _("类型"),
        "status": _("状态"),
        "region": _("地区"),
    }


def facts(data: Mapping[str, Any], labels: Mapping[str, str], before: str = "") -> list[tuple[str, str]]:
    """The data of a step as a form's reader knows it: label and value."""
    found: list[tuple[str, str]] = []
    for name, value in data.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and not set(value) <= {scenariotext.FILE, "!include"}:
            found += facts(value, labels, f"{path}.")
        else:
            found.append((labels.get(path, path), plain(value, labels, f"{path}.")))
    return found


def plain(value: Any, labels: Mapping[str, str], before: str = "") -> str:
    """A value of a scenario as people write it."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if value in EMPTY:
        return _("（空）")
    if isinstance(value, Mapping):
        if _is_file(value):
            return str(value[scenariotext.FILE])
        if set(value) == {"!include"}:
            return _("取自“%(file)s”", file=value["!include"])
        return "，".join(f"{labels.get(before + k, k)}：{plain(v, labels, f'{before}{k}.')}" for k, v in value.items())
    if isinstance(value, list):
        return "；".join(plain(one, labels, before) for one in value)
    text = labels.get(f"{before.removesuffix('.')}={value}", str(value))
    if text.startswith("~"):
        return _("含“%(text)s”", text=text[1:].strip())
    return _("公式 %(text)s", text=text[1:].strip()) if text.startswith("=") else text


def over(shown: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """A form's values with a step's data typed over them, files as the form shows them."""
    made = dict(shown)
    for name, value in data.items():
        known = made.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping) and not _is_file(value):
            made[name] = over(known, value)
        else:
            made[name] = _as_files(value)
    return made


def _as_files(value: Any) -> Any:
    if isinstance(value, Mapping):
        if _is_file(value):
            name = str(value[scenariotext.FILE])
            return {"id": f"{KEPT}{name}", "name": name, "size": 1024}
        return {name: _as_files(inner) for name, inner in value.items()}
    return [_as_files(inner) for inner in value] if isinstance(value, list) else value


def keys_shown() -> list[tuple[str, str]]:
    """The same, with the words for them."""
    return [
        ("tasks", _("待办任务")),
        ("ended", _("结局")),
        ("due", _("到期日")),
        ("done", _("已办次数")),
        ("documents", _("制发的文件")),
        ("bases", _("名录中的基地")),
        ("notifications", _("发出的通知")),
    ]


def typed(shown: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed over the values a form opened with, as a scenario says it."""
    return _difference(_files(dict(shown)), _files(dict(values)))


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in after.items():
        known = before.get(name)
        if isinstance(value, Mapping) and not _is_file(value) and (known is None or isinstance(known, Mapping)):
            inner = _difference(known or {}, value)
            if inner:
                found[name] = inner
        elif value != known and not (value in EMPTY and known in EMPTY):
            found[name] = value
    return found


def _is_file(value: Mapping[str, Any]) -> bool:
    return set(value) == {scenariotext.FILE}


def _files(value: Any) -> Any:
    """Files by their names, wherever they stand: what a scenario can say of them."""
    if isinstance(value, Mapping):
        if set(value) == {"id", "name", "size"}:
            return {scenariotext.FILE: str(value["name"])}
        return {name: _files(inner) for name, inner in value.items()}
    return [_files(inner) for inner in value] if isinstance(value, list) else value


def scenario(run: DryRun, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Head and steps as a file has them: what is usual is left out, and a start is a start."""
    head: dict[str, Any] = {"name": name, "process": run.process_id}
    usual: dict[str, Any] = {"profile": "strict", "experts": 5, "start": {}}
    for key in ("profile", "now", "organisations", "people", "experts", "given"):
        value = run.head.get(key)
        if value not in (*EMPTY, usual.get(key)) and not (key == "now" and str(value).startswith("2026-03-02T09:00")):
            head[key] = value
    steps = [dict(step) for step in run.steps]
    start = dict(run.head.get("start") or {})
    if start.get("none") and steps and steps[0].get("begin") == run.process_id:
        first = steps.pop(0)
        start = {key: first[key] for key in ("by", "organisation", "data") if key in first}
    if start:
        head["start"] = start
    return head, steps


def path_for(process_id: str, typed_name: str, files: Mapping[str, bytes], copy: WorkingCopy) -> str:
    """Where a scenario of a process goes: beside its diagram."""
    name = re.sub(r"[^\w.-]+", "_", typed_name.strip().removesuffix(".yaml")).strip("._")[:60]
    if not name:
        raise errors.InvalidInput("请填写文件名。", "Please name the file.", field="file")
    marker = f'id="{process_id}"'.encode()
    diagram = next(
        (path for path in sorted(files) if path.endswith(f"/{process_id}.bpmn")),
        next((path for path in sorted(files) if path.endswith(".bpmn") and marker in files[path]), ""),
    )
    folder = diagram.rpartition("/")[0] or f"processes/{process_id}"
    return f"{folder}/scenarios/{name}.yaml"


def file_name(run: DryRun) -> str:
    """A name to begin with."""
    if run.path:
        return run.path.rpartition("/")[2].removesuffix(".yaml")
    return f"recorded_{run.id}"


def sentence(line: Mapping[str, Any]) -> dict[str, Any]:
    """A step that was played, in words and with its moment."""
    return {
        "text": words(line["text"]),
        "by": line["text"]["by"],
        "at": datetime.fromisoformat(line["at"]),
        "until": datetime.fromisoformat(line["until"]),
    }


def words(text: Mapping[str, Any]) -> str:
    """A step in words."""
    verb, target = text["verb"], text["target"]
    if verb == "wait" and target == "next":
        return _("到下一个定时器")
    made = {
        "do": _("办理“%(what)s”", what=target),
        "begin": _("发起“%(what)s”", what=target),
        "claim": _("领取“%(what)s”", what=target),
        "release": _("放回“%(what)s”", what=target),
        "wait": _("时间过去 %(what)s", what=target),
        "until": _("时间到 %(what)s", what=target),
        "send": _("发送消息“%(what)s”", what=target),
        "publish": _("外部系统告知“%(what)s”", what=target),
        "retry": _("重试“%(what)s”", what=target),
        "cancel": _("终止案件：%(what)s", what=target),
        "given": _("案外情况变化"),
        "expect": _("核对预期"),
    }
    return made.get(verb, verb)


def stopped(at: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """The step that could not be played again, and why."""
    reason = at["en"] if locale == "en" else at["zh"]
    fields = "、".join(f"{name}：{'；'.join(said)}" for name, said in (at.get("fields") or {}).items())
    return {"step": at["step"], "text": words(at["text"]) if "text" in at else "", "reason": reason, "fields": fields}


def effects(found: list[dict[str, Any]], locale: str) -> list[dict[str, Any]]:
    """What would have gone out, in the reader's language, newest first."""
    kinds = {
        "notification": _("通知"),
        "mail": _("邮件"),
        "document": _("文件"),
        "job": _("自动办理"),
        "row": _("登记"),
    }
    return [
        {
            "kind": one["kind"],
            "word": kinds[one["kind"]],
            "to": one["to"],
            "text": one["en"] if locale == "en" else one["zh"],
            "at": datetime.fromisoformat(one["at"]) if one["at"] and one["kind"] != "document" else None,
        }
        for one in reversed(found)
    ]


def roles(tasks: list[dict[str, Any]], locale: str) -> list[dict[str, Any]]:
    """The people who have something to do, each with their tasks: what one switches between."""
    found: dict[str, dict[str, Any]] = {}
    for task in tasks:
        by = task["by"]
        one = found.setdefault(
            by["username"],
            {
                "username": by["username"],
                "name": by["name"],
                "organisation": by["organisation"],
                "role": task["role_en"] if locale == "en" else task["role_zh"],
                "tasks": [],
            },
        )
        one["tasks"].append(task)
    return list(found.values())
