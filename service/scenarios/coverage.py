"""What the scenarios have touched: sequence flows, roles that handed something in, form fields, rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import engine
from service.commands.people.identity import ROLES
from service.models import Event, Task

if TYPE_CHECKING:
    from .outcomes import Outcome

Flow = tuple[str, str]
"""Process id and flow id."""


@dataclass(slots=True)
class Seen:
    """What one scenario has touched beside flows, each as a pair.

    ``roles``: process and role; ``fields``: form and path of a field that was filled; ``rules``: decision and row.
    """

    roles: set[tuple[str, str]] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    rules: set[tuple[str, str]] = field(default_factory=set)


def seen(session: Session) -> Seen:
    """What the cases in a scenario's database have touched."""
    made = Seen()
    handed_in = select(Task.process_id, Task.role, Task.form_id, Task.submitted).where(Task.status == "completed")
    for process_id, role, form_id, submitted in session.execute(handed_in):
        if role:
            made.roles.add((process_id, role))
        if form_id:
            made.fields |= {(form_id, path) for path in filled(submitted or {})}
    for data in session.scalars(select(Event.data).where(Event.kind == "decision")):
        made.rules |= {(data["decision"], rule) for rule in data.get("rules", ())}
    return made


def filled(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The paths of the values that were filled in; the rows of a list count together."""
    for name, value in values.items():
        path = f"{before}{name}"
        if value is None or value in ("", []):
            continue
        yield path
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, Mapping):
                yield from filled(row, f"{path}.")


class Coverage:
    """The flows, roles, form fields and table rows of a bundle, and those that were touched."""

    def __init__(self, bundle: engine.Bundle, outcomes: Iterable[Outcome]) -> None:
        self.bundle = bundle
        self.flows: dict[str, set[str]] = {}
        for process in bundle.models.values():
            own = set(process.flows)
            for _, node in process.walk():
                if node.scope is not None:
                    own |= set(node.scope.flows)
            self.flows[process.id] = own
        self.taken: dict[str, set[str]] = {process_id: set() for process_id in self.flows}
        self.seen = Seen()
        for outcome in outcomes:
            self.add(outcome.touched())

    def add(self, touched: Mapping[str, Iterable[Any]]) -> None:
        """Count what a scenario touched: pairs under ``flows``, ``roles``, ``fields`` and ``rules``."""
        for process_id, flow in touched["flows"]:
            if flow in self.flows.get(process_id, ()):
                self.taken[process_id].add(flow)
        self.seen.roles |= {(one[0], one[1]) for one in touched["roles"]}
        self.seen.fields |= {(one[0], one[1]) for one in touched["fields"]}
        self.seen.rules |= {(one[0], one[1]) for one in touched["rules"]}

    def missing(self, process_id: str) -> list[str]:
        """The flows of a process that no scenario has taken."""
        return sorted(self.flows[process_id] - self.taken[process_id])

    def lines(self) -> Iterator[str]:
        """A line for each process that was played, with what is missing."""
        for process_id in sorted(self.flows):
            taken, all_flows = len(self.taken[process_id]), len(self.flows[process_id])
            if taken:
                missing = self.missing(process_id)
                shown = f"  未覆盖 / not covered: {', '.join(missing)}" if missing else ""
                yield f"{process_id}: {taken}/{all_flows} ({100 * taken // all_flows} %){shown}"

    def summary(self) -> dict[str, Any]:
        """The whole as JSON, by process: what there is and what of it is missing, with the names people use."""
        return {process_id: self._of(process_id) for process_id in sorted(self.flows)}

    def _of(self, process_id: str) -> dict[str, Any]:
        process = self.bundle.models[process_id]
        roles, forms, decisions = _used(process)
        touched = {role for of, role in self.seen.roles if of == process_id}
        fields = {(form, path) for form in forms for path in fields_of(self.bundle.forms.get(form, {}))}
        rows = {(one, rule) for one in decisions for rule in self._rules(one)}
        return {
            "name": process.label,
            "flows": len(self.flows[process_id]),
            "missing_flows": self.missing(process_id),
            "taken_flows": sorted(self.taken[process_id]),
            "roles": len(roles),
            "missing_roles": sorted(roles - touched),
            "fields": len(fields),
            "missing_fields": [list(one) for one in sorted(fields - self.seen.fields)],
            "rows": len(rows),
            "missing_rows": [
                [one, self.bundle.decisions[one].name or one, self._rules(one)[rule]]
                for one, rule in sorted(rows - self.seen.rules)
            ],
        }

    def _rules(self, decision_id: str) -> Mapping[str, int]:
        found = self.bundle.decisions.get(decision_id)
        return found.rules if found is not None else {}


LANES = {lane: code for code, _, _, lane in ROLES if lane}


def _used(process: engine.model.Process) -> tuple[set[str], set[str], set[str]]:
    """The roles, forms and decisions that the diagram of a process names itself."""
    roles, forms, decisions = set(), set(), set()
    for _, node in process.walk():
        if node.form_id:
            forms.add(node.form_id)
        if node.decision_id and not node.decision_id.startswith("="):
            decisions.add(node.decision_id)
        if node.kind == "userTask":
            named = node.candidate_groups or ""
            if named and not named.startswith("="):
                roles |= {one.strip().partition("@")[0] for one in named.split(",") if one.strip()}
            elif not named and not node.assignee and not node.candidate_users and node.lane in LANES:
                roles.add(LANES[node.lane])
    return roles, forms, decisions


TYPED = frozenset(
    {"textfield", "textarea", "number", "select", "radio", "checkbox", "checklist", "taglist", "datetime"}
    | {"attachments", "filepicker"}
)
"""The components that people fill in."""


def fields_of(component: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The paths of the fields of a form that people can fill in."""
    for child in component.get("components", ()):
        key = child.get("key") or child.get("path") or ""
        path = f"{before}{key}"
        if child.get("type") in TYPED and key and not child.get("disabled") and child.get("readonly") is not True:
            yield path
        yield from fields_of(child, f"{path}." if key else before)
