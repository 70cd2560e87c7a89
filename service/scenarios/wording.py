"""The words in which a process owner is told what came otherwise: names of the diagram instead of ids, labels of forms
instead of keys, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine, errors, forms
from service.commands.people.identity import ROLES
from service.models import Incident, Instance, Task

from .outcomes import Problem
from .reading import Step

CODES: dict[str, tuple[str, str]] = {
    "forbidden": ("无权办理", "not allowed"),
    "not_found": ("看不到这项任务", "cannot see it"),
    "invalid_form": ("表单不合格", "form not valid"),
    "task_taken": ("已被别人领取", "taken by somebody else"),
    "task_over": ("任务已经结束", "task is over"),
    "instance_over": ("案件已经结束", "case is over"),
    "conflict": ("与现有情况冲突", "conflicts with what is there"),
    "excluded": ("应当回避", "excluded"),
}
"""What the codes of ``refused`` mean."""

VERBS: dict[str, tuple[str, str]] = {
    "do": ("办理“{}”", "do “{}”"),
    "claim": ("领取“{}”", "claim “{}”"),
    "release": ("退回“{}”", "release “{}”"),
    "begin": ("发起“{}”", "start “{}”"),
    "send": ("发送“{}”", "send “{}”"),
    "publish": ("外部消息“{}”", "the outside message “{}”"),
    "retry": ("重试“{}”", "retry “{}”"),
    "wait": ("等待", "wait"),
    "until": ("到约定的时刻", "until the moment given"),
    "cancel": ("终止案件", "cancel the case"),
    "given": ("登记已有的情况", "note what was given"),
    "expect": ("核对预期", "check what is expected"),
}
STATUSES: dict[str, tuple[str, str]] = {
    "active": ("正在办理", "active"),
    "incident": ("出了异常", "stopped by an incident"),
    "suspended": ("已暂停", "suspended"),
    "completed": ("已办结", "completed"),
    "terminated": ("已终止", "terminated"),
}
PEOPLE = {code: (zh, en) for code, zh, en, _ in ROLES}
LONGEST = 300


class Wording:
    """Names for what steps and cases refer to."""

    def __init__(self, bundle: engine.Bundle | None) -> None:
        self.bundle = bundle

    def element(self, element_id: str | None, process_id: str | None = None) -> str:
        """What the diagrams call an element; its id where none does."""
        if self.bundle is None or not element_id:
            return element_id or ""
        own = self.bundle.models.get(process_id or "")
        for process in ([own] if own else []) + list(self.bundle.models.values()):
            for _, node in process.walk():
                if node.id == element_id:
                    return node.label
        return element_id

    def process(self, process_id: str) -> str:
        """What a process is called."""
        found = self.bundle.models.get(process_id) if self.bundle is not None else None
        return found.label if found is not None else process_id

    def elements(self, ids: Iterable[str]) -> str:
        """Several, each in quotes; the same one twice is counted."""
        counted: dict[str, int] = {}
        for one in ids:
            name = self.element(one)
            counted[name] = counted.get(name, 0) + 1
        return "".join(f"“{name}”" + (f"×{times}" if times > 1 else "") for name, times in counted.items())

    def person(self, username: str) -> tuple[str, str]:
        """The role a user name of the cast stands for, in both languages."""
        role, dot, number = username.rpartition(".") if username.rpartition(".")[2].isdigit() else (username, "", "")
        zh, en = PEOPLE.get(role, (username, username))
        return (f"{zh}（第 {number} 人）", f"{en} no. {number}") if dot else (zh, en)

    def step(self, step: Step) -> tuple[str, str]:
        """What a step does, by whom."""
        target = str(step.target) if isinstance(step.target, str) else ""
        name = self.process(target) if step.verb == "begin" else self.element(target)
        if step.verb in ("send", "publish"):
            name = self.message(target)
        zh, en = (one.format(name) for one in VERBS[step.verb])
        by = step.options.get("by")
        if isinstance(by, str):
            who = self.person(by)
            return f"{who[0]}{zh}", f"{en} as {who[1]}"
        return zh, en

    def message(self, name: str) -> str:
        """What the diagrams call the event that receives a message."""
        for process in self.bundle.models.values() if self.bundle is not None else ():
            for _, node in process.walk():
                if node.event is not None and node.event.message == name and node.kind != "endEvent":
                    return node.label
        return name

    def place(self, session: Session, case: int | None) -> tuple[str, str]:
        """Where a case stands."""
        instance = session.get(Instance, case) if case else None
        if instance is None:
            return "案件还没有发起", "the case has not begun"
        if instance.ended_at is not None:
            end = self.element(instance.end_event, instance.process_id)
            return f"案件已经结束（{end}）", f"the case has ended (“{end}”)"
        troubles = session.execute(
            select(Incident.element_id, Incident.message_zh, Incident.message_en).where(
                Incident.instance_id == instance.id, Incident.resolved_at.is_(None)
            )
        ).all()
        if troubles:
            zh = "；".join(f"“{self.element(one)}”：{said}" for one, said, _ in troubles)
            en = "; ".join(f"“{self.element(one)}”: {said}" for one, _, said in troubles)
            return f"案件出了异常——{zh}", f"the case has an incident – {en}"
        tasks = session.scalars(
            select(Task.element_id).where(Task.instance_id == instance.id, Task.status == "open").order_by(Task.id)
        ).all()
        if not tasks:
            return (
                "案件没有待办任务，在等时间、消息或子流程",
                "the case has no open task; it waits for time or a message",
            )
        listed = self.elements(tasks)
        return f"案件的待办是{listed}", f"open in the case: {listed}"

    def missing(self, session: Session, step: Step, case: int | None) -> Problem:
        """A step's task is not there to be done."""
        zh, en = self.step(step)
        where = self.place(session, case)
        return Problem(
            f"{zh}：此时没有这项待办，{where[0]}。如果流程正是要这样改，请修改或删除这一步；"
            "否则检查前面的步骤和走到这里的条件。",
            f"To {en}: there is no such open task; {where[1]}. If the procedure is meant to change so, change or "
            "remove this step; otherwise look at the steps before it and the conditions that lead there.",
            str(step.target),
        )

    def refused(self, step: Step, error: Exception) -> Problem:
        """A command refused a step that should have gone through."""
        zh, en = self.step(step)
        fields = getattr(error, "fields", None)
        element = str(step.target) if isinstance(step.target, str) else None
        if fields:
            both = getattr(error, "extra", {}).get("both") or {}
            labels = self.labels(step)
            said_zh = self._fields(both.get("zh") or fields, labels, "：", "；")
            said_en = self._fields(both.get("en") or fields, labels, ": ", "; ")
            return Problem(
                f"{zh}：表单没有通过——{said_zh}。请用“用真实表单填写”补上或改正这些字段。",
                f"To {en}: the form is not valid – {said_en}. Fill these fields with the real form.",
                element,
            )
        said = (getattr(error, "zh", str(error)), getattr(error, "en", str(error)))
        if getattr(error, "code", "") in ("forbidden", "not_found"):
            return Problem(
                f"{zh}：被拒绝。{said[0]}请换成有权办理的人，或检查图上的办理角色。",
                f"To {en}: refused. {said[1]} Name somebody who may do it, or look at the role in the diagram.",
                element,
            )
        return Problem(f"{zh}：没有办成。{said[0]}", f"To {en}: it did not work. {said[1]}", element)

    def not_refused(self, step: Step, code: str) -> Problem:
        """A step went through that should have been refused."""
        zh, en = self.step(step)
        why = CODES.get(code, (code, code))
        return Problem(
            f"{zh}：应当被拒绝（{why[0]}），实际却办成了。请检查办理角色、表单的必填和校验。",
            f"To {en}: it should have been refused ({why[1]}) but went through. Look at roles and form checks.",
            str(step.target),
        )

    def refused_otherwise(self, step: Step, error: errors.ServiceError, wanted: Sequence[str]) -> Problem:
        """A step was refused, but for another reason, or at other fields."""
        zh, en = self.step(step)
        code = str(step.options.get("refused"))
        why = CODES.get(code, (code, code))
        labels = self.labels(step)
        fields = sorted(getattr(error, "fields", None) or {})

        def listed(paths: Sequence[str]) -> str:
            return "、".join(f"“{labels.get(_plain(one), one)}”" for one in paths)

        expected = f"{why[0]}{'：' + listed(wanted) if wanted else ''}"
        expected_en = f"{why[1]}{': ' + listed(wanted) if wanted else ''}"
        found = listed(fields) or error.zh.rstrip("。")
        return Problem(
            f"{zh}：应当因为“{expected}”被拒绝，实际的原因是：{found}。",
            f"To {en}: it should have been refused for “{expected_en}”; the reason was: {listed(fields) or error.en}",
            str(step.target),
        )

    def labels(self, step: Step) -> dict[str, str]:
        """The labels of the fields of the form that a step fills, by their paths."""
        if self.bundle is None:
            return {}
        opened: set[str] = set()
        for process in self.bundle.models.values():
            for _, node in process.walk():
                named = step.target in (node.id, node.label, node.event.message if node.event else None)
                begun = step.verb == "begin" and process.id == step.target and node.kind == "startEvent"
                if (named or begun) and node.form_id:
                    opened.add(node.form_id)
        made: dict[str, str] = {}
        for form in opened:
            made |= forms.labels(self.bundle.forms.get(form, {}))
        return made

    def _fields(self, fields: Mapping[str, Sequence[str]], labels: Mapping[str, str], colon: str, end: str) -> str:
        said = [
            f"“{labels.get(_plain(path), path)}”{colon}{' '.join(sentences).rstrip('。.')}"
            for path, sentences in fields.items()
        ]
        return end.join(said)


def _plain(path: str) -> str:
    """A path without the places in lists: ``projects[0].name`` is the field ``projects.name``."""
    return re.sub(r"\[\d+\]|\.\d+(?=\.|$)", "", path)


def shown(value: Any) -> str:
    """A value as people write it."""
    if value is None or value == "":
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        text = "，".join(f"{name}：{shown(inner)}" for name, inner in value.items())
    elif isinstance(value, list):
        text = "、".join(shown(one) for one in value)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
