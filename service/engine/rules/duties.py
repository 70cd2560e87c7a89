"""Separation of duties: does each property name steps and parties that are there?"""

from __future__ import annotations

from .. import duties
from ..model import Node
from .finder import Finder

HUMAN = ("userTask", "manualTask")
KNOWN = frozenset({"applicant", "recommender", "zone", "province"}) | duties.RELATED_KINDS
"""Parties that organisations play in one case, and from which people can therefore be kept away."""


def check(find: Finder) -> None:
    for _, node in find.process.walk():
        if duties.EXCLUDES in node.properties or duties.PARTIES in node.properties:
            _steps(find, node)
            _parties(find, node)
        if node.properties.get(duties.PERSONAL, "false") not in ("true", "false"):
            find.error(
                node,
                "personal-bad",
                f"“{node.label}”的属性 personal 应为 true 或 false。",
                f"The property personal of “{node.label}” is either true or false.",
            )


def _steps(find: Finder, node: Node) -> None:
    if node.kind not in HUMAN:
        find.error(
            node,
            "excludes-place",
            f"“{node.label}”不是用户任务，不能声明职责分离（excludes）。",
            f"“{node.label}” is no user task; only one can be kept apart from others (excludes).",
        )
        return
    for owner, element in duties.named(find.process, node):
        process = find.contents.processes.get(owner)
        other = next((one for _, one in process.walk() if one.id == element), None) if process else None
        if other is None or other.kind not in HUMAN:
            find.error(
                node,
                "excludes-unknown",
                f"“{node.label}”的 excludes 所列“{element}”不是流程“{owner}”中的用户任务。",
                f"“{element}”, which “{node.label}” excludes, is no user task of the process “{owner}”.",
            )
        elif other is node and not _repeats(find, node):
            find.error(
                node,
                "excludes-itself",
                f"“{node.label}”的 excludes 列出了自身，而它不是多实例任务。",
                f"“{node.label}” excludes itself, but is no multi-instance task.",
            )


def _repeats(find: Finder, node: Node) -> bool:
    """True where a task, or a sub-process around it, runs once for each of several items."""
    looped = [one for _, one in find.process.walk() if one.loop is not None]
    inside = (inner for one in looped if one.scope is not None for _, inner in one.scope.walk())
    return node.loop is not None or any(inner is node for inner in inside)


def _parties(find: Finder, node: Node) -> None:
    for party in duties.names(node.properties.get(duties.PARTIES)):
        if party not in KNOWN:
            find.error(
                node,
                "excludes-party",
                f"“{node.label}”的 excludesParties 所列“{party}”不是案件当事方（{'、'.join(sorted(KNOWN))}）。",
                f"“{party}”, which “{node.label}” excludes, is no party of a case ({', '.join(sorted(KNOWN))}).",
            )
