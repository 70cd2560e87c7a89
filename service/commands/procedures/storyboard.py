"""What scenarios may speak of: the tasks, messages, people and endings of a draft, by the names people use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service import engine, forms
from service.commands.people.identity import ROLES
from service.forms import Asked


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
    starts: dict[str, str] = field(default_factory=dict)
    """The form that somebody fills to start a process, by the process."""
    forms: dict[str, str] = field(default_factory=dict)
    """The form that a task or a message opens, by its id or name."""
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """What people call the fields of a form, by the form and their paths."""
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    """The fields of a form that somebody fills in."""

    def name(self, element_id: str) -> str:
        """What people call a task, an ending or a message; itself where nobody calls it anything."""
        for one in (*self.tasks, *self.ends, *self.messages):
            if one.id == element_id:
                return one.name
        return element_id

    def labels_at(self, target: str) -> dict[str, str]:
        """The labels of the form that a step fills: at a task, of a message, or at the start of a process."""
        return self.labels.get(self.forms.get(target) or self.starts.get(target) or "", {})

    def process_of(self, element_id: str) -> str | None:
        """The process an element lies in."""
        return next((one.process for one in (*self.tasks, *self.ends) if one.id == element_id), None)


PEOPLE: tuple[tuple[str, str, str], ...] = tuple((code, zh, en) for code, zh, en, _ in ROLES)
"""Whom a step can be done by: user name in scenarios, Chinese and English name of the role."""


def of(files: Mapping[str, bytes]) -> Storyboard:
    """Look through the diagrams of a draft."""
    made = Storyboard()
    messages: dict[str, Named] = {}
    contents = engine.read_contents(files)
    made.labels = {form_id: forms.labels(schema) for form_id, schema in contents.forms.items()}
    made.asked = {form_id: forms.asked(schema) for form_id, schema in contents.forms.items()}
    for process in sorted(contents.processes.values(), key=lambda one: one.id):
        made.processes[process.id] = process.label
        for _, node in process.walk():
            if node.kind == "userTask":
                made.tasks.append(Named(node.id, node.label, process.id))
                made.forms.setdefault(node.id, node.form_id or "")
                made.forms.setdefault(node.label, node.form_id or "")
            elif node.kind == "startEvent" and node.form_id and (node.event is None or node.event.kind == "none"):
                made.starts[process.id] = node.form_id
            elif node.kind == "endEvent":
                made.ends.append(Named(node.id, node.label, process.id))
            if node.event is not None and node.event.message and node.kind != "endEvent":
                messages.setdefault(node.event.message, Named(node.event.message, node.label, process.id))
                made.forms.setdefault(node.event.message, node.form_id or "")
    made.messages = list(messages.values())
    return made


__all__ = ["PEOPLE", "Named", "Storyboard", "of"]
