"""What scenarios may speak of: the tasks, messages, people and endings of a draft, by the names people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service import engine

from .identity import ROLES


@dataclass(frozen=True, slots=True)
class Named:
    """An element: its id, what the diagram calls it, the process it lies in."""

    id: str
    name: str
    process: str


@dataclass(slots=True)
class Storyboard:
    """The parts of a draft that steps name. ``processes`` maps ids to names."""

    processes: dict[str, str] = field(default_factory=dict)
    tasks: list[Named] = field(default_factory=list)
    messages: list[Named] = field(default_factory=list)
    ends: list[Named] = field(default_factory=list)

    def name(self, element_id: str) -> str:
        """What people call a task, an ending or a message; itself where nobody calls it anything."""
        for one in (*self.tasks, *self.ends, *self.messages):
            if one.id == element_id:
                return one.name
        return element_id

    def process_of(self, element_id: str) -> str | None:
        """The process an element lies in."""
        return next((one.process for one in (*self.tasks, *self.ends) if one.id == element_id), None)


PEOPLE: tuple[tuple[str, str, str], ...] = tuple((code, zh, en) for code, zh, en, _ in ROLES)
"""Whom a step can be done by: user name in scenarios, Chinese and English name of the role."""


def of(files: Mapping[str, bytes]) -> Storyboard:
    """Look through the diagrams of a draft."""
    made = Storyboard()
    messages: dict[str, Named] = {}
    for process in sorted(engine.read_contents(files).processes.values(), key=lambda one: one.id):
        made.processes[process.id] = process.label
        for _, node in process.walk():
            if node.kind == "userTask":
                made.tasks.append(Named(node.id, node.label, process.id))
            elif node.kind == "endEvent":
                made.ends.append(Named(node.id, node.label, process.id))
            if node.event is not None and node.event.message and node.kind != "endEvent":
                messages.setdefault(node.event.message, Named(node.event.message, node.label, process.id))
    made.messages = list(messages.values())
    return made


__all__ = ["PEOPLE", "Named", "Storyboard", "of"]
