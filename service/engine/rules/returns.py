"""Properties of user tasks by which forms are returned and clocks go on: are they what they should be?"""

from __future__ import annotations

from ..model import Node, feel_of, is_expression
from .expressions import feel_of_property
from .finder import Finder


def check(find: Finder) -> None:
    for _, node in find.process.walk():
        if node.kind == "userTask":
            _properties(find, node)


def _properties(find: Finder, node: Node) -> None:
    for name in ("returns", "corrections"):
        value = node.properties.get(name)
        if value and is_expression(value):
            feel_of_property(find, node, name, feel_of(value))
    named = node.properties.get("returns")
    for form in named.split(",") if named is not None and not is_expression(named) else []:
        form = form.strip()
        if form in find.contents.forms:
            continue
        find.error(
            node,
            "returns-form",
            f"“{node.label}”的属性 returns 所指的表单“{form}”不在本次部署中。",
            f"The form “{form}” that the property returns of “{node.label}” names is not in this deployment.",
        )
    corrections = node.properties.get("corrections")
    if corrections is not None and not is_expression(corrections):
        find.error(
            node,
            "corrections-feel",
            f"“{node.label}”的属性 corrections 应为以“=”开头的 FEEL，给出退回的字段和要求。",
            f"The property corrections of “{node.label}” should be FEEL that begins with “=”: what was returned.",
        )
    clock = node.properties.get("clock")
    if clock not in (None, "continues"):
        find.error(
            node,
            "clock-bad",
            f"“{node.label}”的属性 clock 只能是 continues（退回期间停止计时），而不是“{clock}”。",
            f"The property clock of “{node.label}” can only be continues (it stands during a return), not “{clock}”.",
        )
