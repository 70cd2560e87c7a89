"""Which sequence flows the scenarios have taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from service import engine

if TYPE_CHECKING:
    from .playing import Outcome

Flow = tuple[str, str]
"""Process id and flow id."""


class Coverage:
    """The flows of a bundle's processes, and those that were taken."""

    def __init__(self, bundle: engine.Bundle, outcomes: Iterable[Outcome]) -> None:
        self.flows: dict[str, set[str]] = {}
        for process in bundle.models.values():
            own = set(process.flows)
            for _, node in process.walk():
                if node.scope is not None:
                    own |= set(node.scope.flows)
            self.flows[process.id] = own
        self.taken: dict[str, set[str]] = {process_id: set() for process_id in self.flows}
        for outcome in outcomes:
            for process_id, flow in outcome.flows:
                if flow in self.flows.get(process_id, ()):
                    self.taken[process_id].add(flow)

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
