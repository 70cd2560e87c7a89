"""A step of a scenario as fields: what can be picked, what is chosen, and the step that comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from service import errors, scenariotext
from service.commands.procedures import storyboard
from service.commands.procedures.storyboard import Named, Storyboard
from service.forms import Asked

from .. import i18n

Group = tuple[str, list[tuple[str, str]]]
"""A heading, and under it what can be picked: as the file says it, and as people do."""
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SPAN = re.compile(r"P(?:(\d+)D|T(\d+)H)")


@dataclass(frozen=True, slots=True)
class Picks:
    """What the fields of a scenario offer."""

    tasks: list[Group]
    messages: list[tuple[str, str]]
    people: list[tuple[str, str]]
    ends: list[Group]
    variables: list[tuple[str, list[Asked]]]
    """The fields of the forms that the scenario fills in, and of its process."""
    words: dict[str, str]
    """What the fields of all forms are called, by their paths."""


def picks(story: Storyboard, process_id: str, script: scenariotext.Script | None) -> Picks:
    """What a scenario of a process can speak of, its own process first."""
    english = i18n.choice() == "en"
    filled = [process_id]
    for part in script.parts if script else []:
        raw = part.seen or {}
        filled += [str(raw[verb]) for verb in ("do", "send", "begin") if verb in raw]
    named: dict[str, str] = {}
    for target in [*filled, *(one.id for one in story.tasks if one.process == process_id)]:
        form = story.forms.get(target) or story.starts.get(target)
        if form:
            named.setdefault(form, story.processes.get(target) or story.name(target))
    return Picks(
        _grouped(story, story.tasks, process_id),
        [(one.id, one.name) for one in story.messages],
        [(code, en if english else zh) for code, zh, en in storyboard.PEOPLE],
        _grouped(story, [one for one in story.ends if one.process == process_id], process_id),
        [(name, asked) for form, name in named.items() if (asked := story.asked.get(form))],
        {one.path: one.label for found in story.asked.values() for one in found},
    )


def _grouped(story: Storyboard, elements: Iterable[Named], process_id: str) -> list[Group]:
    groups: dict[str, list[tuple[str, str]]] = {process_id: []}
    for one in elements:
        groups.setdefault(one.process, []).append((one.id, one.name))
    return [(story.processes.get(process, process), _told_apart(found)) for process, found in groups.items() if found]


def _told_apart(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Two of one name are told apart by their ids."""
    names = [name for _, name in found]
    return [(one, f"{name}（{one}）" if names.count(name) > 1 else name) for one, name in found]


def span(target: Any) -> tuple[str, str] | None:
    """How long a step waits, as a number and a unit; None where it is said otherwise."""
    if target == "next":
        return "", "next"
    match = SPAN.fullmatch(str(target))
    return None if match is None else (match[1] or match[2], "D" if match[1] else "H")


def shown(expect: Mapping[str, Any]) -> dict[str, Any]:
    """An expectation as fields show it. What they cannot show stays as it is when they are saved."""
    due = expect.get("due")
    variables = expect.get("variables")
    ended = expect.get("ended")
    return {
        "tasks": [str(one) for one in expect.get("tasks") or ()],
        "no_tasks": expect.get("tasks") == [],
        "ended": "false" if ended is False else str(ended or ""),
        "due": [(str(task), str(on), bool(DAY.fullmatch(str(on)))) for task, on in _entries(due)],
        "variables": [(str(path), value) for path, value in _entries(variables) if _simple(value)],
    }


def _entries(found: Any) -> list[tuple[Any, Any]]:
    return list(found.items()) if isinstance(found, Mapping) else []


def _simple(value: Any) -> bool:
    return isinstance(value, str | int | float)


def expectation(form: MultiDict[str, str], before: Mapping[str, Any], story: Storyboard) -> dict[str, Any]:
    """The expectation that the fields make of the one that was there."""
    made = dict(before)
    chosen = [one for one in form.getlist("tasks") if one]
    kept = [one for one in before.get("tasks") or () if one in chosen]
    tasks = [*kept, *(one for one in chosen if one not in kept)]
    ended = form.get("ended", "")
    due = {task: on.strip() for task, on in _pairs(form, "due_task", "due_on")}
    variables = {path: value for path, value in _entries(before.get("variables")) if not _simple(value)}
    fields = {one.path: one for found in story.asked.values() for one in found}
    for path, typed in _pairs(form, "variable", "value"):
        variables[path] = _value(fields.get(path), typed.strip())
    _put(made, "tasks", tasks or ([] if form.get("no_tasks") == "1" else None))
    _put(made, "ended", False if ended == "false" else ended or None)
    _put(made, "due", due or None)
    _put(made, "variables", variables or None)
    return made


def _pairs(form: MultiDict[str, str], name: str, value: str) -> list[tuple[str, str]]:
    pairs = zip(form.getlist(name), form.getlist(value), strict=False)
    return [(one, said) for one, said in pairs if one and said.strip()]


def _put(made: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        made.pop(key, None)
    else:
        made[key] = value


def _value(field: Asked | None, typed: str) -> Any:
    """What somebody typed or picked, as the case knows it."""
    options = {label: value for value, label in field.options} if field else {}
    if typed in options:
        return options[typed]
    kind = field.kind if field else ""
    if kind == "checkbox" and typed in (_("是"), _("否"), "true", "false"):
        return typed in (_("是"), "true")
    if kind == "number":
        try:
            return float(typed) if "." in typed else int(typed)
        except ValueError:
            raise errors.InvalidInput(
                f"“{field.label if field else ''}”应为数字。",
                f"“{field.label if field else ''}” is a number.",
                field="value",
            ) from None
    return typed


def step(form: MultiDict[str, str], story: Storyboard) -> dict[str, Any]:
    """A step of the fields of the page."""
    verb, target = form.get("verb", ""), form.get("target", "").strip()
    if verb in ("do", "send"):
        made: dict[str, Any] = {verb: target}
        if form.get("by"):
            made["by"] = form["by"].strip()
        if form.get("each") == "1":
            made["each"] = True
        if form.get("data", "").strip():
            data = scenariotext.read_step(form["data"].replace("\r\n", "\n"))
            if data is None:
                raise errors.InvalidInput("数据应为“键: 值”。", "Data is lines of “key: value”.", field="data")
            made["data"] = data
    elif verb == "wait":
        made = {"wait": _waited(form) or target or "next"}
    elif verb == "until":
        made = {"until": target.replace("T", " ")}
    elif verb == "expect":
        made = {"expect": expectation(form, {}, story) or {"tasks": []}}
    else:
        raise errors.InvalidInput("请选择动作。", "Choose what happens.", field="verb")
    if not made[verb]:
        raise errors.InvalidInput("请选择任务或填写时间。", "Choose a task, or say when.", field="target")
    return made


def _waited(form: MultiDict[str, str]) -> str:
    unit, amount = form.get("unit", ""), form.get("amount", "").strip()
    if unit not in ("D", "H"):
        return "next" if unit == "next" else ""
    if not amount.isdecimal() or not 0 < int(amount) <= MOST_WAITED:
        raise errors.InvalidInput("请填写过多久，如 10。", "Say how long, such as 10.", field="amount")
    return f"P{int(amount)}D" if unit == "D" else f"PT{int(amount)}H"


MOST_WAITED = 5000
