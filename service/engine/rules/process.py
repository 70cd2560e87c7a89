"""What a process says of itself: the organisations its cases name, and what is checked before one is started."""

from __future__ import annotations

from .. import duties
from ..model import is_expression
from .finder import Finder


def check(find: Finder) -> None:
    related = find.process.properties.get(duties.RELATED)
    if related is not None and not is_expression(related):
        find.error(
            find.process.id,
            "related-parties",
            f"流程“{find.process.label}”的属性 relatedParties 应为 FEEL，如 ={{partner: application.partners}}。",
            f"The property relatedParties of the process “{find.process.label}” is FEEL, such as "
            "={partner: application.partners}.",
            find.process.line,
        )
    for decision in find.process.start_checks():
        if decision not in find.contents.decisions:
            find.error(
                find.process.id,
                "start-check",
                f"流程“{find.process.label}”的属性 startCheck 所列决策“{decision}”不存在。",
                f"The process “{find.process.label}” names the decision “{decision}” in startCheck; there is none.",
                find.process.line,
            )
