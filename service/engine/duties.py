"""Separation of duties as a diagram declares it: which steps one person may never do both of in a case.

A task's property ``excludes`` names other steps (``review``, or ``other_process/review`` in a process that runs in the
same case), ``excludesParties`` the parties whose people must keep away. A pair of steps is apart in both directions,
whichever of them is done first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from .expressions import as_list
from .model import Node, Process

EXCLUDES = "excludes"
PARTIES = "excludesParties"
RELATED = "relatedParties"
"""On the process: FEEL that gives, for each kind of related party, the organisations that the case names."""
RELATED_KINDS = frozenset({"partner", "joint"})
"""Organisations a case names beside its parties: partners of the applicant, and units that apply or build jointly."""
PERSONAL = "personal"
"""``true``: only the person meant may do the task, nobody in their place."""


def named(process: Process, node: Node) -> Iterator[tuple[str, str]]:
    """The steps a task is apart from: (process, element) each, as the diagram says, known or not."""
    for name in as_list(node.properties.get(EXCLUDES)):
        owner, slash, element = name.partition("/")
        yield (owner, element) if slash else (process.id, owner)


def names(value: str | None) -> tuple[str, ...]:
    """The names in a property."""
    return tuple(as_list(value))


def step(process_id: str, element_id: str) -> str:
    """How a row writes a step: ``process/element``."""
    return f"{process_id}/{element_id}"


def separations(processes: Mapping[str, Process]) -> dict[str, tuple[str, ...]]:
    """For each step, those whose doers may not do it; what one diagram says holds from both sides."""
    pairs: dict[str, set[str]] = defaultdict(set)
    for process in processes.values():
        for _, node in process.walk():
            here = step(process.id, node.id)
            for other in named(process, node):
                pairs[here].add(step(*other))
                pairs[step(*other)].add(here)
    return {name: tuple(sorted(others)) for name, others in pairs.items()}
