"""Every FEEL expression of a process, checked for its syntax; every mapping for its target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import feel
from ..model import Node, feel_of, is_expression
from .finder import Finder

# A FEEL name without blanks or operators, as a path: unit.name
# Functions with a truth value: alone between [ and ] the evaluator takes them for an index, not for a condition.
YES_OR_NO = re.compile(
    r"(?<=[\w\])}])\[\s*(?:not|list contains|contains|starts with|ends with|matches|all|any|is defined)\s*\("
)
TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def check(find: Finder) -> None:
    for name, text in find.process.expressions():
        _feel(find, find.process.id, name, text, find.process.line)
    for scope, node in find.process.walk():
        for what, text in _texts(node):
            _feel(find, node.id, what, text, node.line)
        for flow_id in node.outgoing:
            flow = scope.flows[flow_id]
            if flow.condition is not None:
                _feel(find, flow.id, "condition", flow.condition, flow.line)
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
    _feel(find, node.id, name, text, node.line)


def _feel(find: Finder, element_id: str, what: str, text: str, line: int | None) -> None:
    problem = feel.problem(text)
    if problem is not None:
        find.error(
            element_id,
            "feel",
            f"“{element_id}”的 {what} 不是有效的 FEEL：{problem.zh}",
            f"{what} of “{element_id}” is not valid FEEL: {problem.en}",
            line,
        )
    elif takes_filter_for_index(text):
        find.error(
            element_id,
            "feel-filter",
            f"“{element_id}”的 {what} 以函数作筛选条件，不会逐项判断；请在函数后写“= true”。",
            f"{what} of “{element_id}” filters by a function alone, which is not asked of each item; add “= true”.",
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
