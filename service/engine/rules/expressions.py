"""Every FEEL expression of a process, checked for its syntax; every mapping for its target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import feel
from ..model import Node, Scope, feel_of, is_expression
from .finder import Finder

# A FEEL name without blanks or operators, as a path: unit.name
# Functions with a truth value: alone between [ and ] the evaluator takes them for an index, not for a condition.
YES_OR_NO = re.compile(
    r"(?<=[\w\])}])\[\s*(?:not|list contains|contains|starts with|ends with|matches|all|any|is defined)\s*\("
)
TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

WORDS = {
    "formId": ("表单", "form"),
    "assignee": ("办理人", "assignee"),
    "candidateUsers": ("候选人", "candidate users"),
    "candidateGroups": ("候选角色", "candidate groups"),
    "dueDate": ("期限", "due date"),
    "followUpDate": ("跟进日期", "follow-up date"),
    "priority": ("优先级", "priority"),
    "type": ("任务类型", "type"),
    "retries": ("重试次数", "retries"),
    "decisionId": ("决策", "decision"),
    "processId": ("被调用流程", "called process"),
    "timer": ("定时", "timer"),
    "message": ("消息名", "message"),
    "correlationKey": ("关联键", "correlation key"),
    "mapping": ("映射", "mapping"),
    "script": ("脚本", "script"),
    "inputCollection": ("输入集合", "input collection"),
    "outputElement": ("输出元素", "output element"),
    "completionCondition": ("完成条件", "completion condition"),
    "condition": ("条件", "condition"),
    "title": ("案件标题", "title"),
}
"""What the properties are called; those of our own by their names."""


def check(find: Finder) -> None:
    for name, text in find.process.expressions():
        _feel(find, find.process.id, find.process.label, name, text, find.process.line)
    for scope, node in find.process.walk():
        for what, text in _texts(node):
            _feel(find, node.id, node.label, what, text, node.line)
        for flow_id in node.outgoing:
            flow = scope.flows[flow_id]
            if flow.condition is not None:
                label = flow.name or f"{node.label} → {_label(scope, flow.target)}"
                _feel(find, flow.id, label, "condition", flow.condition, flow.line)
        for mapping in [*node.inputs, *node.outputs]:
            if not TARGET.fullmatch(mapping.target):
                find.error(
                    node,
                    "mapping-target",
                    f"“{node.label}”的映射目标“{mapping.target}”不是变量名。",
                    f"The mapping target “{mapping.target}” of “{node.label}” is no variable name.",
                )


def feel_of_property(find: Finder, node: Node, name: str, text: str) -> None:
    """Check the FEEL of a custom property."""
    _feel(find, node.id, node.label, name, text, node.line)


def _feel(find: Finder, element_id: str, label: str, what: str, text: str, line: int | None) -> None:
    name, _, target = what.partition(" ")
    zh, en = WORDS.get(name, (name, name))
    if target:
        zh, en = f"{zh}“{target}”", f"{en} “{target}”"
    problem = feel.problem(text)
    if problem is not None:
        find.error(
            element_id,
            "feel",
            f"“{label}”的{zh}不是有效的 FEEL：{problem.zh}",
            f"The {en} of “{label}” is not valid FEEL: {problem.en}",
            line,
        )
    elif takes_filter_for_index(text):
        find.error(
            element_id,
            "feel-filter",
            f"“{label}”的{zh}以函数作筛选条件，不会逐项判断；请在函数后写“= true”。",
            f"The {en} of “{label}” filters by a function alone, which is not asked of each item; add “= true”.",
            line,
        )


def takes_filter_for_index(text: str) -> bool:
    """True for ``xs[not(item.done)]``, which would give every item; ``xs[not(item.done) = true]`` filters."""
    for match in YES_OR_NO.finditer(text):
        depth = 1
        for position in range(match.end(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[position], 0)
            if depth == 0:
                if text[position + 1 :].lstrip().startswith("]"):
                    return True
                break
    return False


def _texts(node: Node) -> Iterator[tuple[str, str]]:
    values = {
        "formId": node.form_id,
        "assignee": node.assignee,
        "candidateUsers": node.candidate_users,
        "candidateGroups": node.candidate_groups,
        "dueDate": node.due,
        "followUpDate": node.follow_up,
        "priority": node.priority,
        "type": node.topic,
        "retries": node.retries,
        "decisionId": node.decision_id,
        "processId": node.called_process,
    }
    if node.event is not None:
        values |= {
            "timer": node.event.timer,
            "message": node.event.message,
            "correlationKey": node.event.correlation_key,
        }
    for mapping in [*node.inputs, *node.outputs]:
        values[f"mapping {mapping.target}"] = mapping.source
    for what, value in values.items():
        if value is not None and is_expression(value):
            yield what, feel_of(value)
    if node.script:
        yield "script", feel_of(node.script)
    if node.loop is not None:
        yield "inputCollection", feel_of(node.loop.input_collection)
        if node.loop.output_element:
            yield "outputElement", feel_of(node.loop.output_element)
        if node.loop.completion_condition:
            yield "completionCondition", node.loop.completion_condition


def _label(scope: Scope, node_id: str) -> str:
    return scope.nodes[node_id].label if node_id in scope.nodes else node_id
