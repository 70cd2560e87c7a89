"""Every FEEL expression of a process, checked for its syntax; every mapping for its target."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .. import feel
from ..model import Node, feel_of, is_expression
from .finder import Finder

# A FEEL name without blanks or operators, as a path: unit.name
TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def check(find: Finder) -> None:
    title = find.process.properties.get("title")
    if title and is_expression(title):
        _feel(find, find.process.id, "title", feel_of(title), find.process.line)
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
