"""Tasks: does each refer to a form, role, topic, decision or process that is there?"""

from __future__ import annotations

from collections.abc import Callable

from ..expressions import as_list
from ..model import Node, is_expression
from ..timers import BadTimer, parse_date
from .finder import Finder


def check(find: Finder) -> None:
    starters = find.process.properties.get("starter")
    if find.roles is not None:
        for role in as_list(starters):
            if role not in find.roles:
                find.error(
                    find.process.id,
                    "role-unknown",
                    f"可发起者“{role}”不是已知角色。",
                    f"The starter “{role}” is no known role.",
                    find.process.line,
                )
    for _, node in find.process.walk():
        form = node.form_id
        if form and not is_expression(form) and form not in find.contents.forms:
            find.error(
                node,
                "form-missing",
                f"“{node.label}”使用的表单“{form}”不在本次部署中。",
                f"The form “{form}” of “{node.label}” is not in this deployment.",
            )
        rule = RULES.get(node.kind)
        if rule is not None and not (node.topic and node.kind not in ("userTask", "manualTask", "serviceTask")):
            rule(find, node)
        if node.topic and find.topics is not None and not is_expression(node.topic) and node.topic not in find.topics:
            find.error(
                node,
                "topic-unknown",
                f"“{node.label}”的任务类型“{node.topic}”没有处理程序。",
                f"There is no handler for the type “{node.topic}” of “{node.label}”.",
            )


def _user(find: Finder, node: Node) -> None:
    assigned = node.assignee or node.candidate_users or node.candidate_groups
    if not assigned and not node.lane:
        find.error(
            node,
            "role-none",
            f"“{node.label}”没有指定办理人，也不在任何泳道内。",
            f"“{node.label}” is assigned to nobody and lies in no lane.",
        )
    elif not assigned and find.lanes is not None and node.lane not in find.lanes:
        find.error(
            node,
            "lane-unknown",
            f"泳道“{node.lane}”没有对应的角色，“{node.label}”将无人可办。",
            f"The lane “{node.lane}” stands for no role; nobody could do “{node.label}”.",
        )
    groups = node.candidate_groups
    if groups and not is_expression(groups) and find.roles is not None:
        for role in as_list(groups):
            if role not in find.roles:
                find.error(
                    node,
                    "role-unknown",
                    f"“{node.label}”的候选角色“{role}”不是已知角色。",
                    f"The role “{role}” of “{node.label}” is not known.",
                )
    if node.kind == "userTask" and not node.form_id:
        find.warning(node, "form-none", f"“{node.label}”没有表单。", f"“{node.label}” has no form.")
    for what, value in (("dueDate", node.due), ("followUpDate", node.follow_up)):
        if value and not is_expression(value):
            try:
                parse_date(value)
            except BadTimer as error:
                find.error(
                    node, "date-bad", f"“{node.label}”的 {what}：{error.zh}", f"{what} of “{node.label}”: {error.en}"
                )
    priority = node.priority
    if priority and not is_expression(priority) and not (priority.isdigit() and int(priority) <= 100):
        find.error(
            node,
            "priority-bad",
            f"“{node.label}”的优先级“{priority}”应为 0 到 100 的整数。",
            f"The priority “{priority}” of “{node.label}” should be a whole number from 0 to 100.",
        )


def _service(find: Finder, node: Node) -> None:
    if not node.topic:
        find.error(
            node,
            "topic-missing",
            f"服务任务“{node.label}”没有任务类型。",
            f"The service task “{node.label}” has no type.",
        )


def _script(find: Finder, node: Node) -> None:
    if not node.script or not node.result_variable:
        find.error(
            node,
            "script-missing",
            f"脚本任务“{node.label}”须有 FEEL 表达式和结果变量。",
            f"The script task “{node.label}” needs a FEEL expression and a result variable.",
        )


def _decision(find: Finder, node: Node) -> None:
    if not node.decision_id or not node.result_variable:
        find.error(
            node,
            "decision-none",
            f"业务规则任务“{node.label}”须指定决策和结果变量。",
            f"The business rule task “{node.label}” needs a decision and a result variable.",
        )
    elif not is_expression(node.decision_id) and node.decision_id not in find.contents.decisions:
        find.error(
            node,
            "decision-missing",
            f"“{node.label}”使用的决策“{node.decision_id}”不在本次部署中。",
            f"The decision “{node.decision_id}” of “{node.label}” is not in this deployment.",
        )


def _call(find: Finder, node: Node) -> None:
    if not node.called_process:
        find.error(
            node,
            "process-none",
            f"调用活动“{node.label}”没有指定流程。",
            f"The call activity “{node.label}” names no process.",
        )
    elif not is_expression(node.called_process) and node.called_process not in find.contents.processes:
        find.error(
            node,
            "process-missing",
            f"“{node.label}”调用的流程“{node.called_process}”不在本次部署中。",
            f"The process “{node.called_process}” called by “{node.label}” is not in this deployment.",
        )


def _message(find: Finder, node: Node) -> None:
    if node.event is None or not node.event.message:
        find.error(
            node, "message-missing", f"“{node.label}”没有指定消息。", f"“{node.label}” does not name its message."
        )


RULES: dict[str, Callable[[Finder, Node], None]] = {
    "userTask": _user,
    "manualTask": _user,
    "serviceTask": _service,
    "scriptTask": _script,
    "businessRuleTask": _decision,
    "callActivity": _call,
    "sendTask": _message,
}
